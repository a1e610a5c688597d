"""In which order a rater sees the pairs: random, each rater's own, and the same after every restart."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rerank.judging.tasks import Task
from rerank.store.judging import Pair

N_SHARED = 20  # pairs that everybody judges first, so that agreement can be told early


def _chance(*names: str) -> bytes:
    """Return what orders as if by chance; names decide it, so that pairs may join later without a new order."""
    return hashlib.blake2b("\0".join(names).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def order_of(task: Task, pairs: Iterable[tuple[str, str, float]], rater: str) -> list[Pair]:
    """Return a rater's order of a task's pairs (query_id, doc_id, priority).

    The task's first 20 pairs are the same for all raters and come first, in each rater's own order.
    """
    known = list(pairs)
    by_priority = task.settings.order == "priority"
    rank = {(query_id, doc_id): -priority if by_priority else 0.0 for query_id, doc_id, priority in known}
    first = sorted(rank, key=lambda pair: (rank[pair], _chance(task.id, *pair)))[:N_SHARED]
    shared = set(first)
    return sorted(rank, key=lambda pair: (pair not in shared, rank[pair], _chance(task.id, rater, *pair)))


@dataclass(frozen=True)
class Desk:
    """What lies before a rater: the pair to judge (None: nothing is left) and how far they are.

    n_skipped: pairs that were put off and come again at the end; they count as left.
    """

    pair: Pair | None
    n_done: int
    n_left: int
    n_skipped: int


def desk_of(
    task: Task, pairs: Sequence[tuple[str, str, float]], marks: Sequence[Mapping[str, Any]], rater: str
) -> Desk:
    """Return what a rater has before them, from a task's pairs and all raters' marks, oldest first."""
    graded: set[Pair] = set()
    skipped: dict[Pair, int] = {}
    others: dict[Pair, set[str]] = {}
    for place, mark in enumerate(marks):
        pair = (str(mark["query_id"]), str(mark["doc_id"]))
        if mark["rater"] != rater:
            if mark["grade"] is not None:
                others.setdefault(pair, set()).add(str(mark["rater"]))
        elif mark["grade"] is None:
            skipped[pair] = place
        else:
            graded.add(pair)
    enough = task.settings.ratings_per_pair
    order = order_of(task, pairs, rater)
    shared = set(order[:N_SHARED])
    left = [
        pair
        for pair in order
        if pair not in graded and (not enough or pair in shared or len(others.get(pair, ())) < enough)
    ]
    fresh = [pair for pair in left if pair not in skipped]
    again = sorted((pair for pair in left if pair in skipped), key=lambda pair: skipped[pair])
    return Desk(next(iter([*fresh, *again]), None), len(graded), len(left), len(again))


def n_rated(marks: Iterable[Mapping[str, Any]]) -> Counter[Pair]:
    """Return how many raters have graded each pair."""
    said = {(mark["rater"], mark["query_id"], mark["doc_id"]) for mark in marks if mark["grade"] is not None}
    return Counter((str(query_id), str(doc_id)) for _, query_id, doc_id in said)
