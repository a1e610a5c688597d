"""Where the next money goes: every option of a result, its cost by hand, its limits, and what a budget buys."""

import dataclasses
from typing import Any

from rerank.cost.business import Business
from rerank.cost.prices import Price
from rerank.planning.plan import LearningCurve
from rerank.report.curve import curve_scores
from rerank.report.next_money import next_money
from rerank.report.per_query import seed_scores
from rerank.report.ran import CurvePoint, Ran
from tests.executed import QUALITY, executed

N_QUERIES = 60
DEVICE = Price("cpu", "our server", "hour", 3.6, "2026-11", "x")  # a second costs .001
JUDGE = Price("labour", "judge", "hour", 30.0, "2026-11", "x")  # half a minute costs .25
LANGUAGE_MODEL = Price("llm_input", "a model", "1M tokens", 2.0, "2026-11", "x")
CURVE = {0.1: 0.5, 0.25: 0.75, 0.5: 0.9, 1.0: 1.0}  # share of the training queries, quality of what they train


def with_curve(strategy: str = "C", curve: dict[float, float] = CURVE, **changes: Any) -> Ran:
    """An execution with a learning curve: the same strategy, worse where it had fewer queries."""
    quality = QUALITY | {"D": 1.1, strategy: curve[1.0]} if strategy == "D" else QUALITY | {strategy: curve[1.0]}
    ran = executed(N_QUERIES, quality=quality, **changes)
    points = []
    for share, value in curve.items():
        part = next(
            run for run in executed(N_QUERIES, quality=quality | {strategy: value}).runs if run.name == strategy
        )
        points.append(CurvePoint(strategy, share, round(40 * share), 0.5, {1: part.rankings[1]}))
    plan = dataclasses.replace(ran.plan, learning_curve=LearningCurve(tuple(curve)[:-1], (strategy,)))
    return dataclasses.replace(ran, plan=plan, curve=tuple(points))


def stored(
    ran: Ran, code: str = "adopt_single_stage", business: Business | None = None, **numbers: Any
) -> dict[str, Any]:
    """The part of a result that options are read from."""
    names = [run.name for run in ran.runs]
    result: dict[str, Any] = {
        "plan": {"margin": ran.plan.margin},
        "dataset": {"n_test_queries": len(ran.test_queries)},
        "cost": {"device_price": dataclasses.asdict(DEVICE), "labour_price": dataclasses.asdict(JUDGE)},
        "decision": {
            "code": code,
            "reasons": [],
            "next_numbers": numbers,
            "single_strategy": "C",
            "second_strategy": "C-then-D" if "C-then-D" in names else None,
        },
    }
    by_seed = seed_scores(ran)
    return result | {"next_money": next_money(ran, by_seed, curve_scores(ran), result, 0.95, business)}
