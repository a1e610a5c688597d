"""What the raters have said: one grade per rater and pair, how fast, how well they agree, and what follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np
import pandas as pd

from rerank.intake.agreement import agreement_of
from rerank.intake.pairs import KEY

Ties = Literal["up", "down"]
TIES: tuple[Ties, ...] = ("up", "down")
MIN_TIMED = 10  # below it a median says little about the next judgments
_COLUMNS = ("rater", "query_id", "doc_id", "grade")


def ratings_of(marks: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the last grade of every rater for every pair: rater, query_id, doc_id, grade (int)."""
    last = {
        (str(mark["rater"]), str(mark["query_id"]), str(mark["doc_id"])): int(mark["grade"])
        for mark in marks
        if mark["grade"] is not None
    }
    frame = pd.DataFrame([(*key, grade) for key, grade in last.items()], columns=_COLUMNS)
    return frame.astype({"rater": "str", "query_id": "str", "doc_id": "str", "grade": "int64"})


@dataclass(frozen=True)
class Pace:
    """How long a judgment takes: the median in seconds, over how many."""

    seconds: float
    n_timed: int


def pace_of(marks: Iterable[Mapping[str, Any]]) -> Pace | None:
    """Return the time per judgment from marks that were timed; None below 10 of them.

    Skipped pairs do not count. The median: a telephone call in between must not.
    """
    times = [float(mark["seconds"]) for mark in marks if mark["grade"] is not None and mark["seconds"] is not None]
    return Pace(float(median(times)), len(times)) if len(times) >= MIN_TIMED else None


@dataclass(frozen=True)
class Agreement:
    """How well raters agree: Krippendorff's alpha (None: not defined), shared pairs, and the share of equal grades."""

    alpha: float | None
    n_pairs: int
    share_equal: float | None


def agreement_among(ratings: pd.DataFrame) -> Agreement:
    """Return the agreement over the pairs that at least two raters have graded; alpha with interval distances."""
    spread = _spread(ratings)
    shared = spread[spread["n_raters"] >= 2]
    if shared.empty:
        return Agreement(None, 0, None)
    return Agreement(agreement_of(ratings), len(shared), float((shared["spread"] == 0).mean()))


def disagreements(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return pairs with different grades, the widest apart first: query_id, doc_id, spread, a column per rater."""
    spread = _spread(ratings)
    differing = spread[spread["spread"] > 0].set_index(KEY)["spread"]
    if differing.empty:
        return pd.DataFrame(columns=[*KEY, "spread"])
    by_rater = ratings.pivot_table(index=KEY, columns="rater", values="grade", aggfunc="last")
    found = by_rater.loc[differing.index]
    found.insert(0, "spread", differing)
    found = found.rename_axis(columns=None).reset_index()
    return found.sort_values(["spread", *KEY], ascending=[False, True, True], ignore_index=True)


def _spread(ratings: pd.DataFrame) -> pd.DataFrame:
    grouped = ratings.groupby(KEY, sort=False)["grade"].agg(["size", "min", "max"]).reset_index()
    return grouped.assign(n_raters=grouped["size"], spread=grouped["max"] - grouped["min"])


def judgments_from(ratings: pd.DataFrame, ties: Ties, min_raters: int = 1) -> pd.DataFrame:
    """Return one judgment per pair that at least `min_raters` have graded: query_id, doc_id, grade.

    The grade is the median of the ratings; between two grades (an even number of raters) the next whole one `up`
    or `down`.
    """
    grouped = ratings.groupby(KEY, sort=False)["grade"].agg(["size", "median"]).reset_index()
    kept = grouped[grouped["size"] >= min_raters]
    middle = kept["median"].to_numpy(dtype=float)
    whole = np.floor(middle + 0.5) if ties == "up" else np.ceil(middle - 0.5)
    return kept[KEY].assign(grade=whole.astype("int64")).reset_index(drop=True)


def n_tied(ratings: pd.DataFrame, min_raters: int = 1) -> int:
    """Return how many judgments `judgments_from` rounds: their median lies between two grades."""
    grouped = ratings.groupby(KEY, sort=False)["grade"].agg(["size", "median"])
    middle = grouped.loc[grouped["size"] >= min_raters, "median"].to_numpy(dtype=float)
    return int((middle % 1.0 != 0.0).sum())


def by_rater(marks: Sequence[Mapping[str, Any]], raters: Sequence[str]) -> pd.DataFrame:
    """Return one row per rater: rater, n_judged, mean_grade (NaN without any), seconds (median; NaN below 10)."""
    ratings = ratings_of(marks)
    rows = []
    for rater in raters:
        mine = ratings[ratings["rater"] == rater]["grade"]
        pace = pace_of([mark for mark in marks if mark["rater"] == rater])
        rows.append(
            {
                "rater": rater,
                "n_judged": len(mine),
                "mean_grade": float(mine.mean()) if len(mine) else np.nan,
                "seconds": pace.seconds if pace else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["rater", "n_judged", "mean_grade", "seconds"])
