"""The choice on development queries: a plain form needs a clear lead over its fused one."""

import math

import numpy as np
import pytest
from scipy import stats

from rerank.decide.choice import Contender, Lead, best_on_dev, is_model_alone, lead_of


def forms(lead: Lead | None, *, is_model_alone: bool = False) -> list[Contender]:
    """D is ahead of its mixture by its own score, which is that of its best epoch."""
    return [
        Contender("C", 0.80),
        Contender("D", 0.889),
        Contender("C+fusion", 0.86, Lead(-0.06, 0.01)),
        Contender("D+fusion", 0.888, lead, is_model_alone),
    ]


@pytest.mark.parametrize(
    ("lead", "chosen"),
    [
        (Lead(0.001, 0.012), "D+fusion"),  # a thousandth of what forty queries scatter
        (Lead(0.013, 0.012), "D+fusion"),  # one standard error: every sixth pair of equals has as much
        (Lead(0.024, 0.012), "D+fusion"),
        (Lead(0.025, 0.012), "D"),
        (Lead(-0.02, 0.001), "D+fusion"),  # its score was of its best epoch, and the mixture is better
        (Lead(0.0, 0.0), "D+fusion"),
        (Lead(0.5, math.inf), "D+fusion"),  # one query
        (None, "D"),  # nothing is known of it
    ],
)
def test_a_plain_form_is_chosen_for_a_clear_lead_only(lead: Lead | None, chosen: str) -> None:
    assert best_on_dev(forms(lead)) == chosen


def test_a_mixture_of_the_model_alone_is_its_plain_form() -> None:
    assert best_on_dev(forms(Lead(0.0, 0.0), is_model_alone=True)) == "D"
    assert best_on_dev([Contender("D+fusion", 0.5, Lead(0.0, 0.0), True)]) == "D+fusion"  # the plain one is not asked
    assert is_model_alone([{"model": 1.0, "embedding": 0.0}, {"model": 1.0}])
    assert not is_model_alone([{"model": 1.0}, {"model": 0.8, "embedding": 0.2}])
    assert not is_model_alone([])


def test_other_models_are_chosen_by_their_scores_alone() -> None:
    assert best_on_dev([Contender("C", 0.7), Contender("D", 0.7), Contender("D+fusion", 0.6, Lead(0.1, 0.01))]) == "C"
    assert best_on_dev([Contender("C", 0.70), Contender("D", 0.69)]) == "C"
    assert best_on_dev([Contender("D", 0.72), Contender("C+fusion", 0.71, Lead(0.0, 0.1))]) == "D"
    assert best_on_dev([]) is None


def test_a_lead_is_the_mean_over_queries_with_its_standard_error() -> None:
    differences = np.array([[0.1, -0.2, 0.3, 0.0], [0.3, 0.0, 0.1, 0.2]])  # trainings, queries
    found = lead_of([dict(zip("abcd", row, strict=True)) for row in differences.tolist()])
    means = differences.mean(axis=0)
    assert found is not None
    assert found.mean == pytest.approx(means.mean())
    assert found.standard_error == pytest.approx(stats.sem(means))
    assert lead_of([]) is None
    assert lead_of([{}]) is None
    assert lead_of([{"a": 0.5}]) == Lead(0.5, math.inf)
    # Folds have development queries of their own.
    apart = lead_of([{"a": 0.1, "b": 0.3}, {"c": 0.2}])
    assert apart is not None
    assert (apart.mean, apart.standard_error) == pytest.approx((0.2, stats.sem([0.1, 0.3, 0.2])))
