"""What more money could buy: probabilities against formulas and simulation, and what a budget picks."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from rerank.decide.next_money import Offer, OptionStatus, Prospect, advise, experimenting, stopping, switching
from rerank.stats.more_queries import Outlook, outlook_of
from tests.stats.test_more_queries import observed

MARGIN = 0.02
SE = 0.01  # of 100 queries with SD .1


def outlook(delta: float, sd: float = 0.1, n: int = 100, luck: float = 0.0) -> Outlook:
    found = outlook_of(observed(delta, sd, n, luck))
    assert found is not None
    return found


@pytest.mark.parametrize("delta", [-0.01, 0.0, 0.015, 0.03])
def test_stopping_is_right_as_often_as_the_t_distribution_says(delta: float) -> None:
    """Theta has a t distribution around delta: right means above 0 when adopted, not above the margin when left."""
    found = outlook(delta)
    # 2.5 to 3 standard errors of 4,000 draws are .02.
    assert stopping(found, adopted=True).probability_right == pytest.approx(stats.t.cdf(delta / SE, 99), abs=0.025)
    left = stats.t.cdf((MARGIN - delta) / SE, 99)
    assert stopping(found, adopted=False).probability_right == pytest.approx(left, abs=0.025)
    assert stopping(found, adopted=False).expected_gain == 0


def test_changing_over_gains_what_was_measured_with_its_interval() -> None:
    found = switching(outlook(0.015))
    assert found.expected_gain == pytest.approx(0.015, abs=0.001)
    half = stats.t.ppf(0.975, 99) * SE
    assert found.gain_low == pytest.approx(0.015 - half, abs=0.002)
    assert found.gain_high == pytest.approx(0.015 + half, abs=0.002)
    assert found.probability_right == pytest.approx(stats.t.cdf(1.5, 99), abs=0.015)


def test_luck_that_is_in_the_observed_difference_makes_the_truth_less_certain() -> None:
    """The truth's variance is that of the queries plus one draw of luck: .01^2 + .02^2."""
    assert outlook(0.0, luck=0.02**2).truth.std() == pytest.approx((0.01**2 + 0.02**2) ** 0.5, rel=0.05)


@pytest.mark.parametrize(("delta", "n", "n_more", "growth"), [(0.015, 60, 120, 0.0), (0.01, 60, 180, 0.02)])
def test_an_experiment_is_as_good_as_when_every_query_is_drawn(
    delta: float, n: int, n_more: int, growth: float
) -> None:
    rng = np.random.default_rng(99)
    sd, worlds = 0.1, 4000
    shape = stats.norm.ppf((np.arange(n) + 0.5) / n)
    seen = delta + sd * (shape - shape.mean()) / shape.std(ddof=1)
    variance = (n - 1) * sd**2 / rng.chisquare(n - 1, worlds)
    truth = rng.normal(delta, np.sqrt(variance / n))
    further = rng.normal(truth[:, None], np.sqrt(variance)[:, None], (worlds, n_more))
    together = np.hstack([np.tile(seen, (worlds, 1)), further]) + growth
    adopts = (stats.ttest_1samp(together, 0, axis=1).pvalue < 0.025) & (together.mean(axis=1) > 0)
    right = np.where(adopts, truth + growth > 0, truth + growth <= MARGIN)
    drawn = np.full(4000, growth)
    found = experimenting(outlook(delta, sd, n), adopted=False, growth=drawn, n_more=n_more, alpha=0.025)
    assert found.probability_right == pytest.approx(right.mean(), abs=0.03)
    assert found.expected_gain == pytest.approx(np.where(adopts, truth + growth, 0).mean(), abs=0.002)
    high = np.quantile(np.where(adopts, truth + growth, 0), 0.975)
    assert found.gain_high == pytest.approx(high, abs=0.004)


def test_what_is_in_use_stays_and_gains_the_growth() -> None:
    growth = np.random.default_rng(1).gamma(2, 0.005, 4000)
    found = experimenting(outlook(0.08), adopted=True, growth=growth, n_more=100, alpha=0.025)
    assert found.expected_gain == pytest.approx(growth.mean())
    assert (found.gain_low, found.gain_high) == pytest.approx(tuple(np.quantile(growth, [0.025, 0.975])))
    assert found.probability_right == 1


def test_more_queries_make_a_right_decision_likelier() -> None:
    rows = [
        experimenting(outlook(0.02, n=40), adopted=False, growth=None, n_more=n_more, alpha=0.05)
        for n_more in (10, 40, 160, 640)
    ]
    rights = [row.probability_right for row in rows]
    assert rights == sorted(rights)
    assert rights[-1] > rights[0] + 0.1
    assert all((row.expected_gain, row.gain_low, row.gain_high) == (None, None, None) for row in rows)


def test_where_nothing_differs_leaving_it_is_right_and_nothing_is_gained() -> None:
    same = outlook_of(dataclasses.replace(observed(0.0, 0.1, 40), sd_queries=0.0, se=0.0, df=39.0))
    assert same is not None
    assert stopping(same, adopted=False).probability_right == 1
    found = experimenting(same, adopted=False, growth=np.zeros(4000), n_more=40, alpha=0.05)
    assert (found.expected_gain, found.probability_right) == (0, 1)


STOP = Offer("stop_now", "counted", 0, False, 0.0, Prospect(0.0, 0.0, 0.0, 0.6))


def label(n: int, cost: float | None, gain: float | None, right: float, status: OptionStatus = "counted") -> Offer:
    return Offer("label_queries", status, n, n > 400, cost, Prospect(gain, gain, gain, right))


def test_a_budget_buys_the_offer_that_gains_most_and_a_larger_one_never_less() -> None:
    offers = [STOP, label(50, 100, 0.021, 0.65), label(100, 200, 0.03, 0.7), label(200, 400, 0.03, 0.7)]
    picked = [advise(offers, budget, MARGIN).recommended for budget in (50, 100, 250, 1000)]
    assert [offer.n for offer in picked] == [0, 50, 100, 100]  # 200 queries gain no more than 100 and cost more
    assert advise(offers, 50, MARGIN).from_usd == 100
    assert advise(offers, 100, MARGIN).from_usd is None


@pytest.mark.parametrize(
    ("offer", "recommended"),
    [
        (label(50, 100, 0.02, 0.6), True),  # the margin itself
        (label(50, 100, 0.0199, 0.6), False),
        (label(50, 100, 0.001, 0.7), True),  # a right decision is likelier by .1
        (label(50, 100, None, 0.75), True),  # nobody knows the gain, but the decision becomes surer
        (label(50, 100, None, 0.65), False),
        (label(50, None, 0.05, 0.9), False),  # without a price nothing is bought
        (Offer("second_stage", "not_shown", 0, False, 10, Prospect(0.03, -0.01, 0.07, 0.93)), False),
        (Offer("second_stage", "too_dear", 0, False, 10, Prospect(0.03, 0.01, 0.05, 0.99)), False),
        (Offer("second_stage", "measured", 0, False, 10, Prospect(0.03, 0.01, 0.05, 0.99)), True),
    ],
)
def test_only_what_gains_the_margin_or_makes_a_decision_surer_is_recommended(offer: Offer, recommended: bool) -> None:
    advice = advise([STOP, offer], 100, MARGIN)
    assert (advice.recommended is offer) == recommended
    assert advice.recommended in (offer, STOP)
    assert {code for code, _ in advice.rows} == {"stop_now", offer.option}


def test_what_the_budget_does_not_buy_has_a_row_without_an_offer() -> None:
    advice = advise([STOP, label(50, 100, 0.05, 0.9)], 99, MARGIN)
    assert dict(advice.rows)["label_queries"] is None
    assert advice.recommended is STOP


def test_what_the_decision_names_is_recommended_wherever_the_budget_buys_it() -> None:
    """Neither the second stage's gain nor the judged queries reach the margin or make a decision much surer."""
    second = Offer("second_stage", "measured", 0, False, 10, Prospect(0.015, 0.005, 0.025, 0.6))
    larger = label(50, 100, 0.03, 0.65)
    assert advise([STOP, second, larger], 100, MARGIN).recommended is larger
    assert advise([STOP, second, larger], 100, MARGIN, decided="second_stage").recommended is second
    few, enough = label(50, 100, 0.001, 0.61), label(80, 160, 0.0, 0.61)
    asked = [STOP, few, enough]
    assert advise(asked, 200, MARGIN).recommended is STOP
    found = advise(asked, 200, MARGIN, decided="label_queries", n_decided=80)
    assert (found.recommended, dict(found.rows)["label_queries"]) == (enough, enough)
    short = advise(asked, 120, MARGIN, decided="label_queries", n_decided=80)
    assert (short.recommended, short.from_usd) == (STOP, 160)


def test_nothing_is_recommended_where_the_first_stage_comes_first() -> None:
    found = advise([STOP, label(50, 100, 0.05, 0.9)], 100, MARGIN, decided="stop_now")
    assert (found.recommended, found.from_usd) == (STOP, None)
