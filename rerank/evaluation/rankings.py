"""Rankings: scores to an order without ties."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_MAGNITUDE, _SIGN = 0x7FFFFFFF, 0x80000000  # of the bits of a single-precision number
_INFINITE = 0x7F800000
_FURTHER_THAN_ANY = 1 << 33  # more steps than lie between any two of them


def strictly_decreasing(scores: NDArray[np.float64], lists: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Return scores, best first, lowered by the least that single precision needs to part ties.

    trec_eval reads scores as C floats and breaks ties by document id; a run without ties is read the same
    way by every tool. lists: the number of each score's list, ascending; a single list without it. Scores are not NaN.
    """
    # Single-precision numbers in their order, as whole numbers one step apart; both zeros are 0.
    bits = scores.astype(np.float32).view(np.int32).astype(np.int64)
    steps = np.where(bits >= 0, bits, -(bits & _MAGNITUDE))
    # s[i] = min(steps[i], s[i - 1] - 1), as a running minimum of what is i steps higher; each list lies below the last.
    place = np.arange(len(steps)) - (0 if lists is None else lists * _FURTHER_THAN_ANY)
    parted = np.maximum(np.minimum.accumulate(steps + place) - place, -_INFINITE)
    return np.asarray(np.where(parted >= 0, parted, -parted | _SIGN).astype(np.uint32).view(np.float32))


def ranking_of(candidates: pd.DataFrame, scores: NDArray[np.float64] | NDArray[np.float32]) -> pd.DataFrame:
    """Return candidates re-ranked by `scores` (aligned with the rows): query_id, doc_id, rank, score.

    Ties keep the first stage's order. Queries stay in their order of first appearance.
    """
    raw = np.asarray(scores, dtype=np.float64)
    queries = pd.factorize(candidates["query_id"])[0].astype(np.int64)
    order = np.lexsort((candidates["rank"].to_numpy(), -raw, queries))
    queries = queries[order]
    frame = candidates[["query_id", "doc_id"]].take(order).reset_index(drop=True)
    frame["rank"] = np.arange(len(order)) - np.searchsorted(queries, queries) + 1
    frame["score"] = strictly_decreasing(raw[order], queries).astype(np.float64)
    return frame


def oracle_ranking(candidates: pd.DataFrame, judgments: pd.DataFrame) -> pd.DataFrame:
    """Return the best possible re-ranking of the candidates: by grade, unjudged as grade 0."""
    graded = candidates.merge(judgments, on=["query_id", "doc_id"], how="left")
    return ranking_of(candidates, graded["grade"].fillna(0).to_numpy(dtype=np.float64))


def kendall_tau(before: pd.DataFrame, after: pd.DataFrame) -> float | None:
    """Return the mean over queries of Kendall's tau between two rankings of the same candidates.

    Queries with fewer than two candidates do not count; None when none is left.
    """
    from scipy.stats import kendalltau

    joined = before.merge(after, on=["query_id", "doc_id"], suffixes=("_before", "_after"))
    taus = [
        float(kendalltau(part["rank_before"], part["rank_after"]).statistic)
        for _, part in joined.groupby("query_id")
        if len(part) > 1
    ]
    return float(np.mean(taus)) if taus else None
