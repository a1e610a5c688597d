"""The automatic learning rate: higher for few queries and an untrained head, never for a tuned one."""

import pytest

from rerank.planning.rates import automatic_learning_rate


def test_a_tuned_head_is_moved_gently_whatever_the_number_of_queries() -> None:
    assert {automatic_learning_rate(n, has_head=True) for n in (1, 150, 10_000)} == {2e-5}


def test_an_untrained_head_learns_faster_the_fewer_queries_there_are() -> None:
    rates = [automatic_learning_rate(n, has_head=False) for n in (1, 150, 300, 600, 10_000)]
    # On a logarithmic scale 300 is half of the way from 150 to 600: the geometric mean of both rates.
    assert rates == pytest.approx([3e-4, 3e-4, (3e-4 * 1e-4) ** 0.5, 1e-4, 1e-4])
