"""The labels of the text model and the targets an example gives for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.corpus import OUTCOMES, Example

KIND_LABELS = ("signal", "offtopic", "confuser", "knowledge", "negated", "rebuttal", "drill")
OUTCOME_LABELS = OUTCOMES[1:]


@dataclass(frozen=True, slots=True)
class Labels:
    """The columns of the block: hazards, violations, relevance, kinds, outcomes."""

    hazards: tuple[str, ...]
    violations: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns in order."""
        return (
            *(f"hazard:{code}" for code in self.hazards),
            *(f"violation:{code}" for code in self.violations),
            "relevant",
            *(f"kind:{kind}" for kind in KIND_LABELS),
            *(f"outcome:{outcome}" for outcome in OUTCOME_LABELS),
        )

    @property
    def first_violation(self) -> int:
        """The column of the first violation."""
        return len(self.hazards)

    @property
    def relevant(self) -> int:
        """The column of relevance."""
        return len(self.hazards) + len(self.violations)

    @property
    def kinds(self) -> slice:
        """The columns of the kinds."""
        return slice(self.relevant + 1, self.relevant + 1 + len(KIND_LABELS))

    @property
    def outcomes(self) -> slice:
        """The columns of the outcomes."""
        return slice(self.kinds.stop, self.kinds.stop + len(OUTCOME_LABELS))

    def targets(self, examples: Sequence[Example]) -> npt.NDArray[np.int8]:
        """One row an example, one column a label."""
        found = np.zeros((len(examples), len(self.names)), dtype=np.int8)
        for row, example in enumerate(examples):
            hazards, violations = example.hazards(), example.violations
            found[row, : len(self.hazards)] = [code in hazards for code in self.hazards]
            found[row, self.first_violation : self.relevant] = [code in violations for code in self.violations]
            found[row, self.relevant] = example.relevant
            kind = "signal" if example.relevant else example.kind
            found[row, self.kinds] = [kind == name for name in KIND_LABELS]
            found[row, self.outcomes] = [example.outcome == name for name in OUTCOME_LABELS]
        return found
