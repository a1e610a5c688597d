"""How many plans have been evaluated on the same test queries: p-values do not know about the earlier ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rerank.digests import digest_of
from rerank.intake.alike import plain_text
from rerank.intake.storage import root_of
from rerank.planning.experiments import now
from rerank.store.artefacts import read_json, write_json
from rerank.store.home import room

# Of the test queries: with fewer in common, another upload is another sample that asks some of the same things.
SAME_SAMPLE_SHARE = 0.5


def _ledger(dataset_digest: str) -> Path:
    """Versions of a dataset with more judgments keep one ledger: their test queries are the same ones."""
    return room("looks") / f"{root_of(dataset_digest)}.json"


def _read(dataset_digest: str) -> list[dict[str, Any]]:
    path = _ledger(dataset_digest)
    found: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    return found


def earlier_looks(
    dataset_digest: str, experiment: str, test_queries: Sequence[str], texts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the other plans that were evaluated on any of these queries before this one was first, oldest first.

    Each with `experiment`, `at` and `n_common_queries`. The two gates of a plan, and running it again, are one look.
    Plans of the same dataset and of its versions with more judgments are recognised by ids, those of other uploads by
    the queries' texts (`texts`, by id), when at least half of these queries are tested there too.
    """
    mine = set(test_queries)
    found, until = [], None
    for look in _read(dataset_digest):
        if look["experiment"] == experiment:
            until = look["at"]
            break
        n_common = len(mine & set(look["test_queries"]))
        if n_common:
            found.append({"experiment": look["experiment"], "at": look["at"], "n_common_queries": n_common})
    here, asked = _ledger(dataset_digest), _digests(test_queries, texts)
    for path in sorted(here.parent.glob("*.json")):
        for look in read_json(path) if path != here else ():
            tested = set(look.get("test_texts", ()))  # not written by earlier versions
            n_common = sum(text in tested for text in asked)
            before = until is None or look["at"] < until
            if n_common and n_common >= SAME_SAMPLE_SHARE * len(asked) and before and look["experiment"] != experiment:
                found.append({"experiment": look["experiment"], "at": look["at"], "n_common_queries": n_common})
    return sorted(found, key=lambda look: look["at"])


def _digests(test_queries: Sequence[str], texts: Mapping[str, str]) -> list[str]:
    return [digest_of(plain_text(texts[query_id])) for query_id in test_queries]


def record_look(dataset_digest: str, experiment: str, test_queries: Sequence[str], texts: Mapping[str, str]) -> None:
    """Note that a plan's result on these queries was computed; only the first time counts.

    The queries' texts are kept as digests.
    """
    known = _read(dataset_digest)
    if all(look["experiment"] != experiment for look in known):
        tested = {"test_queries": list(test_queries), "test_texts": _digests(test_queries, texts)}
        write_json(_ledger(dataset_digest), [*known, {"experiment": experiment, "at": now(), **tested}])
