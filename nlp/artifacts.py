"""Saved models: arrays without pickles, a manifest beside them, and a refusal when code, lexicon and manifest differ.

A model is a folder with `weights.npz` and `manifest.json`. Loading runs no code from either file.
"""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import Floats, LinearBlock, Scale
from nlp.classifiers.text_model import FAMILIES, TextModel
from nlp.classifiers.trees import Trees
from nlp.features import Vocabulary
from nlp.taxonomy import Taxonomy, folder_digest

FORMAT = 2
SHIPPED = Path(__file__).parent / "models" / "text"
# The smallest weight that is kept. There are many more clauses than texts, so theirs are larger and more of them.
_SMALLEST_WEIGHT = {"block": 0.02, "clause_block": 0.06}
_STEPS = 256  # weights are kept to the nearest 1/256: far finer than they are certain, and half the file


class ArtifactError(ValueError):
    """A saved model that must not be used; the message says what differs."""


def save_model(
    model: TextModel, folder: Path, taxonomy: Taxonomy, *, cut: dict[str, Any], metrics: dict[str, Any]
) -> str:
    """Write a model and its manifest; return its version. `cut` says which examples it saw, `metrics` how it scored."""
    kept = {name: _kept(getattr(model, name).weights, least) for name, least in _SMALLEST_WEIGHT.items()}
    used = np.flatnonzero(sum(np.diff(weights.indptr) for weights in kept.values()) > 0)
    vocabulary = model.vocabulary
    bounds = np.cumsum([len(vocabulary.runs), len(vocabulary.words), len(vocabulary.findings)])
    arrays: dict[str, npt.NDArray[Any]] = {
        "runs": _texts(vocabulary.runs[at] for at in used[used < bounds[0]]),
        "words": _texts(vocabulary.words[at - bounds[0]] for at in used[(used >= bounds[0]) & (used < bounds[1])]),
        "findings": _texts(vocabulary.findings[at - bounds[1]] for at in used[used >= bounds[1]]),
        "idf": vocabulary.idf[used].astype(np.float16),
    }
    for name, weights in kept.items():
        arrays[f"{name}_data"] = weights.data.astype(np.float16)
        arrays[f"{name}_indices"] = weights.indices.astype(np.uint8 if weights.shape[1] < 256 else np.uint16)
        arrays[f"{name}_indptr"] = np.concatenate(([0], np.cumsum(np.diff(weights.indptr)[used]))).astype(np.int32)
        arrays[f"{name}_intercepts"] = getattr(model, name).intercepts
    for family in FAMILIES:
        arrays[f"{family}_trees"] = np.frombuffer(model.weighing[family].told.encode(), dtype=np.uint8)
    scale = model.relevance
    arrays["relevance_means"], arrays["relevance_spreads"] = scale.means, scale.spreads
    arrays["relevance_weights"] = scale.weights
    arrays["relevance_intercept"] = np.array([scale.intercept], dtype=np.float64)
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    manifest = {
        "format": FORMAT,
        "version": f"text-{digest[:12]}",
        "sha256": digest,
        "labels": list(model.labels.names),
        "features": {"runs": len(arrays["runs"]), "words": len(arrays["words"]), "findings": len(arrays["findings"])},
        "lexicon": taxonomy.digest,
        "cut": cut,
        "metrics": metrics,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.npz").write_bytes(content)
    (folder / "manifest.json").write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return str(manifest["version"])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a model's manifest; ArtifactError when there is none to read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"模型 {folder.name} 没有可读的清单") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"模型 {folder.name} 是别的版本留下的，请重新训练（zhian train）")
    return manifest


def load_model(folder: Path, taxonomy: Taxonomy) -> TextModel:
    """Load a model made for this taxonomy; ArtifactError says what differs."""
    manifest = read_manifest(folder)
    labels = Labels(tuple(taxonomy.hazards), tuple(taxonomy.violations))
    if manifest["labels"] != list(labels.names):
        raise ArtifactError(f"模型 {folder.name} 的标签与分类表不同，请重新训练（zhian train）")
    if manifest["lexicon"] != taxonomy.digest:
        raise ArtifactError(f"模型 {folder.name} 训练之后词典已改，请重新训练（zhian train）")
    content = (folder / "weights.npz").read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
        raise ArtifactError(f"模型 {folder.name} 的 weights.npz 不是清单所写的那个文件")
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        vocabulary = Vocabulary(
            arrays["runs"].tolist(),
            arrays["words"].tolist(),
            arrays["findings"].tolist(),
            arrays["idf"].astype(np.float32),
        )
        blocks = {name: _block(arrays, name, vocabulary.size) for name in _SMALLEST_WEIGHT}
        weighing = {family: Trees(arrays[f"{family}_trees"].tobytes().decode()) for family in FAMILIES}
        relevance = Scale(
            arrays["relevance_means"],
            arrays["relevance_spreads"],
            arrays["relevance_weights"],
            float(arrays["relevance_intercept"][0]),
        )
    return TextModel(labels, vocabulary, **blocks, weighing=weighing, relevance=relevance, version=manifest["version"])


def _kept(weights: Floats, least: float) -> sparse.csr_matrix:
    rounded = np.round(weights * _STEPS) / _STEPS
    return sparse.csr_matrix(np.where(np.abs(rounded) >= least, rounded, 0))


def _block(arrays: Any, name: str, rows: int) -> LinearBlock:
    intercepts = arrays[f"{name}_intercepts"]
    weights = sparse.csr_matrix(
        (
            arrays[f"{name}_data"].astype(np.float32),
            arrays[f"{name}_indices"].astype(np.int32),
            arrays[f"{name}_indptr"],
        ),
        shape=(rows, len(intercepts)),
    )
    return LinearBlock(weights.toarray(), intercepts)


def accepted_model(var: Path, lexicon_dir: Path) -> Path | None:
    """The folder of the model in force: the one a person accepted, else the one that ships, if it fits the lexicon.

    The accepted one is named in `models/text/accepted` of the data folder; removing that file restores the shipped
    model. A shipped model trained for another lexicon is no model for this one: rules alone then speak.
    """
    pointer = var / "models" / "text" / "accepted"
    if pointer.exists():
        return var / "models" / "text" / pointer.read_text(encoding="utf-8").strip()
    if (SHIPPED / "manifest.json").exists() and read_manifest(SHIPPED)["lexicon"] == folder_digest(lexicon_dir):
        return SHIPPED
    return None


def accept_model(var: Path, name: str | None) -> None:
    """Put a trained model of the data folder in force, or with None the shipped one again."""
    pointer = var / "models" / "text" / "accepted"
    if name is None:
        pointer.unlink(missing_ok=True)
        return
    if not (pointer.parent / name / "manifest.json").exists():
        raise ArtifactError(f"没有模型 {name}")
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(name + "\n", encoding="utf-8")


def _texts(values: Any) -> npt.NDArray[np.str_]:
    found = list(values)
    return np.array(found, dtype=np.str_) if found else np.zeros(0, dtype="<U1")
