"""Measures by name, computed by ir_measures with trec_eval's conventions."""

import re
from collections.abc import Sequence
from typing import Any

import ir_measures
import pandas as pd

from rerank.errors import RerankError

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
    run = ranking[ranking["query_id"].isin(wanted)]
    qrels = judgments[judgments["query_id"].isin(wanted)]
    run = run.rename(columns={"query_id": "query_id", "doc_id": "doc_id"})[["query_id", "doc_id", "score"]]
    qrels = qrels.rename(columns={"grade": "relevance"})[["query_id", "doc_id", "relevance"]]
    found: dict[tuple[str, str], float] = {}
    if len(run):
        for metric in ir_measures.iter_calc(list(by_object), qrels, run):
            found[(str(metric.query_id), by_object[metric.measure])] = float(metric.value)
    rows = [(query_id, name, found.get((query_id, name), 0.0)) for query_id in query_ids for name in measures]
    return pd.DataFrame(rows, columns=["query_id", "measure", "value"])
