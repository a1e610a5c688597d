"""What is automatic: a higher rate and more epochs for few queries and an untrained head, never for a tuned one."""

import pytest

from rerank.planning.plan import StageSettings
from rerank.planning.rates import (
    automatic_epochs,
    automatic_learning_rate,
    automatic_patience,
    expected_weight,
    resolved,
)


def test_a_tuned_head_is_moved_gently_whatever_the_number_of_queries() -> None:
    assert {automatic_learning_rate(n, has_head=True) for n in (1, 150, 10_000)} == {2e-5}


def test_an_untrained_head_learns_faster_the_fewer_queries_there_are() -> None:
    rates = [automatic_learning_rate(n, has_head=False) for n in (1, 150, 300, 600, 10_000)]
    # On a logarithmic scale 300 is half of the way from 150 to 600: the geometric mean of both rates.
    assert rates == pytest.approx([3e-4, 3e-4, (3e-4 * 1e-4) ** 0.5, 1e-4, 1e-4])


def test_few_queries_are_seen_more_often() -> None:
    # Twelve at 150, by the square root: 12 × √(150/50) = 20.8, 12 × √(150/300) = 8.5, 12 × √(150/600) = 6.
    asked = (1, 50, 150, 300, 600, 10_000)
    assert [automatic_epochs(n, has_head=False) for n in asked] == [24, 21, 12, 8, 6, 3]
    assert automatic_epochs(10, has_head=True) == 3


def test_a_third_of_the_epochs_may_pass_without_getting_better() -> None:
    assert [automatic_patience(epochs) for epochs in (1, 3, 6, 12, 24)] == [2, 2, 2, 4, 8]


def test_a_model_of_many_queries_is_expected_to_weigh_more_in_a_fusion() -> None:
    # Half of the way between .2 and .6 at 300 queries, as above.
    assert [expected_weight(n) for n in (0, 150, 300, 600, 10_000)] == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.6])


def test_open_values_are_filled_in_and_given_ones_kept() -> None:
    open_ones = resolved(StageSettings(loss="lce"), 100, has_head=False)
    assert (open_ones.learning_rate, open_ones.epochs, open_ones.patience) == (3e-4, 15, 5)
    given = StageSettings(loss="lce", learning_rate=1e-5, epochs=2, patience=0)
    assert resolved(given, 100, has_head=False) == given


def test_a_trial_changes_rate_and_epochs_by_its_factors() -> None:
    given = StageSettings(loss="lce", learning_rate=1e-4, epochs=3)
    tried = [resolved(given, 100, has_head=False, trial=trial) for trial in (1, 2, 3, 4)]
    assert [item.learning_rate for item in tried] == pytest.approx([5e-5, 2e-4, 1e-4, 2.5e-5])
    assert [item.epochs for item in tried] == [3, 3, 6, 6]
    doubled = resolved(StageSettings(loss="lce"), 150, has_head=False, trial=3)
    assert (doubled.epochs, doubled.patience) == (24, 8)  # of the epochs that it tries
