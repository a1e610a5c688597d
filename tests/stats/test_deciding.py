"""Why seeds belong in the deciding test: its error rate when nothing differs."""

import numpy as np
import pytest

from rerank.stats.deciding import error_of, half_width, one_sided, seed_variance, two_sided

N_QUERIES, N_SEEDS, N_RUNS = 100, 3, 500


@pytest.fixture(scope="module")
def false_alarms() -> dict[str, float]:
    """Simulate two trained strategies that do not differ: query SD .09, seed by query .05, seed .015."""
    rng = np.random.default_rng(21)
    naive, aware = 0, 0
    for _ in range(N_RUNS):
        noise = rng.normal(0, 0.05, (2, N_SEEDS, N_QUERIES)) + rng.normal(0, 0.015, (2, N_SEEDS, 1))
        reference, challenger = noise[0], noise[1] + rng.normal(0, 0.09, N_QUERIES)
        differences = challenger.mean(axis=0) - reference.mean(axis=0)
        error = error_of(differences, [reference, challenger])
        alone = error_of(differences, [])
        delta = float(differences.mean())
        naive += two_sided(delta, alone.se, alone.df) < 0.05
        aware += two_sided(delta, error.se, error.df) < 0.05
    return {"naive": naive / N_RUNS, "aware": aware / N_RUNS}


def test_the_naive_test_calls_training_luck_a_difference(false_alarms: dict[str, float]) -> None:
    assert false_alarms["naive"] > 0.12  # .209 in a longer simulation


def test_the_seed_aware_test_keeps_its_level(false_alarms: dict[str, float]) -> None:
    # .043 in a longer simulation; three standard errors of 500 runs are .03.
    assert 0.01 < false_alarms["aware"] < 0.075


def test_the_seed_part_does_not_shrink_with_queries() -> None:
    luck = np.array([[-0.01], [0.0], [0.01]])
    few, many = (error_of(np.tile([0.1, -0.1], half), [np.zeros((3, 2 * half)) + luck]) for half in (10, 1000))
    assert few.variance_seeds == pytest.approx(many.variance_seeds) == pytest.approx(0.0001 / 3)
    assert many.variance_queries < few.variance_queries / 90


def test_one_seed_says_nothing_about_luck() -> None:
    assert seed_variance(np.array([[0.1, 0.9]])) == (0.0, 0.0)


def test_without_any_error_the_sign_decides() -> None:
    assert two_sided(0.1, 0.0, 9) == 0
    assert (one_sided(0.1, 0.0, 9), one_sided(-0.1, 0.0, 9)) == (0.0, 1.0)


def test_half_width_uses_the_t_table() -> None:
    assert half_width(0.95, 2.0, 10) == pytest.approx(2 * 2.228139)  # t table, 10 degrees of freedom
