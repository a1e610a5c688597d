"""What a user said about a table, for the next one with the same columns."""

from collections.abc import Sequence

from rerank.digests import digest_of
from rerank.intake.sources import Choice
from rerank.store.artefacts import read_json, write_json
from rerank.store.home import room


def _name(columns: Sequence[str]) -> str:
    return f"{digest_of(list(columns))}.json"


def remember(columns: Sequence[str], choice: Choice) -> None:
    """Keep a choice under a table's header."""
    record = {"role": choice.role, "mapping": dict(choice.mapping), "labels": dict(choice.labels)}
    write_json(room("mappings") / _name(columns), {"columns": list(columns), **record})


def recall(columns: Sequence[str]) -> Choice | None:
    """Return what was kept under a header; None when nothing was, or when the file is broken."""
    try:
        found = read_json(room("mappings") / _name(columns))
        return Choice(found["role"], dict(found["mapping"]), {name: int(n) for name, n in found["labels"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
