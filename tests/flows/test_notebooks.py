"""The notebooks run from top to bottom on a small store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.settings import PROJECT
from tests.flows.conftest import Shown

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, shown: Shown) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=120", "-p", "no:cacheprovider", str(path)],
        cwd=PROJECT,
        env={**os.environ, "ZHIAN_VAR": str(shown.demonstration.var)},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert finished.returncode == 0, finished.stdout[-3000:]
    assert "1 passed" in finished.stdout
