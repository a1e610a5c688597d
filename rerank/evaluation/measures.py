"""Measures by name, computed by ir_measures with trec_eval's conventions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import ir_measures
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.errors import RerankError

EXPONENTIAL = " exp"  # suffix of nDCG with the gain 2^grade - 1
_CUTOFF = re.compile(r"@(\d+)")
_BINARY = re.compile(r"^(RR|Success|P|AP|R)(@\d+)?$")


def measure_of(name: str, relevant_grade: int) -> Any:
    """Return the ir_measures object of a display name (`nDCG@10`, `RR@10`, `AP`, `R@50`, `Judged@10`).

    Binary measures count grades from `relevant_grade` on as relevant; nDCG has linear gain.
    Raises RerankError `unknown_measure`.
    """
    match = _BINARY.match(name)
    text = f"{match[1]}(rel={relevant_grade}){match[2] or ''}" if match else name
    try:
        return ir_measures.parse_measure(text)
    except (ValueError, NameError, KeyError, TypeError) as error:
        raise RerankError("unknown_measure", measure=name) from error


def per_query_scores(
    ranking: pd.DataFrame,
    judgments: pd.DataFrame,
    query_ids: Sequence[str],
    measures: Sequence[str],
    relevant_grade: int,
) -> pd.DataFrame:
    """Return one row per query and measure: query_id, measure, value; the same queries for every ranking.

    A query that the ranking lacks scores 0. Unjudged documents count as grade 0. `query_ids` are
    evaluable queries; a ranking's other queries are ignored. Linear gain.
    """
    by_object = {measure_of(name, relevant_grade): name for name in measures}
    wanted = set(query_ids)
    run = by_document(ranking[ranking["query_id"].isin(wanted)], "score")
    qrels = by_document(judgments[judgments["query_id"].isin(wanted)], "grade")
    found: dict[tuple[str, str], float] = {}
    if run:
        for metric in ir_measures.iter_calc(list(by_object), qrels, run):
            found[(str(metric.query_id), by_object[metric.measure])] = float(metric.value)
    rows = [(query_id, name, found.get((query_id, name), 0.0)) for query_id in query_ids for name in measures]
    return pd.DataFrame(rows, columns=["query_id", "measure", "value"])


def cutoff_of(name: str) -> int | None:
    """Return the number of first ranks that a measure looks at, None for all."""
    found = _CUTOFF.search(name)
    return int(found[1]) if found else None


def measured(
    lists: Sequence[tuple[Mapping[str, float], Mapping[str, int]]], measure: str, relevant_grade: int
) -> NDArray[np.float64]:
    """Return one measure of many lists at once: shape (n_lists,).

    A list is the scores and the grades of one query's documents by id, at least one of each. Linear gain.
    """
    metric = measure_of(measure, relevant_grade)
    run = {str(place): scores for place, (scores, _) in enumerate(lists) if scores}
    qrels = {str(place): grades for place, (_, grades) in enumerate(lists)}
    values = np.zeros(len(lists))
    if run:
        for found in ir_measures.iter_calc([metric], qrels, run):
            values[int(found.query_id)] = found.value
    return values


def scores_in_one_pass(
    cases: Sequence[tuple[pd.DataFrame, pd.DataFrame]], query_ids: Sequence[str], measure: str, relevant_grade: int
) -> NDArray[np.float64]:
    """Return one measure of many (ranking, judgments) pairs at once: shape (n_cases, n_queries).

    The same values as `per_query_scores`, many times faster: a frame that is in several cases is read once. A
    measure whose name ends in ` exp` is that measure with the gain 2^grade - 1 (Burges 2005) in place of the grade.
    """
    linear = measure.removesuffix(EXPONENTIAL)
    cutoff = cutoff_of(linear)
    rankings = {
        # What lies below the cut-off cannot count.
        id(ranking): by_document(ranking if cutoff is None else ranking[ranking["rank"] <= cutoff], "score")
        for ranking in {id(ranking): ranking for ranking, _ in cases}.values()
    }
    graded = {
        id(judgments): by_document(
            judgments if linear == measure else judgments.assign(grade=2 ** judgments["grade"] - 1), "grade"
        )
        for judgments in {id(judgments): judgments for _, judgments in cases}.values()
    }
    lists = [
        (rankings[id(ranking)].get(query_id, {}), graded[id(judgments)].get(query_id, {}))
        for ranking, judgments in cases
        for query_id in query_ids
    ]
    return measured(lists, linear, relevant_grade).reshape(len(cases), len(query_ids))


def by_document(frame: pd.DataFrame, column: str) -> dict[str, dict[str, Any]]:
    """Return a column's values by query_id and doc_id."""
    found: dict[str, dict[str, Any]] = {}
    rows = zip(frame["query_id"].tolist(), frame["doc_id"].tolist(), frame[column].tolist(), strict=True)
    for query_id, doc_id, value in rows:
        found.setdefault(query_id, {})[doc_id] = value
    return found
