"""Money in words: the same numbers in both languages, each currency in its own form, no gain never sold as one."""

import dataclasses
import datetime
import re

import pytest

from rerank.cost.benefit import Gain, Ranged
from rerank.cost.business import Business
from rerank.cost.prices import Price, current_prices
from rerank.figures.kpi_cost import kpi_against_cost
from rerank.figures.payback import balances, payback
from rerank.figures.style import NEUTRAL
from rerank.report.money import money_of
from rerank.wording.amounts import amount, amounts
from rerank.wording.business import assumption_table
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.money import (
    background_sentences,
    criteria,
    gain_sentence,
    money_sentences,
    money_table,
    projection_sentence,
    projection_table,
    stated_sentence,
)
from rerank.wording.names import strategy_name
from rerank.wording.prices import old_prices
from tests.report.test_money import BUSINESS, RESULT

EN, JA = speaker("en"), speaker("ja")
EUR = Business(currency="EUR", per_usd=0.9, rate_as_of="2026-11-20")
JPY = Business(currency="JPY", per_usd=150.0, rate_as_of="2026-11-20")
FULL = dataclasses.replace(
    BUSINESS, n_judges=2, judge_hours_per_week=5.0, max_latency_ms=150.0, max_serving_per_1k=0.2, gpu="H100 80GB"
)
MONEY = money_of(RESULT, FULL)


@pytest.mark.parametrize(
    ("value", "business", "english", "japanese"),
    [
        (1234.5, Business(), "$1,234", "$1,234"),
        (10.0, EUR, "€9.00", "€9.00"),
        (10.0, JPY, "¥1,500", "1,500円"),
        (-10.0, JPY, "−¥1,500", "−1,500円"),
        (0.001, JPY, "< ¥1", "< 1円"),
        (0.0, JPY, "¥0", "0円"),
        (None, JPY, "–", "–"),
    ],
)
def test_an_amount_is_in_the_users_currency_and_yen_have_no_decimals(
    value: float | None, business: Business, english: str, japanese: str
) -> None:
    assert (amount(EN, value, business), amount(JA, value, business)) == (english, japanese)


def test_a_range_of_amounts_names_both_ends() -> None:
    assert amounts(EN, Ranged(10, -2, 20), JPY) == "¥1,500 (−¥300 to ¥3,000)"
    assert amounts(EN, None, JPY) == amounts(EN, Ranged(None, None, None), JPY) == "–"


def test_success_at_one_is_said_in_searches() -> None:
    assert gain_sentence(EN, Gain(0.06, 0.02, 0.10), "Success@1") == (
        "Of 100 searches, 6 more have a relevant document first; plausible range 2 to 10."
    )
    assert gain_sentence(EN, Gain(0.06, 0.02, 0.10), "nDCG@10").startswith("Assuming that +0.01 nDCG@10 is one more")


def test_an_interval_with_zero_is_no_gain_and_one_below_a_decline() -> None:
    assert gain_sentence(EN, Gain(0.02, -0.01, 0.05), "Success@1") == (
        "No gain in Success@1 is shown: of 100 searches between −1 and 5 more would succeed."
    )
    assert gain_sentence(EN, Gain(-0.05, -0.08, -0.02), "Success@1").startswith("A decline in Success@1 is shown")


def test_what_a_manager_reads_first_is_cost_gain_and_when_it_pays() -> None:
    assert money_sentences(EN, MONEY) == [
        "C costs $754.80 over 12 months: $502.00 once, 2 × $52.00 for training again, $28.80 to serve 288,000 "
        "searches, $10.00 a month of upkeep.",
        "Of 100 searches, 6 more have a relevant document first; plausible range 2 to 10.",
        "Over 12 months that is worth $8,640 ($2,880 to $14,400).",
        "Return on what is spent: +1,045% (between +282% and +1,808%).",
        "It pays back: month 2 (at best month 1, at worst month 4).",
        "Break-even traffic, searches per month: 2,023 (at best 1,212, at worst 6,111); you have 12,000 now.",
        "C→D costs $6.00 more than C and brings $1,440 (−$1,440 to $4,320); in Success@1: no gain shown, 95 % interval "
        "[−0.010, +0.030].",
    ]


def test_without_a_shown_gain_no_return_and_no_break_even_are_given() -> None:
    money = money_of({**RESULT, "decision": {**RESULT["decision"], "single_strategy": "embedding"}}, FULL)
    said = " ".join(money_sentences(EN, money))
    assert "No gain in Success@1 is shown" in said
    assert "No return and no break-even is given" in said
    assert "pays back" not in said
    row = money_table(EN, money).set_index("Strategy").loc["Embedding"]
    assert {row["Return"], row["Break-even month"], row["Break-even traffic"]} == {"no gain shown"}


def test_without_assumptions_it_is_said_what_is_missing() -> None:
    money = money_of(RESULT, None)
    said = money_sentences(EN, money)
    assert said[0] == "C costs $2.00 once and $0.100 per 1,000 searches. The cost of integration is counted as 0."
    assert said[-2].startswith("Give searches per month")
    assert stated_sentence(EN, money.business) == "No business assumptions were given."
    assert "Benefit" not in money_table(EN, money)


def test_the_three_criteria_are_weighed_for_the_recommended_strategy() -> None:
    scale, capacity, limits = criteria(EN, RESULT, MONEY)["C"]
    # .06 of 13,000 searches in the first month and of 35,000 in the last.
    assert scale == (
        "12,000 searches a month now, 36,000 in 12 months. More successful searches: +780 in the first month, +2,100 "
        "in the last one (gain shown)."
    )
    # Two judges, 5 h a week, half a minute each: 1,200; 200 are 1.7 h of 10 h a week, a working day.
    assert capacity == "1,200 judgments a week. The 200 judgments that come next take 1 working days and cost $50.00."
    assert limits == (
        "p95 latency 180 ms exceeds 150 ms. This limit is shown and does not decide: one that decides is a guardrail "
        "of the plan. 1,000 searches at $0.100 are within $0.200."
    )
    locked = criteria(EN, RESULT | {"plan": RESULT["plan"] | {"guardrails": {"max_p95_latency_ms": 170.0}}}, MONEY)[
        "C"
    ][2]
    assert locked == (
        "p95 latency 180 ms breaks the plan's guardrail of 170 ms. p95 latency 180 ms exceeds 150 ms. 1,000 searches "
        "at $0.100 are within $0.200."
    )


def test_latency_and_serving_cost_are_shown_where_no_limit_was_given() -> None:
    limits = criteria(EN, RESULT, money_of(RESULT, BUSINESS))["C"][2]
    assert limits == "p95 latency 180 ms; 1,000 searches cost $0.100 to serve. Not given: what you accept of both."


def test_a_projection_is_always_called_one_with_its_source() -> None:
    assert projection_sentence(EN, MONEY).startswith(
        "A projection, not a measurement: this CPU's seconds divided by 30"
    )
    assert projection_sentence(EN, MONEY).endswith("Source of the ratio: a rule of thumb, not a measurement.")
    assert all(name == "Strategy" or name.startswith("Projected: ") for name in projection_table(EN, MONEY))
    assert projection_sentence(EN, money_of(RESULT, BUSINESS)) == ""


def test_predicted_stands_beside_measured_with_the_error() -> None:
    said = background_sentences(EN, RESULT, MONEY)
    assert "Predicted before: 1.7 h (70 min to 2.7 h); measured after: 2.0 h. Prediction error: +20%." in said
    assert any(line.startswith("Estimate of its energy") for line in said)


def numbers_of(text: str) -> list[str]:
    found = re.findall(r"\d[\d,.]*", re.sub("1位|1米ドル|1時間", "", text))  # digits only in Japanese
    return sorted(number.strip(".,") for number in found)


def test_both_languages_say_the_same_numbers() -> None:
    yen = dataclasses.replace(
        FULL, currency="JPY", per_usd=150.0, rate_as_of="2026-11-20", stated_at="2026-11-25T01:00"
    )
    money = money_of(RESULT, yen)
    for build in (
        lambda say: money_sentences(say, money),
        lambda say: [stated_sentence(say, yen), projection_sentence(say, money)],
        lambda say: [str(cell) for cell in money_table(say, money).to_numpy().ravel()],
        lambda say: [str(cell) for cell in assumption_table(say, yen)[say("Value")]],
    ):
        english, japanese = ("\n".join(build(say)) for say in (EN, JA))
        assert english != japanese
        assert not re.search(r"[{}]", english + japanese)
        assert numbers_of(japanese) == numbers_of(english)


def test_old_prices_and_assumptions_are_named() -> None:
    old = Price("gpu", "H100", "hour", 1.0, "2020", "x")
    said = old_prices(EN, [old, *current_prices()], datetime.date(2026, 11, 25))
    assert said[0] == "More than a year old: H100."
    assert said[1].startswith("Assumptions to be replaced: 8 vCPU")
    assert old_prices(EN, [dataclasses.replace(old, as_of="2026")], datetime.date(2026, 11, 25)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frontier_greys_what_is_dominated_and_joins_the_rest(language: str) -> None:
    say = speaker(language)
    line, *points = kpi_against_cost(say, MONEY, "nDCG@10").data
    costs = {name: option.total_usd for name, option in MONEY.options.items()}
    assert list(line.x) == sorted(cost for name, cost in costs.items() if name != "C-then-D")
    assert [point.x[0] for point in points] == list(costs.values())
    grey = [point.marker.color == NEUTRAL and not point.text[0] for point in points]
    assert grey == [False, False, False, True]
    assert [bool(point.text[0]) for point in points] == [True, True, True, False]
    bars = {
        name: (point.error_y.arrayminus[0], point.error_y.array[0]) for name, point in zip(costs, points, strict=True)
    }
    assert bars["C"] == pytest.approx((0.03, 0.03))


def test_what_is_recommended_and_the_best_trained_one_are_named_though_others_dominate_them() -> None:
    worse = {
        name: dataclasses.replace(option, dominated_by=None if name == "embedding" else "embedding")
        for name, option in MONEY.options.items()
    }

    def named(recommended: str | None) -> list[str]:
        money = dataclasses.replace(MONEY, options=worse, recommended=recommended)
        return [point.text[0] for point in kpi_against_cost(EN, money, "nDCG@10").data[1:] if point.text[0]]

    trained = max((name for name in worse if name.startswith("C")), key=lambda name: worse[name].kpi)
    assert named(None) == ["Embedding", strategy_name(EN, trained)]
    other = next(name for name in worse if name.startswith("C") and name != trained)
    assert set(named(other)) == {"Embedding", strategy_name(EN, trained), strategy_name(EN, other)}


def test_the_payback_figure_shows_the_balance_in_the_users_currency() -> None:
    yen = dataclasses.replace(BUSINESS, currency="JPY", per_usd=150.0, rate_as_of="2026-11-20", value_per_success=75.0)
    money = money_of(RESULT, yen)
    option = money.options["C"]
    found = balances(money, option)
    assert option.net_usd is not None
    assert [found[-1].value, found[-1].low, found[-1].high] == pytest.approx(
        [150 * option.net_usd.value, 150 * option.net_usd.low, 150 * option.net_usd.high]  # type: ignore[operator]
    )
    assert list(payback(EN, money, option).data[1].y) == [item.value for item in found]
    assert balances(money_of(RESULT, None), option) == []
