"""A difference of a measure in a manager's words, with its plausible range."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say, later

# Each measure times 100, in its own words.
GAINS: Mapping[str, str] = {
    "Success@1": later("Of 100 searches, {n} more have a relevant document first; plausible range {low} to {high}."),
    "P@5": later("Of 100 documents among the first 5, {n} more are relevant; plausible range {low} to {high}."),
    "nDCG@10": later(
        "Where 100 is the best possible order: {n} points to today's order; plausible range {low} to {high}."
    ),
    "RR@10": later(
        "Where 100 is a relevant document always first: {n} points to today's order; plausible range {low} to {high}."
    ),
    "AP": later(
        "Where 100 is all relevant documents on top: {n} points to today's order; plausible range {low} to {high}."
    ),
}
COUNTS = ("Success@1", "P@5")  # searches or documents, not points of a scale


def hundredths(value: float, *, signed: bool) -> str:
    """Return a difference in hundredths; a decimal where whole numbers would hide it, a true minus sign."""
    digits = 0 if abs(value) >= 0.0095 else 1
    shown = f"{100 * value:{'+' if signed else ''}.{digits}f}"
    return shown.replace("-", "−")


def gain_in_words(say: Say, comparison: Mapping[str, Any]) -> str:
    """Return what a comparison's difference means, "" where there is none or the measure has no words."""
    measure = str(comparison["measure"])
    ends = (comparison["delta"], comparison["ci_low"], comparison["ci_high"])
    if measure not in GAINS or None in ends:
        return ""
    n, low, high = (hundredths(value, signed=measure not in COUNTS) for value in ends)
    sentence = GAINS[measure]
    return say(sentence, n=n, low=low, high=high)
