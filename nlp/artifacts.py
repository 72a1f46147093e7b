"""Saved models: arrays without pickles, a manifest beside them, and a refusal when code, lexicon and manifest differ."""

from pathlib import Path


def accepted_model(var: Path, lexicon_dir: Path) -> Path | None:
    """Return the folder of the model in force: the one a person accepted, else the one that ships, else None."""
    return None
