"""How far teacher and human agree on judged documents."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.audit.intervals import Measured, mean_of, percentile_interval, resampled, share_of
from rerank.audit.pairs import judged_queries
from rerank.stats.compare import MIN_QUERIES

Binning = Literal["as_given", "per_query_marginals"]


def tau_by_query(rows: pd.DataFrame) -> pd.Series:
    """Return Kendall's tau-b between teacher and grades by query_id; queries where it is undefined are absent."""
    from scipy.stats import kendalltau

    found = {}
    for query_id, part in judged_queries(rows).groupby("query_id", sort=False):
        tau = float(kendalltau(part["teacher"], part["grade"]).statistic)
        # A teacher that gives everything the same score orders nothing: no agreement, no disagreement.
        found[str(query_id)] = tau if np.isfinite(tau) else 0.0
    return pd.Series(found, dtype=np.float64)


def kendall(rows: pd.DataFrame) -> Measured:
    """Return the mean over queries of tau-b between teacher and grades of judged documents."""
    return mean_of(tau_by_query(rows).to_numpy(dtype=np.float64), -1, 1)


def top_one(rows: pd.DataFrame, relevant_grade: int) -> Measured:
    """Return the share of queries whose first document, by the teacher, is relevant; unjudged is not relevant."""
    ordered = rows.sort_values(["teacher", "rank"], ascending=[False, True], kind="stable")
    first = ordered.groupby("query_id", sort=False).head(1)
    return share_of((first["grade"] >= relevant_grade).to_numpy())


def binned(rows: pd.DataFrame, binning: Binning) -> pd.DataFrame:
    """Return the judged rows of queries with several grades, with the teacher's grade as `said`.

    "as_given": its scores are grades already, rounded and kept within the judgments' range. "per_query_marginals":
    in every query the teacher gives each grade as often as the human did, the best ones to what it ranks first;
    ties by the first stage. That compares orders and says nothing about the teacher's own scale.
    """
    judged = judged_queries(rows)
    if judged.empty:
        return judged.assign(said=pd.Series(dtype=int))
    if binning == "as_given":
        low, high = int(judged["grade"].min()), int(judged["grade"].max())
        said = np.floor(judged["teacher"].to_numpy(dtype=np.float64) + 0.5).clip(low, high).astype(int)
        return judged.assign(said=said)
    places = pd.factorize(judged["query_id"])[0]
    judged = judged.assign(place=places)
    ordered = judged.sort_values(["place", "teacher", "rank"], ascending=[True, False, True], kind="stable")
    grades = judged.sort_values(["place", "grade"], ascending=[True, False], kind="stable")["grade"]
    return ordered.assign(said=grades.to_numpy()).drop(columns="place").reset_index(drop=True)


def _weighted_kappa(table: NDArray[np.float64], grades: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quadratic-weighted kappa of confusion tables (..., n_grades, n_grades); Cohen 1968."""
    total = table.sum(axis=(-2, -1))
    weights = (grades[:, None] - grades[None, :]) ** 2
    expected = table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = expected / total[..., None, None]
        return np.asarray(1 - (weights * table).sum(axis=(-2, -1)) / (weights * expected).sum(axis=(-2, -1)))


def kappa(rows: pd.DataFrame, binning: Binning, seed: int) -> tuple[Measured, list[dict[str, Any]]]:
    """Return quadratic-weighted kappa and the confusion table (human, teacher, n).

    Interval: percentiles of bootstrap samples of queries, whose pairs stay together. Needs more than one grade.
    """
    judged = binned(rows, binning)
    if judged.empty:
        return Measured(), []
    grades = np.array(sorted(set(judged["grade"]) | set(judged["said"])))
    place = {int(grade): number for number, grade in enumerate(grades)}
    queries = pd.factorize(judged["query_id"])[0]
    tables = np.zeros((int(queries.max()) + 1, len(grades), len(grades)))
    human = judged["grade"].map(place).to_numpy()
    said = judged["said"].map(place).to_numpy()
    np.add.at(tables, (queries, human, said), 1)
    whole = tables.sum(axis=0)
    scale = grades.astype(np.float64)
    value = float(_weighted_kappa(whole, scale))
    n = len(tables)
    low: float | None = None
    high: float | None = None
    if n >= MIN_QUERIES:
        samples = np.tensordot(resampled(n, seed), tables, axes=1)
        low, high = percentile_interval(_weighted_kappa(samples, scale))
    confusion = [
        {"human": int(one), "teacher": int(other), "n": int(whole[i, j])}
        for i, one in enumerate(grades)
        for j, other in enumerate(grades)
    ]
    return Measured(value, low, high, n), confusion
