"""Judging tasks: which pairs of which dataset, on which scale, by which guideline."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.store import judging

Order = Literal["random", "priority"]
ORDERS: tuple[Order, ...] = ("random", "priority")
MAX_PAIRS = 20_000
MAX_GRADE = 9  # a grade is one key
ID_LENGTH = 12


@dataclass(frozen=True)
class Settings:
    """What holds for a whole task.

    meanings: what grade 0, 1, ... stands for, in the user's words. order: `random`, or `priority` (the most telling
    pairs first, random among equals). ratings_per_pair: how many raters a pair needs; 0 is everybody. source: where
    the pairs come from, for the manifest.
    """

    meanings: tuple[str, ...]
    order: Order = "random"
    ratings_per_pair: int = 0
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Task:
    """A judging task as it stands on disk; dataset is a digest, created_at seconds since 1970."""

    id: str
    dataset: str
    name: str
    created_at: float
    guideline: str
    n_pairs: int
    settings: Settings


def create_task(dataset_digest: str, pairs: pd.DataFrame, *, name: str, guideline: str, settings: Settings) -> Task:
    """Write a task and return it; the same pairs with the same settings are the same task.

    pairs: query_id, doc_id, priority (higher is more telling). Raises RerankError `nothing_to_judge`,
    `too_many_pairs_to_judge` (above 20,000) and `judging_scale_unusable` (not 2 to 10 grades).
    """
    if pairs.empty:
        raise RerankError("nothing_to_judge")
    if len(pairs) > MAX_PAIRS:
        raise RerankError("too_many_pairs_to_judge", n_pairs=len(pairs), maximum=MAX_PAIRS)
    if not 2 <= len(settings.meanings) <= MAX_GRADE + 1:
        raise RerankError("judging_scale_unusable", n_grades=len(settings.meanings), maximum=MAX_GRADE + 1)
    rows = [
        (str(query_id), str(doc_id), float(priority))
        for query_id, doc_id, priority in pairs[["query_id", "doc_id", "priority"]].itertuples(index=False, name=None)
    ]
    written = asdict(settings)
    identity = digest_of([dataset_digest, name, written, sorted(rows)])[:ID_LENGTH]
    judging.add_task(identity, dataset_digest, name, written, guideline, rows)
    return load_task(identity)


def load_task(identity: str) -> Task:
    """Return a task. Raises RerankError `no_such_judging_task`."""
    found = [task for task in _tasks() if task.id == identity]
    if not found:
        raise RerankError("no_such_judging_task", task=identity[:64])
    return found[0]


def tasks_of(dataset_digests: Sequence[str]) -> list[Task]:
    """Return the tasks of some datasets, newest first."""
    return [task for task in _tasks() if task.dataset in dataset_digests]


def _tasks() -> list[Task]:
    return [_task(record) for record in judging.read_tasks()]


def _task(record: Mapping[str, Any]) -> Task:
    given = dict(record["settings"])
    settings = Settings(**{**given, "meanings": tuple(given["meanings"])})
    return Task(
        record["id"],
        record["dataset"],
        record["name"],
        record["created_at"],
        record["guideline"],
        record["n_pairs"],
        settings,
    )
