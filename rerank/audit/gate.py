"""The gate's rule: may this teacher teach?"""

from collections.abc import Collection, Mapping
from typing import Literal

from rerank.audit.intervals import Measured

Colour = Literal["green", "amber", "red"]

# A bias counts when its whole interval lies beyond this: one pair in ten, a slope or a correlation of a tenth.
MARK = 0.1
MAX_MALFORMED_SHARE = 0.02

WORSE, NOT_BETTER, TOO_FEW = "worse_than_free", "not_shown_better", "too_few_queries"
# By measure: the reason that it can give.
FLAGS: Mapping[str, str] = {
    "position_slope": "position_bias",
    "length": "length_bias",
    "probe": "lexical_bias",
    "shuffled": "order_dependent",
}
MALFORMED = "malformed_answers"
REASONS = (WORSE, NOT_BETTER, TOO_FEW, *FLAGS.values(), MALFORMED)
WARNINGS = ("same_family_as_judge", "position_not_separable")

# Names of model families, in the order in which they are looked for.
_FAMILIES: Mapping[str, str] = {
    "claude": "anthropic",
    "gemini": "google",
    "gemma": "google",
    "palm": "google",
    "llama": "meta",
    "mistral": "mistral",
    "mixtral": "mistral",
    "qwen": "qwen",
    "deepseek": "deepseek",
    "command-": "cohere",
    "cohere": "cohere",
    "rerank-": "cohere",
    "davinci": "openai",
    "gpt": "openai",
    "openai": "openai",
    "phi-": "microsoft",
    "bge-": "baai",
    "jina": "jina",
    "nova-": "amazon",
    "titan": "amazon",
    "grok": "xai",
    "swallow": "meta",
    "plamo": "plamo",
    "sarashina": "sarashina",
}


def is_flagged(found: Measured) -> bool:
    """Say whether a bias is shown to be larger than what does not matter."""
    if found.ci_low is None or found.ci_high is None:
        return False
    return found.ci_low > MARK or found.ci_high < -MARK


def judged_by(measures: Mapping[str, Measured], ignored: Collection[str] = ()) -> tuple[Colour, tuple[str, ...]]:
    """Return the colour and its reasons. ignored: measures that cannot be told from something else here.

    Red: the interval of teacher minus best free baseline lies below 0. Green: above 0, and no bias is flagged.
    Amber: anything else.
    """
    delta = measures["delta_free"]
    reasons = []
    if delta.ci_low is None or delta.ci_high is None:
        reasons.append(TOO_FEW)
    elif delta.ci_high < 0:
        reasons.append(WORSE)
    elif delta.ci_low <= 0:
        reasons.append(NOT_BETTER)
    reasons += [code for name, code in FLAGS.items() if name not in ignored and is_flagged(measures[name])]
    malformed = measures["malformed"].value
    if malformed is not None and malformed > MAX_MALFORMED_SHARE:
        reasons.append(MALFORMED)
    if WORSE in reasons:
        return "red", tuple(reasons)
    return ("amber" if reasons else "green"), tuple(reasons)


def family_of(model: str) -> str:
    """Return a model's family by its name, "" when the name says nothing."""
    name = model.casefold().rsplit("/", 1)[-1]
    return next((family for word, family in _FAMILIES.items() if word in f"{name}-"), "")


def leaks(teacher: str, judge: str) -> bool:
    """Say whether teacher and judge are of one family: the judge may prefer its own."""
    if not teacher.strip() or not judge.strip():
        return False
    if teacher.strip().casefold() == judge.strip().casefold():
        return True
    family = family_of(teacher)
    return bool(family) and family == family_of(judge)
