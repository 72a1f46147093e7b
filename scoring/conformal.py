"""Sets instead of a bare probability: which results the next batch may have, with an error rate kept per class.

Class-conditional (Mondrian) conformal prediction: among batches that will fail, the set leaves out "fail" in at most
the chosen share of cases, and likewise for passes, however rare failures are. Calibrated on batches the model has
not learnt from.
"""

from dataclasses import dataclass

import numpy as np
from crepes import ConformalClassifier
from numpy.typing import NDArray

from scoring.features import Floats
from scoring.plausible import CONFIDENCE, FAIL, PASS, Limits, PlausibleResults

LEAST_A_CLASS = 20


class TooFewError(ValueError):
    """A class has too few calibration batches to promise anything."""


@dataclass(frozen=True)
class Plausible:
    """A calibrated judge of probabilities."""

    judge: ConformalClassifier

    @classmethod
    def calibrate(cls, probability: Floats, failed: NDArray[np.bool_]) -> "Plausible":
        """Learn from held-out batches; TooFewError when either class has fewer than 20."""
        if min(int(failed.sum()), int((~failed).sum())) < LEAST_A_CLASS:
            raise TooFewError(f"合格与不合格各需至少 {LEAST_A_CLASS} 批次才能校准")
        judge = ConformalClassifier()
        judge.fit(1.0 - np.where(failed, probability, 1.0 - probability), bins=failed.astype(int))
        return cls(judge)

    def codes(self, probability: Floats, confidence: float = CONFIDENCE) -> NDArray[np.int64]:
        """Return each batch's set as a number: PASS, FAIL, their sum, or 0 for neither."""
        found = np.zeros(len(probability), dtype=np.int64)
        for outcome, bit, chance in ((0, PASS, 1.0 - probability), (1, FAIL, probability)):
            scores = np.column_stack([1.0 - chance])
            p_values = self.judge.predict_p(scores, bins=np.full(len(probability), outcome), smoothing=False)
            found += bit * (p_values[:, 0] > 1.0 - confidence)
        return found

    def limits(self, probability: Floats, confidence: float = CONFIDENCE) -> Limits:
        """Return the same sets as two limits, found on the probabilities they were calibrated on."""
        tried = np.unique(probability)
        codes = self.codes(tried, confidence)
        fails, passes = tried[(codes & FAIL) > 0], tried[(codes & PASS) > 0]
        return Limits(
            fail_from=float(fails.min()) if len(fails) else float(np.nextafter(1.0, 2.0)),
            pass_to=float(passes.max()) if len(passes) else float(np.nextafter(0.0, -1.0)),
            confidence=confidence,
        )

    def sets(self, probability: Floats, confidence: float = CONFIDENCE) -> list[PlausibleResults]:
        """Return the plausible results of each batch at a confidence."""
        return [PlausibleResults.of(int(code)) for code in self.codes(probability, confidence)]
