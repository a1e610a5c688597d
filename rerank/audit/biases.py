"""What a teacher prefers among documents that the human grades alike, and how steady it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.audit.intervals import Measured, mean_of, percentile_interval, resampled
from rerank.audit.pairs import KEY, UNJUDGED, place_of
from rerank.stats.compare import MIN_QUERIES

# Positions that follow the first stage's order this closely cannot be told from what the documents deserve.
SEPARABLE = 0.5
WEIGHTS = ("xy", "xx", "yy")


def _sums(frame: pd.DataFrame, cells: list[str], x: NDArray[np.float64], y: NDArray[np.float64]) -> pd.DataFrame:
    """Return sums of products of deviations from the cells' means, by query."""
    parts = frame[["query_id"]].assign(x=x, y=y)
    keys = [frame[name] for name in cells]
    parts["x"] -= parts.groupby(keys)["x"].transform("mean")
    parts["y"] -= parts.groupby(keys)["y"].transform("mean")
    parts = parts.assign(xy=parts["x"] * parts["y"], xx=parts["x"] ** 2, yy=parts["y"] ** 2)
    found = parts.groupby("query_id", sort=False)[list(WEIGHTS)].sum()
    return found[(found["xx"] > 0) & (found["yy"] > 0)]


def _ratio(sums: NDArray[np.float64], *, slope: bool) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        below = sums[..., 1] if slope else np.sqrt(sums[..., 1] * sums[..., 2])
        return np.asarray(sums[..., 0] / below)


def _measured(sums: pd.DataFrame, seed: int, *, slope: bool) -> Measured:
    table = sums[list(WEIGHTS)].to_numpy(dtype=np.float64)
    n = len(table)
    if n == 0:
        return Measured()
    value = float(_ratio(table.sum(axis=0), slope=slope))
    if n < MIN_QUERIES:
        return Measured(value, n=n)
    low, high = percentile_interval(_ratio(resampled(n, seed) @ table, slope=slope))
    return Measured(value, low, high, n)


def preferences_of(rows: pd.DataFrame, column: str, scored: Sequence[str] = ("teacher",)) -> pd.DataFrame:
    """Return by query how an order goes with a column of the rows: sums of products of ranks (`WEIGHTS`).

    scored: the columns whose orders are looked at; those of several trainings of one model are summed. Only documents
    that the human grades alike are compared with each other (same query, same grade): there the teacher's error is
    its order. Otherwise any noise would look like a bias against what relevant documents have in common. Unjudged
    documents do not count.
    """
    judged = rows[rows["grade"] != UNJUDGED].reset_index(drop=True)
    if judged.empty:
        return pd.DataFrame(columns=list(WEIGHTS))
    query = pd.factorize(judged["query_id"])
    cell = judged.groupby(["query_id", "grade"], sort=False).ngroup().to_numpy()
    size = np.bincount(cell)[cell].astype(np.float64)
    x = _deviations(judged[column], cell, size)
    sums = np.zeros((len(query[1]), len(WEIGHTS)))
    counted = np.zeros(len(sums), dtype=bool)
    for name in scored:
        y = _deviations(judged[name], cell, size)
        mine = np.stack([np.bincount(query[0], part) for part in (x * y, x * x, y * y)], axis=1)
        varies = (mine[:, 1] > 0) & (mine[:, 2] > 0)
        sums[varies] += mine[varies]
        counted |= varies
    return pd.DataFrame(sums[counted], index=query[1][counted], columns=list(WEIGHTS))


def _deviations(values: pd.Series, cell: NDArray[np.integer[Any]], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of values within their cell less the cell's mean, in parts of its size: 0 where all are tied."""
    return np.asarray((values.groupby(cell).rank().to_numpy(dtype=np.float64) - (size + 1) / 2) / size)


def preference(sums: pd.DataFrame, seed: int) -> Measured:
    """Return Spearman's correlation of a teacher's error with a column of the rows, -1 to 1, by `preferences_of`.

    Ranks are taken within query and grade, products summed over all; the interval is a bootstrap over queries.
    """
    return _measured(sums, seed, slope=False)


def preference_difference(reference: pd.DataFrame, challenger: pd.DataFrame, seed: int) -> Measured:
    """Return how much larger `preference` is for the challenger than for the reference, -2 to 2.

    Both are resampled by the same queries, those on which both order documents that the human grades alike.
    """
    both = reference.merge(challenger, left_index=True, right_index=True, suffixes=("_reference", "_challenger"))
    n = len(both)
    if n == 0:
        return Measured()
    tables = [
        both[[f"{name}_{side}" for name in WEIGHTS]].to_numpy(dtype=np.float64) for side in ("reference", "challenger")
    ]
    before, after = (float(_ratio(table.sum(axis=0), slope=False)) for table in tables)
    if n < MIN_QUERIES:
        return Measured(after - before, n=n)
    drawn = resampled(n, seed)
    before_drawn, after_drawn = (_ratio(drawn @ table, slope=False) for table in tables)
    low, high = percentile_interval(after_drawn - before_drawn)
    return Measured(after - before, low, high, n)


def _answered(rows: pd.DataFrame, answer: pd.DataFrame) -> pd.DataFrame:
    """Return an answer's rows with place in the input and in the output (0 first to 1 last), and first-stage place."""
    found = rows[[*KEY, "grade", "rank"]].merge(answer, on=KEY, how="inner")
    found = found[found.groupby("query_id")["doc_id"].transform("size") > 1].reset_index(drop=True)
    if found.empty:
        return found.assign(put=[], out=[], first=[])
    return found.assign(
        put=place_of(found, "position", best_first=False),
        out=place_of(found, "score", best_first=True),
        first=place_of(found, "rank", best_first=False),
    )


def position_slope(
    rows: pd.DataFrame, positions: pd.DataFrame | None, again: pd.DataFrame | None, seed: int
) -> tuple[Measured, bool]:
    """Return the slope of a document's place in the teacher's order on its place in the input, and if it counts.

    Both places run from 0 to 1; the slope is taken within queries and grades. 0: the input's order does not matter;
    1: the teacher repeats it. Answers whose input followed the first stage's order do not count (False) when there
    are no shuffled ones: a good first stage would look like a bias.
    """
    answers: list[pd.DataFrame] = []
    if positions is not None:
        answers.append(
            rows[KEY].assign(score=rows["teacher"]).merge(positions[[*KEY, "position"]], on=KEY, how="inner")
        )
    if again is not None and "position" in again:
        known = again[again["position"].notna()]
        answers += [part[[*KEY, "score", "position"]] for _, part in known.groupby(["asked", "round"], sort=True)]
    whole = [found for answer in answers if len(found := _answered(rows, answer))]
    free = [found for found in whole if abs(_follows(found)) <= SEPARABLE]
    used = free or whole
    if not used:
        return Measured(), False
    parts = [
        _sums(found, ["query_id", "grade"], found["put"].to_numpy(), found["out"].to_numpy()).reset_index()
        for found in used
    ]
    sums = pd.concat(parts).groupby("query_id", sort=False)[list(WEIGHTS)].sum()
    return _measured(sums, seed, slope=True), bool(free)


def _follows(found: pd.DataFrame) -> float:
    """Return the correlation of input places with first-stage places within queries."""
    sums = _sums(found, ["query_id"], found["put"].to_numpy(), found["first"].to_numpy())
    return float(_ratio(sums.to_numpy(dtype=np.float64).sum(axis=0), slope=False)) if len(sums) else 0.0


def turned_pairs(rows: pd.DataFrame, again: pd.DataFrame | None, asked: str) -> Measured:
    """Return the share of document pairs that stand the other way round when the teacher is asked again, 0 to 1.

    asked: "shuffled" or "repeated", against the answer that was asked first if it is given, else against the teacher's
    scores: what was made of several answers agrees with each of them by construction. Pairs that are tied in one of
    the answers do not count. Mean over rounds, then over queries. (1 - share) - share is Kendall's tau without ties.
    """
    if again is None:
        return Measured()
    before = rows[[*KEY, "teacher"]]
    first = again[again["asked"] == "first"]
    if len(first):
        before = rows[KEY].merge(first[[*KEY, "score"]].rename(columns={"score": "teacher"}), on=KEY)
    shares: dict[str, list[float]] = {}
    for (query_id, _), part in again[again["asked"] == asked].groupby(["query_id", "round"], sort=True):
        mine = before[before["query_id"] == query_id].merge(part[[*KEY, "score"]], on=KEY)
        one, other = mine["teacher"].to_numpy(dtype=np.float64), mine["score"].to_numpy(dtype=np.float64)
        upper = np.triu_indices(len(mine), 1)
        signs = (np.sign(one[:, None] - one[None, :]) * np.sign(other[:, None] - other[None, :]))[upper]
        if (signs != 0).any():
            shares.setdefault(str(query_id), []).append(float((signs < 0).sum() / (signs != 0).sum()))
    return mean_of(np.array([np.mean(values) for values in shares.values()]), 0, 1)
