"""Traffic, spending and break-even, each against a calculation by hand."""

import pytest

from rerank.cost.benefit import (
    Gain,
    break_even_month,
    break_even_searches,
    cost_per_point,
    return_on,
)
from rerank.cost.frontier import dominated_by
from rerank.cost.horizon import Horizon, Spending, balance_usd

FLAT = Horizon(months=12, searches_now=10_000, searches_later=10_000, retrain_every=3)
# 600 once, 100 per re-training, 2 per 1,000 searches, 20 a month.
SPENDING = Spending(setup_usd=600, retraining_usd=100, per_search_usd=0.002, per_month_usd=20)


def test_traffic_changes_evenly_and_its_sum_is_that_of_the_mean() -> None:
    rising = Horizon(months=4, searches_now=100, searches_later=500)
    # The middles of four months between 100 and 500: 1/8, 3/8, 5/8 and 7/8 of the way.
    assert [rising.searches(month) for month in (1, 2, 3, 4)] == [150, 250, 350, 450]
    assert rising.total_searches == 150 + 250 + 350 + 450 == 4 * 300


@pytest.mark.parametrize(
    ("every", "month", "n"),
    [(3, 3, 0), (3, 4, 1), (3, 12, 3), (6, 12, 1), (12, 12, 0), (1, 12, 11), (None, 12, 0)],
)
def test_a_training_that_is_due_when_a_month_ends_belongs_to_the_next(every: int | None, month: int, n: int) -> None:
    assert Horizon(12, 1, 1, every).n_retrainings(month) == n


def test_the_total_is_setup_retrainings_months_and_searches() -> None:
    # 600 + 3 x 100 + 12 x 20 = 1,140 fixed; 120,000 searches x 0.002 = 240.
    assert SPENDING.fixed_usd(FLAT) == 1140
    assert SPENDING.total_usd(FLAT) == pytest.approx(1380)


def test_the_balance_counts_every_month() -> None:
    # A search brings .03: 300 a month, minus 20 for serving and 20 of upkeep: 260; trainings in months 4, 7, 10.
    expected = [-600, -340, -80, 180, 340, 600, 860, 1020, 1280, 1540, 1700, 1960, 2220]
    assert balance_usd(0.03, SPENDING, FLAT) == pytest.approx(expected)
    # 120,000 x .03 - 1,380 = 3,600 - 1,380
    assert expected[-1] == 120_000 * 0.03 - 1380


def test_it_pays_from_the_first_month_that_stays_above_zero() -> None:
    assert break_even_month(0.03, SPENDING, FLAT) == 3
    assert break_even_month(0.001, SPENDING, FLAT) is None
    # 600 once and 500 in month 4, 250 a month: -350 -100 150 -100 150 400: month 3 is not the last time below 0.
    late = Spending(setup_usd=600, retraining_usd=500)
    horizon = Horizon(6, 1, 1, 3)
    assert balance_usd(250, late, horizon) == [-600, -350, -100, 150, -100, 150, 400]
    assert break_even_month(250, late, horizon) == 5


def test_break_even_traffic_is_where_benefit_and_cost_meet() -> None:
    # 1,140 / (12 x (.03 - .002)) = 1,140 / .336
    found = break_even_searches(0.03, SPENDING, FLAT)
    assert found == pytest.approx(3392.857, abs=1e-3)
    meeting = Horizon(12, found, found, 3)
    assert meeting.total_searches * 0.03 == pytest.approx(SPENDING.total_usd(meeting))


def test_no_traffic_helps_when_serving_costs_more_than_a_search_brings() -> None:
    assert break_even_searches(0.002, SPENDING, FLAT) is None
    assert break_even_searches(-0.01, SPENDING, FLAT) is None


def test_the_return_is_what_is_left_of_what_was_spent() -> None:
    assert return_on(3600, 1380) == pytest.approx(2220 / 1380)
    assert return_on(0, 50) == -1
    assert return_on(10, 0) is None


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (0.001, 0.05, "gain_shown"),
        (0.0, 0.05, "no_gain_shown"),
        (-0.01, 0.05, "no_gain_shown"),
        (-0.05, 0.0, "no_gain_shown"),
        (-0.05, -0.001, "loss_shown"),
    ],
)
def test_an_interval_that_contains_zero_shows_no_gain(low: float, high: float, code: str) -> None:
    assert Gain((low + high) / 2, low, high).code == code


def test_each_point_of_a_gain_has_its_cost_and_no_gain_has_none() -> None:
    assert cost_per_point(300, 0.06) == pytest.approx(50)  # six points
    assert cost_per_point(300, 0.0) is None
    assert cost_per_point(300, -0.1) is None


def test_an_option_is_dominated_by_one_that_is_as_good_for_less() -> None:
    options = {
        "free": (0.0, 0.50),
        "cheap": (1.0, 0.60),
        "dear": (5.0, 0.58),  # worse than cheap and dearer
        "best": (9.0, 0.70),
        "same": (9.0, 0.70),  # equal to best: neither dominates the other
        "twin": (2.0, 0.60),  # as good as cheap, dearer
    }
    expected = {"free": None, "cheap": None, "dear": "cheap", "best": None, "same": None, "twin": "cheap"}
    assert dominated_by(options) == expected
