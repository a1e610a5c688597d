"""A result in money, every number against a calculation by hand."""

import copy
import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from rerank.cost.benefit import Ranged
from rerank.cost.business import Business
from rerank.cost.prices import Price, current_prices
from rerank.cost.teachers import paid_usd, teacher_usd, training_usd
from rerank.report.decision import decision_with
from rerank.report.money import money_of, net_benefits, options_of
from rerank.report.recount import at_prices
from rerank.stats.comparison import Comparison
from rerank.wording.amounts import teacher_amount
from rerank.wording.language import speaker

# 3,600 s of a device at 2 an hour: one training costs 2; 180 ms a search: .10 per 1,000.
DEVICE = {"kind": "cpu", "item": "our server", "unit": "hour", "usd": 2.0, "as_of": "2026-11", "source": "x"}
LABOUR = {"kind": "labour", "item": "judge", "unit": "hour", "usd": 30.0, "as_of": "2026-11", "source": "x"}
# 12,000 searches a month become 36,000: 288,000 in a year. A success is worth .50. Trained again after 4 and 8 months.
BUSINESS = Business(
    searches_per_month=12_000,
    searches_per_month_later=36_000,
    value_per_success=0.5,
    retrain_every_months=4,
    judgments_per_training=200,
    setup_cost=500,
    upkeep_per_month=10,
)


def compared(
    reference: str, challenger: str, measure: str, delta: float, half: float, *, confirmatory: bool = False
) -> dict[str, Any]:
    record = dict.fromkeys(Comparison.__dataclass_fields__)
    return record | {
        "reference": reference,
        "challenger": challenger,
        "measure": measure,
        "delta": delta,
        "ci_low": delta - half,
        "ci_high": delta + half,
        "confirmatory": confirmatory,
        "verdict": "better" if delta > half else "inconclusive",
        "negligible": False,
        "n_queries": 100,
        "margin": 0.02,
        "reasons": [],
    }


def strategy(kpi: float, success: float, train: float, serve: float, p95: float | None) -> dict[str, Any]:
    return {
        "measures": {"nDCG@10": kpi, "Success@1": success},
        "cost": {"train_usd": train, "teacher_usd": 0.0, "serve_usd_per_1k_queries": serve},
        "latency_ms": {"p95": p95},
    }


RESULT: dict[str, Any] = {
    "device": {"kind": "cpu", "name": "AMD EPYC"},
    "dataset": {"n_judgments": 1000, "n_queries": 100},
    "plan": {
        "primary_measure": "nDCG@10",
        "teacher": "embedding",
        "strategies": ["first-stage", "embedding", "C", "C-then-D"],
        "margin": 0.02,
        "alpha": 0.05,
        "split": {"kind": "kfold", "test_share": 0.4},
    },
    "first_stage": {"oracle": 0.9},
    "strategies": {
        "first-stage": strategy(0.50, 0.40, 0.0, 0.9, 1.0),
        "embedding": strategy(0.51, 0.41, 0.0, 0.02, 20.0),
        "C": strategy(0.56, 0.46, 2.0, 0.1, 180.0),
        "C-then-D": strategy(0.555, 0.47, 4.0, 0.1, 190.0),
    },
    "comparisons": [
        compared("first-stage", "C", "nDCG@10", 0.06, 0.03, confirmatory=True),
        compared("C", "C-then-D", "nDCG@10", -0.005, 0.01, confirmatory=True),
        compared("first-stage", "embedding", "nDCG@10", 0.01, 0.02),
        compared("first-stage", "C-then-D", "nDCG@10", 0.055, 0.03),
        compared("embedding", "C", "nDCG@10", 0.05, 0.02),
        compared("first-stage", "embedding", "Success@1", 0.01, 0.05),
        compared("first-stage", "C", "Success@1", 0.06, 0.04),
        compared("first-stage", "C-then-D", "Success@1", 0.07, 0.04),
        compared("C", "C-then-D", "Success@1", 0.01, 0.02),
    ],
    "teacher_audit": {"colour": "green"},
    "decision": {
        "code": "adopt_single_stage",
        "reasons": ["single_better", "second_inconclusive"],
        "would_change": ["better_teacher"],
        "next_numbers": {"delta": 0.06},
        "single_strategy": "C",
        "second_strategy": "C-then-D",
    },
    "cost": {
        "device_price": DEVICE,
        "labour_price": LABOUR,
        "judging_usd": 250.0,
        "job_device_seconds": 7200.0,
        "job_usd": 4.0,
        "forecast": {"seconds": 6000.0, "seconds_low": 4200.0, "seconds_high": 9600.0},
    },
}


def about(found: Ranged | None, *expected: float) -> bool:
    return found is not None and (found.value, found.low, found.high) == pytest.approx(expected)


def test_the_total_of_a_strategy_is_what_is_paid_once_again_monthly_and_per_search() -> None:
    option = options_of(RESULT, BUSINESS)["C"]
    # Once: 2 + 500. Again: 2 + 200 x .5 min x 30 an hour = 52, twice. 12 x 10. 288 x .10 = 28.8.
    assert option.spending.setup_usd == 502
    assert option.spending.retraining_usd == pytest.approx(52)
    assert option.serving_usd == pytest.approx(28.8)
    assert option.total_usd == pytest.approx(502 + 104 + 120 + 28.8)


def test_todays_search_costs_nothing_more_and_what_is_untrained_is_not_trained_again() -> None:
    options = options_of(RESULT, BUSINESS)
    assert options["first-stage"].total_usd == 0
    assert options["embedding"].total_usd == pytest.approx(500 + 120 + 288 * 0.02)


def test_the_benefit_is_gain_times_searches_times_value_with_the_gains_interval() -> None:
    option = options_of(RESULT, BUSINESS)["C"]
    # .06 (.02 to .10) of 288,000 searches at .50 each.
    assert about(option.more_successes, 17_280, 5_760, 28_800)
    assert about(option.benefit_usd, 8_640, 2_880, 14_400)
    assert about(option.net_usd, 8_640 - 754.8, 2_880 - 754.8, 14_400 - 754.8)
    assert about(option.returns, (8_640 - 754.8) / 754.8, (2_880 - 754.8) / 754.8, (14_400 - 754.8) / 754.8)
    # Fixed 726 over 12 months; a search brings .03 (.05 at best, .01 at worst) and costs .0001.
    assert about(option.break_even_searches, 726 / 12 / 0.0299, 726 / 12 / 0.0499, 726 / 12 / 0.0099)
    # Month 1 has 13,000 searches, month 2 15,000: 390 and 450 at .03, 650 at .05; 130 to 350 a month at .01.
    # Value: -502 + 389 - 10 < 0 < -502 - 20 + 837. Best: -512 + 649 > 0. Worst: the sums of .0099 x searches are 129,
    # 277, 446, 634, 842, 1,069, ...; spent are 512, 522, 532, 542, 604, ...: ahead from month 4 on.
    assert about(option.break_even_month, 2, 1, 4)


def test_each_point_of_the_kpi_has_its_cost() -> None:
    # Six points (3 to 9) for 754.8: the upper end of the gain is the lower end of the cost.
    assert about(options_of(RESULT, BUSINESS)["C"].usd_per_point, 754.8 / 6, 754.8 / 9, 754.8 / 3)


def test_where_no_gain_is_shown_there_is_a_benefit_with_its_range_but_no_return() -> None:
    option = options_of(RESULT, BUSINESS)["embedding"]
    assert option.success is not None
    assert option.success.code == "no_gain_shown"
    assert about(option.benefit_usd, 1_440, -5_760, 8_640)
    assert (option.returns, option.break_even_month, option.break_even_searches) == (None, None, None)
    assert option.usd_per_point is None


def test_the_kpi_itself_can_be_assumed_to_count_successes() -> None:
    option = options_of(RESULT, dataclasses.replace(BUSINESS, success_measure="kpi"))["C-then-D"]
    assert about(option.more_successes, 0.055 * 288_000, 0.025 * 288_000, 0.085 * 288_000)


def test_without_traffic_or_value_nothing_is_earned_and_only_what_is_paid_once_counts() -> None:
    option = options_of(RESULT, Business())["C"]
    assert (option.total_usd, option.benefit_usd, option.more_successes) == (2.0, None, None)
    option = options_of(RESULT, dataclasses.replace(BUSINESS, value_per_success=None))["C"]
    assert option.benefit_usd is None
    assert option.more_successes is not None


def test_another_currency_changes_what_was_given_and_not_what_was_measured() -> None:
    yen = dataclasses.replace(
        BUSINESS,
        currency="JPY",
        per_usd=150.0,
        rate_as_of="2026-11-20",
        value_per_success=75.0,
        setup_cost=75_000.0,
        upkeep_per_month=1_500.0,
    )
    one, two = options_of(RESULT, yen)["C"], options_of(RESULT, BUSINESS)["C"]
    assert one.total_usd == pytest.approx(two.total_usd)
    assert one.benefit_usd is not None
    assert about(two.benefit_usd, *filter(None, dataclasses.astuple(one.benefit_usd)))


def test_the_dearer_and_worse_option_is_dominated() -> None:
    options = options_of(RESULT, BUSINESS)
    assert [option.dominated_by for option in options.values()] == [None, None, None, "C"]


def test_controls_are_no_options() -> None:
    longer = {**RESULT["strategies"], "C-long": RESULT["strategies"]["C"], "C-long+fusion": RESULT["strategies"]["C"]}
    assert list(options_of({**RESULT, "strategies": longer}, BUSINESS)) == list(RESULT["strategies"])


def test_limits_are_kept_or_not_and_unknown_without_one() -> None:
    limits = dataclasses.replace(BUSINESS, max_latency_ms=180.0, max_serving_per_1k=0.05)
    found = {name: (item.within_latency, item.within_serving) for name, item in options_of(RESULT, limits).items()}
    assert found == {
        "first-stage": (None, None),
        "embedding": (True, True),
        "C": (True, False),
        "C-then-D": (False, False),
    }
    assert options_of(RESULT, BUSINESS)["C"].within_latency is None


def test_the_second_stage_is_held_against_the_single_one() -> None:
    step = money_of(RESULT, BUSINESS).step
    assert step is not None
    assert step.extra_usd == pytest.approx(2 + 2 * 2)  # 2 more once and each time again
    assert about(step.benefit_usd, 1_440, -1_440, 4_320)


def test_the_proof_of_concept_its_prediction_and_its_energy_stand_apart() -> None:
    business = dataclasses.replace(BUSINESS, watts=500.0, grid="Japan grid", minutes_per_judgment=1.0)
    money = money_of(RESULT, business, current_prices())
    assert (money.poc_usd, money.poc_judging_usd) == (4.0, pytest.approx(500))  # 1,000 minutes at 30 an hour
    assert money.prediction_error == pytest.approx(0.2)  # 7,200 s of 6,000
    assert money.energy is not None
    assert (money.energy.kwh, money.energy.co2e_g) == pytest.approx((1.0, 485.0))


def test_judges_are_asked_for_what_the_decision_asks_for_else_for_a_retraining() -> None:
    able = dataclasses.replace(BUSINESS, n_judges=2, judge_hours_per_week=5.0)
    work = money_of(RESULT, able).judging
    assert work is not None
    assert (work.n_judgments, work.usd) == (200, pytest.approx(50))
    asked = copy.deepcopy(RESULT)
    asked["decision"]["next_numbers"]["n_more_queries"] = 60  # of ten judgments each
    more = money_of(asked, able).judging
    assert more is not None
    assert (more.n_judgments, more.hours, more.working_days) == (600, 5.0, 2.5)
    assert money_of(RESULT, BUSINESS).judging is None


def test_a_cpu_is_projected_to_a_gpu_and_a_gpu_to_nothing() -> None:
    gpu = Price("gpu", "L4", "hour", 0.8, "2026-11", "x")
    business = dataclasses.replace(BUSINESS, gpu="L4", speed_ratio=20.0, speed_ratio_low=10.0, speed_ratio_high=40.0)
    money = money_of(RESULT, business, [*current_prices(), gpu])
    row = next(item for item in money.projected if item.strategy == "C")
    # One training is an hour: 3 minutes at .80 an hour are .04; 6 at 10 x, 1.5 at 40 x.
    assert about(row.train_usd, 0.04, 0.02, 0.08)
    assert about(row.p95_ms, 9, 4.5, 18)
    # Three trainings and 28.80 of serving are 17.4 h: .696 on the GPU; the other 720 is paid to people.
    assert about(row.total_usd, 720 + 0.696, 720 + 0.348, 720 + 1.392)
    on_gpu = {**RESULT, "device": {"kind": "cuda", "name": "NVIDIA L4"}}
    assert money_of(on_gpu, business, [*current_prices(), gpu]).projected == ()


def test_what_changing_over_brings_is_known_for_every_compared_pair() -> None:
    net = net_benefits(RESULT, BUSINESS)
    assert net[("first-stage", "C")] == pytest.approx(8_640 - 754.8)
    assert net[("C", "C-then-D")] == pytest.approx(1_440 - 6)
    # .05 more successes at 144,000 in all, for 754.8 instead of 625.76.
    assert net[("embedding", "C")] == pytest.approx(7_200 - (754.8 - 625.76))
    assert net_benefits(RESULT, None) == net_benefits(RESULT, Business()) == {}


def test_a_decision_changes_when_a_gain_is_worth_less_than_it_costs_and_only_then() -> None:
    assert decision_with(RESULT, net_benefits(RESULT, BUSINESS)) is None
    assert decision_with(RESULT, {}) is None
    poor = decision_with(RESULT, net_benefits(RESULT, dataclasses.replace(BUSINESS, value_per_success=0.01)))
    assert poor is not None
    assert (poor["code"], poor["reasons"][:2]) == ("stop", ["single_better", "single_too_dear"])


def test_other_prices_count_a_stored_result_again_and_leave_what_was_spent() -> None:
    dearer = [Price(**{**DEVICE, "usd": 6.0}), Price(**{**LABOUR, "usd": 15.0})]
    found = at_prices(RESULT, dearer)
    assert found["strategies"]["C"]["cost"] == pytest.approx(
        {"train_usd": 6.0, "teacher_usd": 0.0, "serve_usd_per_1k_queries": 0.3}
    )
    assert (found["cost"]["judging_usd"], found["cost"]["job_usd"]) == (125.0, 4.0)
    assert found["cost"]["counted_at_run"] == {"device_price": DEVICE, "labour_price": LABOUR}
    assert RESULT["strategies"]["C"]["cost"]["train_usd"] == 2.0
    assert at_prices(RESULT, [Price(**DEVICE), Price(**LABOUR)]) == RESULT


def test_an_uploaded_teacher_costs_what_the_user_says_and_nothing_is_made_up() -> None:
    """By hand: C→D trains for 4 USD; 30 euros at 0.5 euros a dollar are 60 USD; two trainings in 12 months at 6."""
    uploaded = RESULT | {"plan": RESULT["plan"] | {"teacher": "uploaded"}}
    plain = replace(BUSINESS, currency="EUR", per_usd=0.5, rate_as_of="2026-01-01", setup_cost=0, teacher_cost=None)
    assert teacher_usd(uploaded, plain, "C-then-D") is None
    assert teacher_amount(speaker("en"), uploaded, plain, "C-then-D") == "not stated"
    assert training_usd(uploaded, plain, "C-then-D") == 4.0
    stated = replace(plain, teacher_cost=30.0)
    assert teacher_usd(uploaded, stated, "C-then-D") == 60.0
    assert training_usd(uploaded, stated, "C-then-D") == paid_usd(uploaded, stated, "C-then-D") + 4.0 == 64.0
    assert teacher_amount(speaker("en"), uploaded, stated, "C-then-D") == "€30.00"
    assert (teacher_usd(uploaded, stated, "C"), teacher_usd(RESULT, stated, "C-then-D")) == (0.0, 0.0)
    assert paid_usd(RESULT, stated, "C-then-D") == 0.0
    without, counted = (money_of(uploaded, item).options["C-then-D"].spending for item in (plain, stated))
    assert counted.setup_usd - without.setup_usd == pytest.approx(60)
    assert counted.retraining_usd - without.retraining_usd == pytest.approx(60)
