"""Where the next money goes: every option of a result, its cost by hand, its limits, and what a budget buys."""

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from rerank.cost.business import Business
from rerank.cost.prices import Price, current_prices
from rerank.decide.next_money import OPTION_STATUSES, OPTIONS
from rerank.planning.plan import LearningCurve
from rerank.report.advice import advice_of, budgets_of, offers_of, usual_budget
from rerank.report.curve import curve_scores
from rerank.report.next_money import ASSUMPTIONS, FACTORS, next_money
from rerank.report.per_query import seed_scores
from rerank.report.ran import CurvePoint, Ran
from rerank.wording.language import speaker
from rerank.wording.next_money import option_table, recommendation
from rerank.wording.numbers import NOTHING
from tests.executed import QUALITY, executed

N_QUERIES = 60
CEILING = 0.95
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
        points.append(CurvePoint(strategy, share, round(40 * share), 0.5, {1: next(iter(part.rankings.values()))}))
    plan = dataclasses.replace(ran.plan, learning_curve=LearningCurve(tuple(curve)[:-1], (strategy,)))
    return dataclasses.replace(ran, plan=plan, curve=tuple(points))


def stored(ran: Ran, code: str = "adopt_single_stage", reasons: Sequence[str] = (), **numbers: Any) -> dict[str, Any]:
    """The part of a result that options are read from."""
    names = [run.name for run in ran.runs]
    result: dict[str, Any] = {
        "plan": {"margin": ran.plan.margin, "primary_measure": ran.plan.primary_measure, "seeds": list(ran.plan.seeds)},
        "first_stage": {"oracle": CEILING},
        "dataset": {"n_test_queries": len(ran.test_queries)},
        "cost": {"device_price": dataclasses.asdict(DEVICE), "labour_price": dataclasses.asdict(JUDGE)},
        "decision": {
            "code": code,
            "reasons": list(reasons),
            "next_numbers": numbers,
            "single_strategy": "C",
            "second_strategy": "C-then-D" if "C-then-D" in names else None,
        },
    }
    by_seed, scores = seed_scores(ran), curve_scores(ran)
    points = scores.groupby(["strategy", "share"], sort=False)["value"].mean()
    result["learning_curve"] = [
        {
            "strategy": point.strategy,
            "share": point.share,
            "n_train_queries": point.n_train,
            "n_seeds": len(point.rankings),
            "mean": points[point.strategy, point.share],
        }
        for point in ran.curve
    ]
    return result | {"next_money": next_money(ran, by_seed, scores, result, CEILING, None)}


@cache
def usual() -> Ran:
    """An execution with C's learning curve, which rises."""
    return with_curve()


def offers(result: dict[str, Any], code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = option(result, code)["offers"]
    return found


def option(result: dict[str, Any], code: str) -> dict[str, Any]:
    return next(item for item in result["next_money"]["options"] if item["option"] == code)


@pytest.fixture(scope="module")
def rising() -> dict[str, Any]:
    return stored(usual())


def test_every_option_stands_in_its_place_with_known_codes(rising: dict[str, Any]) -> None:
    found = rising["next_money"]
    assert tuple(item["option"] for item in found["options"]) == OPTIONS
    assert (found["strategy"], found["reference"], found["in_use"]) == ("C", "first-stage", "C")
    for item in found["options"]:
        assert item["status"] in OPTION_STATUSES
        assert set(item["assumptions"]) <= set(ASSUMPTIONS)


def test_judging_costs_judgments_time_and_trainings_as_by_hand(rising: dict[str, Any]) -> None:
    """60 queries again, as many judgments as there are now: each .25; 2 s of training, twice as long: .004."""
    ran = usual()
    n_judgments = len(ran.dataset.judgments)
    doubled = next(item for item in offers(rising, "label_queries") if item["n_queries"] == N_QUERIES)
    assert doubled["n_judgments"] == n_judgments
    assert doubled["device_seconds"] == 2 * (1.0 + 1.0)
    assert doubled["cost_usd"] == pytest.approx(0.25 * n_judgments + 0.004)
    costs = [item["cost_usd"] for item in offers(rising, "label_queries")]
    assert costs == sorted(costs)
    slower = offers_of(rising, Business(minutes_per_judgment=2.0), [])
    cost = next(item.cost_usd for item in slower if item.option == "label_queries" and item.n == N_QUERIES)
    assert cost == pytest.approx(1.00 * n_judgments + 0.004)  # 2 minutes at 30 an hour


def test_the_gain_of_what_is_in_use_is_the_curves_growth(rising: dict[str, Any]) -> None:
    points = rising["next_money"]["curve"]["points"]
    assert rising["next_money"]["curve"]["status"] == "projected"
    assert [point["n_train_queries"] for point in points] == [round(40 * factor) for factor in (1.0, *FACTORS)]
    for point, offer in zip(points[1:], offers(rising, "label_queries"), strict=True):
        assert offer["expected_gain"] == pytest.approx(point["growth"])
        assert (offer["gain_low"], offer["gain_high"]) == pytest.approx((point["growth_low"], point["growth_high"]))
    gains = [item["expected_gain"] for item in offers(rising, "label_queries")]
    assert gains == sorted(gains)
    assert gains[0] > 0


def test_beyond_four_times_is_marked_and_beyond_ten_times_there_is_nothing(rising: dict[str, Any]) -> None:
    marked = {item["n_queries"]: item["beyond"] for item in offers(rising, "label_queries")}
    assert marked[3 * N_QUERIES] is False
    assert marked[4 * N_QUERIES] is True
    assert max(marked) == 9 * N_QUERIES


def test_the_second_stage_is_what_was_measured_and_never_guessed(rising: dict[str, Any]) -> None:
    ran = usual()
    scores = seed_scores(ran)
    means = scores[scores["measure"] == "nDCG@10"].groupby("strategy")["value"].mean()
    (offer,) = offers(rising, "second_stage")
    assert offer["expected_gain"] == pytest.approx(means["C-then-D"] - means["C"], abs=0.002)
    assert option(rising, "second_stage")["status"] == "not_shown"
    quality = {name: QUALITY[name] for name in ("first-stage", "embedding", "C")}
    alone = executed(N_QUERIES, quality=quality)
    for strategies, status in ((tuple(quality), "not_planned"), ((*quality, "C-then-D"), "not_measured")):
        plan = dataclasses.replace(alone.plan, strategies=strategies)
        found = option(stored(dataclasses.replace(alone, plan=plan)), "second_stage")
        assert (found["status"], found["offers"]) == (status, [])


def test_a_second_stage_that_the_decision_adds_is_recommended_and_a_dear_one_not() -> None:
    ran = executed(N_QUERIES, quality=QUALITY | {"C": 0.6, "C-then-D": 2.0})
    result = stored(ran, "add_second_stage")
    advice = advice_of(result, None, 1.0, [])
    assert advice is not None
    assert advice.recommended.option == "second_stage"
    result["next_money"]["options"][3]["status"] = "too_dear"
    other = advice_of(result, None, 1.0, [])
    assert other is not None
    assert other.recommended.option == "stop_now"


def test_a_strategy_that_breaks_a_guardrail_is_shown_and_not_recommended() -> None:
    result = stored(usual(), reasons=["single_breaks_guardrail", "second_breaks_guardrail"])
    assert option(result, "label_queries")["status"] == option(result, "second_stage")["status"] == "breaks_guardrail"
    advice = advice_of(result, None, 1e6, [])
    assert advice is not None
    assert advice.recommended.option == "stop_now"
    assert {code for code, offer in advice.rows if offer is not None} >= {"label_queries", "second_stage"}


def test_without_a_curve_there_is_no_gain_and_the_probability_counts_queries_alone() -> None:
    for curve in ({}, {0.5: 0.9, 1.0: 1.0}):
        ran = with_curve(curve=curve) if curve else executed(N_QUERIES)
        found = stored(ran)
        item = option(found, "label_queries")
        assert item["status"] == "growth_unknown"
        assert "model_stays" in item["assumptions"]
        assert {offer["expected_gain"] for offer in item["offers"]} == {None}
        assert all(0 <= offer["probability_right"] <= 1 for offer in item["offers"])
        record = found["next_money"]["curve"]
        assert record is None or (record["status"], record["points"]) == ("too_few_points", [])


def test_teacher_scores_need_the_students_own_curve() -> None:
    assert option(stored(usual()), "teacher_scores")["status"] == "not_measured"
    quality = QUALITY | {"D": 1.1}
    assert option(stored(executed(N_QUERIES, quality=quality)), "teacher_scores")["status"] == "no_curve"


def test_teacher_scores_of_an_uploaded_teacher_cost_what_a_language_model_reads() -> None:
    """40 training queries again, each with 14 candidates of 256 tokens, at 2 USD a million; 4 s of trainings."""
    curve = {0.1: 0.3, 0.25: 0.6, 0.5: 0.9, 1.0: 1.4}
    result = stored(with_curve("D", curve, teacher="uploaded"))
    item = option(result, "teacher_scores")
    assert (item["status"], item["strategy"]) == ("counted", "D")
    assert {"teacher_as_language_model", "power_law"} <= set(item["assumptions"])
    doubled = next(offer for offer in item["offers"] if offer["n_queries"] == 40)
    assert doubled["n_teacher_tokens"] == 40 * 14 * 256
    assert doubled["n_judgments"] == 0
    costs = {}
    for prices in ([LANGUAGE_MODEL], []):
        found = [offer for offer in offers_of(result, None, prices) if offer.option == "teacher_scores"]
        costs[len(prices)] = {offer.n: offer.cost_usd for offer in found}
    assert costs[1][40] == pytest.approx(40 * 14 * 256 * 2e-6 + 0.004)
    assert set(costs[0].values()) == {None}


def test_what_the_decision_asks_for_is_among_the_offers_and_is_the_usual_budget() -> None:
    ran = executed(N_QUERIES, quality=QUALITY | {"C": 0.5})
    result = stored(ran, "collect_judgments", n_more_queries=37, n_more_to_judge=37)
    assert result["next_money"]["in_use"] == "first-stage"
    wanted = next(item for item in offers(result, "label_queries") if item["n_queries"] == 37)
    found = offers_of(result, None, [])
    budget = usual_budget(result, found, budgets_of(found))
    smaller = [amount for amount in budgets_of(found) if amount < budget]
    assert max(smaller) < wanted["cost_usd"] <= budget


def test_a_free_baseline_that_the_decision_names_is_what_a_challenger_must_beat() -> None:
    found = stored(usual(), "adopt_free_baseline", strategy="embedding")["next_money"]
    assert (found["reference"], found["in_use"]) == ("embedding", "embedding")


def test_budgets_are_round_and_reach_the_dearest_offer(rising: dict[str, Any]) -> None:
    found = offers_of(rising, None, current_prices())
    budgets = budgets_of(found)
    dearest = max(offer.cost_usd for offer in found if offer.cost_usd is not None)
    assert budgets[0] == 0
    assert budgets == sorted(set(budgets))
    assert budgets[-1] >= dearest > budgets[-2]
    assert all(f"{amount:.0e}"[0] in "125" for amount in budgets[1:])
    gains = []
    for budget in budgets:
        advice = advice_of(rising, None, budget, [])
        assert advice is not None
        assert advice.recommended.cost_usd is not None
        assert advice.recommended.cost_usd <= budget
        prospect = advice.recommended.prospect
        gains.append(prospect.expected_gain if prospect else None)
    assert gains == sorted(gains)  # more money never buys less


def test_a_result_without_a_tested_single_stage_has_no_options() -> None:
    assert stored(executed(12))["next_money"] is None
    assert advice_of({"next_money": None}, None) is None
    assert advice_of({}, None) is None


def test_the_same_execution_gives_the_same_options(rising: dict[str, Any]) -> None:
    assert stored(with_curve()) == rising


@pytest.mark.parametrize("reason", ["single_breaks_guardrail", "single_too_dear"])
def test_where_a_guardrail_or_the_cost_decided_nothing_is_bought_and_no_probability_is_named(reason: str) -> None:
    """The KPI gains: that the decision is right is no matter of the KPI."""
    result = stored(usual(), "stop", reasons=["single_better", reason])
    advice = advice_of(result, None, 1e6, [])
    assert advice is not None
    assert (advice.recommended.option, advice.from_usd) == ("stop_now", None)
    say = speaker("en")
    assert "not held back for want of data" in recommendation(say, result, advice, Business())
    table = option_table(say, result, advice, Business())
    assert set(table["Probability that the decision is right"]) == {NOTHING}


def test_errors_in_the_data_advise_nothing() -> None:
    assert stored(usual(), "repair_data", reasons=["data_has_errors"])["next_money"] is None
