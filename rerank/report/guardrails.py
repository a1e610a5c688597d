"""The plan's guardrails in a result: every strategy held against each."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.decide.guardrails import check_guardrails
from rerank.report.comparisons import FIRST
from rerank.report.ran import Ran


def guardrails_of(ran: Ran, means: pd.DataFrame, strategies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the guardrails as they stand in `result.json`; empty when the plan set none.

    means: strategy, query_id, measure, value. strategies: the records of `result.json`.
    """
    primary = ran.plan.primary_measure
    wide = means[means["measure"] == primary].pivot(index="query_id", columns="strategy", values="value")
    wide = wide.loc[list(ran.test_queries)]
    segment_of = dict(zip(ran.dataset.queries["query_id"], ran.dataset.queries["segment"], strict=True))
    segments = [str(segment_of[query]) for query in wide.index]
    found: dict[str, dict[str, Any]] = {}
    for name, record in strategies.items():
        for check in check_guardrails(
            ran.plan.guardrails,
            p95_latency_ms=record["latency_ms"]["p95"],
            recall=record["measures"][f"R@{ran.plan.first_stage.depth}"],
            differences=(wide[name] - wide[FIRST]).to_numpy(dtype=float),
            segments=segments,
        ):
            mine = {"value": check.value, "status": check.status, "segment": check.segment}
            entry = found.setdefault(check.guardrail, {"guardrail": check.guardrail, "limit": check.limit})
            entry.setdefault("strategies", {})[name] = mine
    return list(found.values())
