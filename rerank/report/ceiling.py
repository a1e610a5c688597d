"""What re-ranking could reach at best, how much of it was taken, and what only better retrieval could give."""

from typing import Any

import pandas as pd

from rerank.evaluation.measures import scores_in_one_pass
from rerank.evaluation.rankings import oracle_ranking, ranking_of
from rerank.report.comparisons import FIRST, scores_of
from rerank.report.ran import Ran
from rerank.stats.captured import captured_share


def ceiling_record(ran: Ran, by_seed: pd.DataFrame) -> dict[str, Any]:
    """Return the KPI today, of a perfect order of the candidates and of all judged documents in perfect order.

    `captured`: each strategy's share of the room between the first two.
    """
    measure, judgments = ran.plan.primary_measure, ran.dataset.judgments
    everything = judgments.assign(rank=judgments.groupby("query_id").cumcount() + 1)
    cases = [
        (oracle_ranking(ran.candidates, judgments), judgments),
        (ranking_of(everything, judgments["grade"].to_numpy(dtype=float)), judgments),
    ]
    oracle, ideal = scores_in_one_pass(cases, ran.test_queries, measure, ran.plan.relevant_grade)
    first = scores_of(ran, by_seed, FIRST, measure)
    captured = {}
    for run in ran.runs:
        if run.name != FIRST:
            found = captured_share(first, scores_of(ran, by_seed, run.name, measure), oracle)
            captured[run.name] = {
                "share": found.share if found else None,
                "ci_low": found.low if found else None,
                "ci_high": found.high if found else None,
            }
    return {
        "first_stage": float(first.values.mean()),
        "oracle": float(oracle.mean()),
        "ideal": float(ideal.mean()),
        "captured": captured,
    }
