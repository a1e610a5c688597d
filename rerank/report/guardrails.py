"""The plan's guardrails in a result: every strategy held against each."""

from typing import Any

import numpy as np
import pandas as pd

from rerank.decide.guardrails import check_guardrails
from rerank.report.comparisons import FIRST, scores_of
from rerank.report.ran import Ran


def guardrails_of(ran: Ran, by_seed: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the guardrails as they stand in `result.json`; empty when the plan set none.

    by_seed: strategy, seed, query_id, measure, value.
    """
    primary, recall = ran.plan.primary_measure, f"R@{ran.plan.first_stage.depth}"
    segment_of = dict(zip(ran.dataset.queries["query_id"], ran.dataset.queries["segment"], strict=True))
    segments = [str(segment_of[query]) for query in ran.test_queries]
    first = scores_of(ran, by_seed, FIRST, primary).values.mean(axis=0)
    found: dict[str, dict[str, Any]] = {}
    for run in ran.runs:
        scores = scores_of(ran, by_seed, run.name, primary)
        for check in check_guardrails(
            ran.plan.guardrails,
            latencies_ms=np.array(run.latencies_ms or (), dtype=np.float64),
            recalls=scores_of(ran, by_seed, run.name, recall).values.mean(axis=0),
            differences=scores.values.mean(axis=0) - first,
            segments=segments,
            trained=[scores.values] if scores.trained else [],
        ):
            of = check.measured
            mine = {
                "value": of.value if of else None,
                "low": of.low if of else None,
                "high": of.high if of else None,
                "n": of.n if of else 0,
                "status": check.status,
                "certain": check.certain,
                "segment": of.segment if of else None,
            }
            entry = found.setdefault(check.guardrail, {"guardrail": check.guardrail, "limit": check.limit})
            entry.setdefault("strategies", {})[run.name] = mine
    return list(found.values())
