"""Where the next money goes, in words: the numbers of the result, in both languages, and every limit said."""

import copy
import re
from typing import Any, get_args

import pytest

from rerank.cost.business import Business
from rerank.decide.next_money import OPTION_STATUSES, OPTIONS
from rerank.figures.projected_curve import projected_curve
from rerank.report.advice import advice_of
from rerank.report.next_money import ASSUMPTIONS as CODES
from rerank.stats.learning_curve import CurveStatus
from rerank.wording.language import LANGUAGES, Say, speaker
from rerank.wording.next_money import (
    ASSUMPTIONS,
    CURVES,
    OPTION_NAMES,
    STATUSES,
    assumption_sentences,
    curve_sentence,
    fit_sentence,
    option_table,
    projection_table,
    recommendation,
    right_sentence,
)
from rerank.wording.numbers import delta, interval, share
from tests.report.test_next_money import QUALITY, executed, stored, usual

EN = speaker("en")
JPY = Business(currency="JPY", per_usd=150.0, rate_as_of="2026-11-20")


@pytest.fixture(scope="module")
def rising() -> dict[str, Any]:
    return stored(usual())


def said(say: Say, result: dict[str, Any], budget: float, business: Business | None = None) -> str:
    advice = advice_of(result, business, budget)
    assert advice is not None
    return recommendation(say, result, advice, business or Business())


def test_every_code_has_its_words() -> None:
    assert set(OPTION_NAMES) == set(OPTIONS)
    assert set(STATUSES) == set(OPTION_STATUSES)
    assert set(CURVES) == set(get_args(CurveStatus))
    assert set(ASSUMPTIONS) == set(CODES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recommendation_holds_the_numbers_of_the_result(rising: dict[str, Any], language: str) -> None:
    say = speaker(language)
    margin = rising["plan"]["margin"]
    offers = rising["next_money"]["options"][1]["offers"]
    wanted = next(item for item in offers if item["expected_gain"] >= margin)
    text = said(say, rising, wanted["cost_usd"])
    for part in (
        f"{wanted['n_queries']:,}",
        delta(wanted["expected_gain"]),
        interval(wanted["gain_low"], wanted["gain_high"]),
        share(wanted["probability_right"]),
        "nDCG@10",
    ):
        assert part in text
    assert "stop now" not in text


def test_stopping_says_why_and_from_which_amount_on_something_would_help(rising: dict[str, Any]) -> None:
    text = said(EN, rising, 20.0)
    assert text.startswith("With $20.00: buy nothing more. After the decision C is in use;")
    assert "the margin of 0.020 nDCG@10" in text
    wanted = next(item for item in rising["next_money"]["options"][1]["offers"] if item["expected_gain"] >= 0.02)
    assert f"From ${wanted['cost_usd']:,.2f} on, something would." in text
    assert "¥3,000" in said(EN, rising, 20.0, JPY)


def test_what_lies_beyond_four_times_the_queries_is_always_said(rising: dict[str, Any]) -> None:
    offers = rising["next_money"]["options"][1]["offers"]
    far = [item for item in offers if item["beyond"]]
    text = said(EN, rising, max(item["cost_usd"] for item in offers))
    assert "beyond 4 times the training queries of now" in text
    assert "Beyond 10 times nothing is projected." in text
    advice = advice_of(rising, None, far[0]["cost_usd"])
    assert advice is not None
    rows = option_table(EN, rising, advice, Business()).set_index("Option")
    assert "extrapolated" in rows.loc["Judge more queries", "Remark"]
    near = advice_of(rising, None, far[0]["cost_usd"] - 1)
    assert near is not None
    assert "extrapolated" not in option_table(EN, rising, near, Business())["Remark"].str.cat()


def test_a_gain_that_nobody_knows_is_not_a_number() -> None:
    result = stored(executed(60, quality=QUALITY | {"C": 0.6}), "collect_judgments", n_more_queries=60)
    advice = advice_of(result, None, 1000.0)
    assert advice is not None
    rows = option_table(EN, result, advice, Business()).set_index("Option")
    assert rows.loc["Judge more queries", "Expected gain"] == "–"
    assert rows.loc["Judge more queries", "95 % interval"] == "–"
    assert "Cannot tell" in rows.loc["Judge more queries", "Remark"]
    assert curve_sentence(EN, result).startswith("What more training queries bring cannot be told")


@pytest.mark.parametrize("status", [code for code in get_args(CurveStatus) if code not in ("projected", "plateau")])
def test_a_curve_that_cannot_tell_says_so_and_why(rising: dict[str, Any], status: str) -> None:
    result = copy.deepcopy(rising)
    result["next_money"]["curve"]["status"] = status
    assert "cannot be told" in curve_sentence(EN, result)


def test_table_and_figure_show_the_same_projection(rising: dict[str, Any]) -> None:
    points = rising["next_money"]["curve"]["points"]
    shown = projection_table(EN, rising)
    assert list(shown["Extrapolated"]) == ["yes" if point["beyond"] else "no" for point in points]
    assert curve_sentence(EN, rising).count(delta(points[9]["growth"])) == 1  # 4 times the queries
    figure = projected_curve(EN, rising)
    band, near, beyond, measured = figure.data
    assert list(band.y[: len(points)]) == [point["kpi_high"] for point in points]
    assert (near.x[0], near.x[-1]) == (40, 160)
    assert (beyond.x[0], beyond.x[-1]) == (160, 400)
    assert beyond.line.dash == "dot"
    assert list(measured.x) == [4, 10, 20, 40]
    assert figure.layout.shapes[0].x0 == 160
    assert figure.layout.shapes[0].name == "4 times the training queries"


def test_a_fitted_curve_says_on_how_many_points_and_trainings_it_rests(rising: dict[str, Any]) -> None:
    result = copy.deepcopy(rising)
    result["plan"]["seeds"] = [1]
    text = "This rests on 4 points (trainings behind each: {}) and assumes that more training queries never hurt."
    for status in ("projected", "plateau"):
        result["next_money"]["curve"]["status"] = status
        assert curve_sentence(EN, result).endswith(text.format("1"))
    result["plan"]["seeds"] = [1, 2, 3]
    assert curve_sentence(EN, result).endswith(text.format("1 to 3"))
    assert "fitted to all 4 points" in fit_sentence(EN, result)


def test_the_probability_says_where_training_luck_is_not_in_it(rising: dict[str, Any]) -> None:
    result = copy.deepcopy(rising)
    result["plan"]["seeds"] = [1]
    assert "training luck" in right_sentence(EN, result)
    result["plan"]["seeds"] = [1, 2]
    assert "training luck" not in right_sentence(EN, result)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_assumption_that_counts_is_said_without_gaps(rising: dict[str, Any], language: str) -> None:
    lines = assumption_sentences(speaker(language), rising)
    assert len(lines) == len({code for item in rising["next_money"]["options"] for code in item["assumptions"]})
    assert not re.search(r"[{}]", "".join(lines))
