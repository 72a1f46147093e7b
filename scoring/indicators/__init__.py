"""The eleven indicators of the scorecard: pure functions of one enterprise's facts.

Facts, the indicator's rule and the grading date enter; a value between 0 and 1 with its evidence leaves. The
docstring of each function is the sentence shown, filled in with the values found.
"""

from collections.abc import Callable
from datetime import date

from scoring.facts import Facts
from scoring.indicators.conduct import credit_class, onsite_findings, penalties
from scoring.indicators.harm import complaints, injuries_and_recalls
from scoring.indicators.reading import Reading
from scoring.indicators.sampling import rectification, repeated_failures, sampling_failures
from scoring.indicators.standing import licence_state, responsibility, scale
from scoring.policy import IndicatorId, IndicatorRule

Indicator = Callable[[Facts, IndicatorRule, date], Reading]

INDICATORS: dict[IndicatorId, Indicator] = {
    "q1_sampling_fail": sampling_failures,
    "q2_repeat_fail": repeated_failures,
    "q3_rectification": rectification,
    "q4_penalty": penalties,
    "q5_complaint": complaints,
    "q6_injury_recall": injuries_and_recalls,
    "q7_licence_ccc": licence_state,
    "q8_onsite": onsite_findings,
    "q9_responsibility": responsibility,
    "q10_credit_class": credit_class,
    "q11_scale": scale,
}


def sentence(indicator: Indicator, reading: Reading) -> str:
    """Return the sentence an inspector reads: the indicator's docstring, filled in."""
    return (indicator.__doc__ or "").format(**reading.said)
