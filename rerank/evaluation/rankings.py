"""Rankings: scores to an order without ties."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def strictly_decreasing(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the scores, best first, lowered by the least that single precision needs to part ties.

    trec_eval reads scores as C floats and breaks ties by document id; a run without ties is read the same
    way by every tool.
    """
    limited = scores.astype(np.float32)
    for index in range(1, len(limited)):
        below = np.nextafter(limited[index - 1], np.float32(-np.inf))
        limited[index] = min(limited[index], below)
    return limited


def ranking_of(candidates: pd.DataFrame, scores: NDArray[np.float64] | NDArray[np.float32]) -> pd.DataFrame:
    """Return candidates re-ranked by `scores` (aligned with the rows): query_id, doc_id, rank, score.

    Ties keep the first stage's order. Queries stay in their order of first appearance.
    """
    frame = candidates[["query_id", "doc_id"]].copy()
    frame["first"] = candidates["rank"].to_numpy()
    frame["raw"] = np.asarray(scores, dtype=np.float64)
    frame["place"] = pd.factorize(frame["query_id"])[0]
    frame = frame.sort_values(["place", "raw", "first"], ascending=[True, False, True], kind="stable")
    parts = [strictly_decreasing(part["raw"].to_numpy()) for _, part in frame.groupby("place", sort=True)]
    frame["score"] = np.concatenate(parts).astype(np.float64) if parts else []
    frame["rank"] = frame.groupby("place").cumcount() + 1
    return frame[["query_id", "doc_id", "rank", "score"]].reset_index(drop=True)


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
