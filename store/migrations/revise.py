"""Write the next migration from the difference between the tables and the newest one.

Run as `python -m store.migrations.revise "what changed"`.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from store.migrations import _config, upgrade
from store.session import open_engine


def revise(message: str) -> None:
    """Migrate an empty store to the newest version and record what the tables have beyond it."""
    config = _config()
    count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'empty.db'}")
        upgrade(engine)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=message, autogenerate=True, rev_id=f"{count + 1:04d}")
        engine.dispose()


if __name__ == "__main__":
    revise(" ".join(sys.argv[1:]) or "Change")
