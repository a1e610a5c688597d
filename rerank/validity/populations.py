"""Real per-query scores as populations from which experiments are drawn."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.stats.compare import ZERO

COLUMNS = ("strategy", "query_id", "measure", "value")
FIRST = "first-stage"
MIN_QUERIES = 50  # a population of fewer is too coarse to stand for all queries
_FEWEST_AMOUNTS = 3


def recentred(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return differences whose mean is 0: those that are not 0 move together and keep their shape, ties stay ties.

    Two strategies have equal scores where they put the same documents first. Were these queries moved too, each of them
    would be a small equal gain or loss, which no pair of strategies has.
    """
    moved = np.abs(differences) >= ZERO
    centred = np.where(moved, differences, 0.0)
    if moved.any():
        centred[moved] -= centred[moved].mean()
    return centred


@dataclass(frozen=True)
class Population:
    """Per-query differences, challenger minus reference, in units of the measure: shape (n_queries,)."""

    collection: str
    reference: str
    challenger: str
    differences: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Return the difference that is true when experiments are drawn from the differences as they are."""
        return float(self.differences.mean())

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Return the differences with a mean of 0: `recentred`."""
        return recentred(self.differences)

    @property
    def sd(self) -> float:
        """Return the standard deviation of the centred differences."""
        return float(self.centred.std())

    @property
    def skewness(self) -> float:
        """Return the third standardised moment: 0 for symmetrical differences."""
        away = self.differences - self.mean
        return float((away**3).mean() / (away**2).mean() ** 1.5)

    @property
    def unmoved(self) -> float:
        """Return the share (0-1) of queries without a difference."""
        return float((np.abs(self.differences) < ZERO).mean())

    def with_mean(self, mean: float) -> NDArray[np.float64]:
        """Return the centred differences, all of them moved by a true difference: spread, skew and tails stay."""
        return self.centred + mean


@dataclass(frozen=True)
class Family:
    """Two questions about the same queries, as a plan locks them: single against first, second against single."""

    collection: str
    strategies: tuple[str, str, str]
    differences: NDArray[np.float64]  # (n_questions, n_queries)


def read_scores(path: Path) -> pd.DataFrame:
    """Return a `per_query.csv` with a column `collection`; a file without one is one collection by its own name.

    Columns: strategy, query_id, measure, value; several seeds of a strategy are averaged.
    Raises RerankError `input_not_found`, `scores_unreadable`, `scores_without_column`, `scores_not_numbers`.
    """
    if not path.is_file():
        raise RerankError("input_not_found", path=str(path))
    try:
        found = pd.read_csv(path, dtype={"query_id": str, "strategy": str, "measure": str, "collection": str})
    except (ValueError, OSError) as error:  # pandas' parsing errors are ValueErrors
        raise RerankError("scores_unreadable", path=str(path), reason=str(error)) from error
    missing = [column for column in COLUMNS if column not in found.columns]
    if missing:
        raise RerankError("scores_without_column", path=str(path), column=missing[0], needed=", ".join(COLUMNS))
    values = pd.to_numeric(found["value"], errors="coerce")
    bad = found.index[~np.isfinite(values.to_numpy(dtype=np.float64))]
    if len(bad):
        raise RerankError("scores_not_numbers", path=str(path), line=int(bad[0]) + 2, value=str(found["value"][bad[0]]))
    found["value"] = values
    if "collection" not in found.columns:
        found["collection"] = path.stem
    keys = ["collection", "strategy", "query_id", "measure"]
    return found.groupby(keys, sort=False, dropna=False)["value"].mean().reset_index()


def measures_of(scores: pd.DataFrame) -> list[str]:
    """Return the measures in their order of appearance."""
    return [str(name) for name in dict.fromkeys(scores["measure"])]


def _tables(scores: pd.DataFrame, measure: str) -> list[tuple[str, list[str], pd.DataFrame]]:
    """Return, per collection with enough queries, its strategies (reference first) and scores by query."""
    found = []
    for collection, part in scores[scores["measure"] == measure].groupby("collection", sort=False):
        table = part.pivot(index="query_id", columns="strategy", values="value").dropna()
        strategies = [str(name) for name in dict.fromkeys(part["strategy"])]
        strategies.sort(key=lambda name: name != FIRST)
        if len(table) >= MIN_QUERIES:
            found.append((str(collection), strategies, table))
    return found


def _can_be_moved(differences: NDArray[np.float64]) -> bool:
    amounts = np.unique(differences[np.abs(differences) >= ZERO].round(9))
    return len(amounts) >= _FEWEST_AMOUNTS


def populations_of(scores: pd.DataFrame, measure: str) -> list[Population]:
    """Return every strategy against the first one, and every other against the one before it.

    The first one is `first-stage` where there is one. Pairs that differ by one or two amounts only are left out:
    those of a measure that is 0 or 1 would, once moved, no longer be differences of that measure.
    """
    found = []
    for collection, strategies, table in _tables(scores, measure):
        pairs = [(strategies[0], name) for name in strategies[1:]] + list(itertools.pairwise(strategies[1:]))
        for reference, challenger in pairs:
            differences = (table[challenger] - table[reference]).to_numpy(dtype=np.float64)
            if _can_be_moved(differences):
                found.append(Population(collection, reference, challenger, differences))
    return found


def families_of(scores: pd.DataFrame, measure: str) -> list[Family]:
    """Return a family for each two strategies that follow each other: A against the first one, B against A."""
    found = []
    for collection, strategies, table in _tables(scores, measure):
        for single, second in itertools.pairwise(strategies[1:]):
            chosen = (strategies[0], single, second)
            columns = [table[name].to_numpy(dtype=np.float64) for name in chosen]
            differences = np.stack([columns[1] - columns[0], columns[2] - columns[1]])
            if all(_can_be_moved(row) for row in differences):
                found.append(Family(collection, chosen, differences))
    return found
