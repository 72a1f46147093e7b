"""Every file of the corpus comes out as its table of expectations says, and nothing of it is lost."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.importers import FileReport, read_file
from jobs.cli import app
from jobs.imports import as_report
from tests.corpus.build import all_cases, write_corpus
from tests.corpus.cases import Case

CASES = all_cases()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, written once."""
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


def read(corpus: Path, case: Case) -> FileReport:
    return read_file(corpus / case.name, case.kind)


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(corpus: Path, case: Case) -> None:
    report = read(corpus, case)
    told = as_report(report, file=case.name, with_rows=True)
    outcome = {name: told[name] for name in ("reason", "valid", "quarantined", "ignored", "reasons")}
    assert outcome == {
        "reason": case.reason,
        "valid": case.valid,
        "quarantined": case.quarantined,
        "ignored": case.ignored,
        "reasons": dict(case.reasons),
    }
    assert told["status"] == ("rejected" if case.reason else "accepted")
    assert report.read == report.valid + report.quarantined + report.ignored
    assert set(told["warnings"]) == case.warnings or case.reason
    assert len(told["rows"]) == case.valid
    if case.rows is not None:
        asked = [{name: got[name] for name in want} for got, want in zip(told["rows"], case.rows, strict=True)]
        assert asked == list(case.rows)
    if case.errors is not None:
        found = [tuple(error[name] for name in ("sheet", "row", "column", "class")) for error in told["errors"]]
        assert found == list(case.errors)


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_the_command_reports_every_file_in_the_order_given(corpus: Path, kind: str) -> None:
    mine = [case for case in CASES if case.kind == kind][::6]  # each file's outcome is the other test's business
    names = [str(corpus / case.name) for case in mine]
    result = CliRunner().invoke(app, ["import", "--dry-run", "--json", "--kind", kind, *names])
    assert result.exit_code == 0
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [report["file"] for report in reports] == names
    assert [report["reason"] for report in reports] == [case.reason for case in mine]
    assert all("rows" not in report for report in reports)
