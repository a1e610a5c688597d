"""Power against published numbers, statsmodels and a simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from rerank.planning.power import (
    SD_BETWEEN_RERANKERS,
    SD_FIRST_STAGE,
    Question,
    minimum_detectable_effect,
    queries_needed,
    spreads,
)


@pytest.mark.parametrize(("n", "golden"), [(50, 0.040), (100, 0.028), (200, 0.020), (500, 0.013)])
def test_minimum_detectable_effect_at_the_usual_spread(n: int, golden: float) -> None:
    assert round(minimum_detectable_effect(n, SD_BETWEEN_RERANKERS), 3) == golden
    normal = 2.8015 * 0.1 / n**0.5  # the normal approximation leaves out that the SD is estimated
    assert normal < minimum_detectable_effect(n, 0.1) < normal * (1 + 1.2 / n)


@pytest.mark.parametrize(
    ("delta", "question", "golden"),
    [
        # The published ones by the normal approximation, 197/155/215, 88/69/96 and 32/25/35, and what the t adds.
        (0.02, "difference", 197 + 2),
        (0.02, "not_worse", 155 + 1),
        (0.02, "equivalence", 215 + 1),
        (0.03, "difference", 88 + 2),
        (0.03, "not_worse", 69 + 2),
        (0.03, "equivalence", 96 + 1),
        (0.05, "difference", 32 + 2),
        (0.05, "not_worse", 25 + 2),
        (0.05, "equivalence", 35 + 1),
    ],
)
def test_queries_needed_at_the_usual_spread(delta: float, question: Question, golden: int) -> None:
    assert queries_needed(delta, SD_BETWEEN_RERANKERS, question) == golden


@pytest.mark.parametrize(("comparisons", "factor"), [(1, 1.0), (2, 1.21), (3, 1.33), (4, 1.42)])
def test_holms_worst_step_multiplies_the_queries(comparisons: int, factor: float) -> None:
    alone = queries_needed(0.002, 0.1, "difference")
    assert queries_needed(0.002, 0.1, "difference", comparisons=comparisons) / alone == pytest.approx(factor, abs=0.005)
    smaller = minimum_detectable_effect(20_000, 0.1)
    assert (minimum_detectable_effect(20_000, 0.1, comparisons=comparisons) / smaller) ** 2 == pytest.approx(
        factor, abs=0.005
    )


def test_equivalence_is_tested_at_alpha_itself_whatever_the_family() -> None:
    assert queries_needed(0.02, 0.1, "equivalence", comparisons=4) == 216
    assert queries_needed(0.02, 0.1, "not_worse", comparisons=4) == 156


@pytest.mark.parametrize("power", [0.8, 0.9])
@pytest.mark.parametrize("delta", [0.02, 0.03, 0.05])
def test_the_queries_for_a_difference_are_those_of_statsmodels(delta: float, power: float) -> None:
    exact = TTestPower().solve_power(effect_size=delta / 0.1, alpha=0.05, power=power)
    assert queries_needed(delta, 0.1, "difference", power=power) == math.ceil(exact)


@pytest.mark.parametrize("n", [15, 25, 100])
@pytest.mark.parametrize("comparisons", [1, 2])
def test_the_detectable_effect_is_that_of_statsmodels(n: int, comparisons: int) -> None:
    """Few queries and a shared α are where the normal approximation was off: .75 (25 queries, 2 questions)."""
    effect = minimum_detectable_effect(n, 0.1, comparisons=comparisons)
    assert TTestPower().power(effect / 0.1, n, 0.05 / comparisons) == pytest.approx(0.8, abs=1e-4)


def test_few_and_very_many_queries() -> None:
    assert minimum_detectable_effect(1, 0.1) == math.inf
    assert queries_needed(0.5, 0.1, "difference") == 3
    assert queries_needed(0.0001, 0.4, "difference") == pytest.approx((2.801585 * 4000) ** 2, rel=1e-6)


def test_an_effect_of_that_size_is_found_with_that_power() -> None:
    effect = minimum_detectable_effect(80, 0.1)
    draws = np.random.default_rng(6).normal(effect, 0.1, (4000, 80))
    found = stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.025)


def test_equivalence_is_shown_as_often_as_promised() -> None:
    n = queries_needed(0.03, 0.1, "equivalence")
    draws = np.random.default_rng(4).normal(0, 0.1, (4000, n))
    mean, se = draws.mean(axis=1), draws.std(axis=1, ddof=1) / n**0.5
    shown = stats.t.sf((0.03 - np.abs(mean)) / se, n - 1) < 0.05
    assert shown.mean() == pytest.approx(0.8, abs=0.03)


def test_questions_invert_each_other() -> None:
    effect = minimum_detectable_effect(150, SD_FIRST_STAGE, alpha=0.01, power=0.9, comparisons=2)
    assert queries_needed(effect, SD_FIRST_STAGE, "difference", alpha=0.01, power=0.9, comparisons=2) in (150, 151)


def test_no_queries_detect_nothing() -> None:
    assert minimum_detectable_effect(0, 0.1) == math.inf


@pytest.mark.parametrize("delta", [0.0, -0.02])
def test_a_difference_of_nothing_has_no_number_of_queries(delta: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        queries_needed(delta, 0.1, "difference")


@pytest.mark.parametrize("sd", [0.08, 0.19, 0.4])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_other_questions_are_those_of_statsmodels_too(sd: float, alpha: float) -> None:
    """A true difference of 0 lies δ from each margin: one one-sided test, or two of which each must hold."""
    margin = 0.03
    for question, power in (("not_worse", 0.8), ("equivalence", 0.9)):
        exact = TTestPower().solve_power(effect_size=margin / sd, alpha=alpha, power=power, alternative="larger")
        assert queries_needed(margin, sd, question, alpha=alpha) == math.ceil(exact)  # type: ignore[arg-type]


def test_a_pilot_replaces_the_typical_spread_and_keeps_its_proportion() -> None:
    assert spreads(None) == (SD_FIRST_STAGE, SD_BETWEEN_RERANKERS)
    assert spreads(0.38) == (0.38, pytest.approx(0.2))
    assert spreads(0.0) == spreads(None)  # two orders that never differ tell nothing about a third
