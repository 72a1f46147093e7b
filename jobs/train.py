"""Training: corpus and people's labels → a candidate model, scored beside the one in force; people accept it."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs import new_words
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp import corpus
from nlp.artifacts import SHIPPED, ArtifactError, accept_model, accepted_model, read_manifest, save_model
from nlp.classifiers.text_model import fit
from nlp.corpus import Example, Mark
from nlp.evaluate import score, summary
from nlp.reading import Reader
from nlp.tagging import Tagger
from nlp.taxonomy import load_taxonomy
from store.china_time import end_of
from store.session import read_only
from store.tables import Label, ModelVersion, Signal

TASK = "text"
NEW_WORDS = 20  # proposals kept beside a candidate, for the labelling page
HELD_BACK = 5  # one event in so many is kept for comparing the old model with the new


def train_shipped(lexicon_dir: Path) -> dict[str, Any]:
    """Fit on the whole corpus and write the model that ships with the code; return its metrics."""
    taxonomy = load_taxonomy(lexicon_dir)
    reader = Reader(taxonomy)
    examples = corpus.load()
    metrics = {"held_back": _measure(examples, [], reader)}
    model = fit(examples, reader.read_many([example.text for example in examples]), taxonomy)
    version = save_model(model, SHIPPED, taxonomy, cut=_cut(examples, [], None), metrics=metrics)
    return {"version": version, "texts": len(examples), **metrics}


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Fit a candidate on the corpus and the labels decided by `as_of`; return its metrics beside those of the old cut.

    Both are measured by the same recipe on the same held-back events: the old cut is what the model in force had
    seen, the new one what is known now. The model itself is then fitted on everything. Nothing is put in force.
    """
    with recorded_run(sessions, "train", as_of=as_of, seed=0) as (run_id, counts):
        taxonomy = load_taxonomy(settings.lexicon_dir)
        reader = Reader(taxonomy)
        with read_only(sessions) as session:
            reviewed = reviewed_examples(session, end_of(as_of))
        before = _reviewed_until(settings)
        earlier = [example for example, decided in reviewed if before is not None and decided <= before]
        base = corpus.load()
        labelled = [example for example, _ in reviewed]
        metrics = {"old": _measure(base, earlier, reader), "new": _measure(base, labelled, reader)}
        examples = [*base, *labelled]
        model = fit(examples, reader.read_many([example.text for example in examples]), taxonomy)
        folder = settings.var / "models" / TASK / f"{as_of.isoformat()}-{run_id}"
        last = max((decided for _, decided in reviewed), default=None)
        version = save_model(model, folder, taxonomy, cut=_cut(base, labelled, last), metrics=metrics)
        with read_only(sessions) as session:
            words = new_words.proposals(session, taxonomy, end_of(as_of), most=NEW_WORDS)
        with sessions.begin() as session:
            _remember(session, folder, {**metrics, "new_words": new_words.as_rows(words)})
        counts.update(version=version, folder=folder.name, texts=len(examples), reviewed=len(labelled), **metrics)
        return dict(counts)


def accept(
    sessions: sessionmaker[Session], settings: Settings, model_id: int | None, *, account_id: int | None, at: datetime
) -> None:
    """Put a candidate in force, or with None the shipped model again; the decision and who made it are kept."""
    with sessions.begin() as session:
        session.execute(
            update(ModelVersion)
            .where(ModelVersion.task == TASK, ModelVersion.status == "accepted")
            .values(status="retired")
        )
        if model_id is None:
            accept_model(settings.var, None)
            return
        row = session.get(ModelVersion, model_id)
        if row is None:
            raise ArtifactError(f"没有编号为 {model_id} 的模型")
        accept_model(settings.var, Path(row.path).name)
        row.status, row.decided_by, row.decided_at = "accepted", account_id, at


def reviewed_examples(session: Session, until: datetime) -> list[tuple[Example, datetime]]:
    """What people decided, as examples: signals with a decision on relevance, and all their other decisions.

    "Unsure" and withdrawn decisions teach nothing. Where two people disagree on a code, it is left out.
    """
    rows = session.execute(
        select(Label, Signal.text, Signal.title, Signal.channel)
        .join(Signal, Signal.id == Label.signal_id)
        .where(Label.withdrawn_at.is_(None), Label.decision.in_(("yes", "no")), Label.decided_at < until)
        .order_by(Label.signal_id, Label.id)
    ).all()
    by_signal: dict[int, list[Any]] = {}
    for row in rows:
        by_signal.setdefault(row.Label.signal_id, []).append(row)
    found = []
    for signal_id, group in by_signal.items():
        decisions: dict[tuple[str, str, str], set[str]] = {}
        for row in group:
            decisions.setdefault((row.Label.kind, row.Label.code, row.Label.status), set()).add(row.Label.decision)
        agreed = {key: next(iter(votes)) for key, votes in decisions.items() if len(votes) == 1}
        relevance = [decision for (kind, _, _), decision in agreed.items() if kind == "relevance"]
        if not relevance:
            continue
        text = group[0].text or group[0].title
        yes = [key for key, decision in agreed.items() if decision == "yes"]
        marks = tuple(
            Mark(kind, code, status, 0, len(text)) for kind, code, status in yes if kind in ("hazard", "violation")
        )
        outcome = next((code for kind, code, _ in yes if kind == "outcome"), "none")
        example = Example(
            id=f"signal-{signal_id}",
            event=f"signal-{signal_id}",
            channel=group[0].channel,
            text=text,
            kind="signal" if relevance[0] == "yes" else "offtopic",
            products=tuple(code for kind, code, _ in yes if kind == "product"),
            marks=marks,
            outcome=outcome,
        )
        found.append((example, max(row.Label.decided_at for row in group)))
    return found


def _measure(base: Sequence[Example], labelled: Sequence[Example], reader: Reader) -> dict[str, float | None]:
    """Fit without the held-back events, tag those, and return the main figures."""
    examples = [*base, *labelled]
    held = [example for example in base if _held_back(example.event)]
    seen = [example for example in examples if not _held_back(example.event)]
    if not held or not seen:
        return {}
    model = fit(seen, reader.read_many([example.text for example in seen]), reader.taxonomy)
    tagger = Tagger(reader.taxonomy, model)
    tags = tagger.tag_many((example.text, example.channel, None) for example in held)
    return summary(score(held, tags, reader.taxonomy))


def _held_back(event: str) -> bool:
    return int(hashlib.sha256(event.encode()).hexdigest(), 16) % HELD_BACK == 0


def _cut(base: Sequence[Example], labelled: Sequence[Example], last: datetime | None) -> dict[str, Any]:
    digest = hashlib.sha256()
    for example in base:
        digest.update(f"{example.id}\t{example.text}\n".encode())
    return {
        "corpus": digest.hexdigest()[:16],
        "corpus_texts": len(base),
        "reviewed": len(labelled),
        "reviewed_until": last.isoformat() if last else None,
    }


def _reviewed_until(settings: Settings) -> datetime | None:
    folder = accepted_model(settings.var, settings.lexicon_dir)
    if folder is None:
        return None
    until = read_manifest(folder)["cut"].get("reviewed_until")
    return datetime.fromisoformat(until) if until else None


def _remember(session: Session, folder: Path, metrics: dict[str, Any]) -> None:
    sha256 = read_manifest(folder)["sha256"]
    if session.scalar(select(ModelVersion.id).where(ModelVersion.sha256 == sha256)) is not None:
        return
    session.add(
        ModelVersion(
            task=TASK,
            sha256=sha256,
            path=folder.name,
            trained_at=datetime.now(UTC),
            metrics=metrics,
            status="candidate",
            decided_by=None,
            decided_at=None,
        )
    )
