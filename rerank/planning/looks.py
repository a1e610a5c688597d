"""How many plans have been evaluated on the same test queries: p-values do not know about the earlier ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rerank.intake.storage import root_of
from rerank.planning.experiments import now
from rerank.store.artefacts import read_json, write_json
from rerank.store.home import room


def _ledger(dataset_digest: str) -> Path:
    """Versions of a dataset with more judgments keep one ledger: their test queries are the same ones."""
    return room("looks") / f"{root_of(dataset_digest)}.json"


def _read(dataset_digest: str) -> list[dict[str, Any]]:
    path = _ledger(dataset_digest)
    found: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    return found


def earlier_looks(dataset_digest: str, experiment: str, test_queries: Sequence[str]) -> list[dict[str, Any]]:
    """Return the other plans that were evaluated on any of these queries before this one was first, oldest first.

    Each with `experiment`, `at` and `n_common_queries`. The two gates of a plan, and running it again, are one look.
    Only plans of the same dataset count, and of its versions with more judgments: another upload has other ids.
    """
    mine = set(test_queries)
    found = []
    for look in _read(dataset_digest):
        if look["experiment"] == experiment:
            break
        n_common = len(mine & set(look["test_queries"]))
        if n_common:
            found.append({"experiment": look["experiment"], "at": look["at"], "n_common_queries": n_common})
    return found


def record_look(dataset_digest: str, experiment: str, test_queries: Sequence[str]) -> None:
    """Note that a plan's result on these queries was computed; only the first time counts."""
    known = _read(dataset_digest)
    if all(look["experiment"] != experiment for look in known):
        known.append({"experiment": experiment, "at": now(), "test_queries": list(test_queries)})
        write_json(_ledger(dataset_digest), known)
