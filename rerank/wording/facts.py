"""Facts of errors and findings as the reader sees them: codes become words, lists become text."""

from collections.abc import Mapping

from rerank.wording.fields import ROLE_NAMES
from rerank.wording.language import Say, later
from rerank.wording.names import FIRST_STAGES
from rerank.wording.numbers import megabytes

# Only words that a user cannot meet as literal text in a file, a plan or a command.
WORDS: Mapping[str, Mapping[str, str]] = {
    "role": ROLE_NAMES,
    "missing": {
        "query": later("query"),
        "document": later("document"),
        "query and document": later("query and document"),
    },
    "proposal": {"length": later("their length"), "form": later("their form")},
    "unit": {"minutes": later("minutes"), "usd": later("USD")},
    "kind": {
        **FIRST_STAGES,
        "labour": later("judging work"),
        "power": later("the power of a device"),
        "carbon": later("what an electricity grid emits"),
        "energy": later("electricity"),
    },
    "reason": {
        "unknown_role": later("there is no such role"),
        "no_file": later("“file” is missing"),
        "unknown_field": later("there is no field “{field}”"),
        "not_text": later("“{field}” is not text"),
        "labels": later("“labels” has grades that are no whole numbers"),
    },
    "value": {
        "repeated": later("a list with repetitions"),
        "first-stage is the reference and cannot be left out": later(
            "a list without first-stage, which is the reference"
        ),
    },
    "fault": {
        "timeout": later("it took too long"),
        "connection broken": later("the connection broke"),
        "wrong JSON": later("it was no answer of such an endpoint"),
        "answer too long": later("it was too long"),
    },
    "failure": {
        "empty": later("most were empty"),
        "refused": later("most were refusals"),
        "no_order": later("most held no ordering"),
        "too_few_named": later("most named less than half of what they should rank"),
        "no_grade": later("most held no grade"),
    },
    "cause": {
        "start": later("it did not start in time"),
        "no answer": later("no answer"),
        "strategies": later("no valid strategies were named"),
    },
}


class Facts(dict[str, object]):
    """Facts that leave a placeholder's name in place when the fact is missing."""

    def __missing__(self, key: str) -> str:
        return f"({key})"


def in_words(say: Say, facts: Mapping[str, object]) -> Facts:
    """Return the facts ready to be filled into a sentence."""
    return Facts({name: _in_words(say, name, value, facts) for name, value in facts.items()})


def _in_words(say: Say, name: str, value: object, facts: Mapping[str, object]) -> object:
    if isinstance(value, str) and value in WORDS.get(name, {}):
        return say(WORDS[name][value]).format_map(Facts(facts))
    if name == "share" and isinstance(value, float):
        return f"{value:.0%}"
    if name in ("max_bytes", "unpacked_bytes") and isinstance(value, int):
        return megabytes(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {count}" for key, count in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return value
