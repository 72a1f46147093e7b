"""Counting independent voices: reposts and copied complaints are one story, one claimant is one person."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """One telling: which story it tells (`story`), who tells it (`teller`), and how much it weighs."""

    signal_id: int
    story: Hashable
    teller: Hashable
    weight: float


def independent_voices(voices: Iterable[Voice], per_teller: int) -> list[Voice]:
    """Return the heaviest set of voices in which no story counts twice and no teller more than `per_teller` times.

    A matching of stories to tellers, grown by augmenting paths from the heaviest story down. This is the best
    such set (a transversal matroid), so one more voice can never make the total smaller.
    """
    best: dict[tuple[Hashable, Hashable], Voice] = {}
    heaviest: dict[Hashable, float] = {}
    for voice in sorted(voices, key=lambda one: (-one.weight, one.signal_id)):
        best.setdefault((voice.story, voice.teller), voice)
        heaviest.setdefault(voice.story, voice.weight)
    tellers: dict[Hashable, list[Hashable]] = {}
    for story, teller in best:
        tellers.setdefault(story, []).append(teller)
    told: dict[Hashable, list[Hashable]] = {}

    def place(story: Hashable, tried: set[Hashable]) -> bool:
        for teller in tellers[story]:
            if teller in tried:
                continue
            tried.add(teller)
            stories = told.setdefault(teller, [])
            if len(stories) < per_teller:
                stories.append(story)
                return True
            for position, other in enumerate(stories):
                if place(other, tried):
                    stories[position] = story
                    return True
        return False

    for story in heaviest:
        place(story, set())
    kept = [
        Voice(best[story, teller].signal_id, story, teller, heaviest[story])
        for teller, stories in told.items()
        for story in stories
    ]
    return sorted(kept, key=lambda voice: voice.signal_id)
