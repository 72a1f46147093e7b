"""A candidate while it is being weighed."""

from dataclasses import dataclass


@dataclass(slots=True)
class Scored:
    """A firm that could be meant: certainty from the name alone, and a bonus from what else the record says."""

    firm: int  # position in the register
    certainty: float
    reasons: tuple[str, ...]
    method: str
    bonus: float = 0.0
    taken: tuple[tuple[str, float], ...] = ()  # lines of the policy that were charged

    @property
    def rank(self) -> float:
        """What candidates are ordered by."""
        return self.certainty + self.bonus


def keep(scored: dict[int, Scored], new: Scored) -> None:
    """Keep the better of two ways to the same firm."""
    old = scored.get(new.firm)
    if old is None or old.certainty < new.certainty:
        scored[new.firm] = new
