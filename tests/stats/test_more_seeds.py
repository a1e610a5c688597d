"""How many more trainings would settle a comparison: the promised probability, by simulating whole experiments."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rerank.stats.more_queries import N_DRAWS, Settled
from rerank.stats.more_seeds import MOST_SEEDS, PROBABILITY, seeds_to_settle
from tests.seeded import compared

N = 1500


def answered(observed: NDArray[np.float64], more: int, settled: Settled) -> float:
    """The share of experiments with further seeds that find an answer; what seeds scatter is drawn anew each time."""
    rng = np.random.default_rng(1)
    size, mean, variance = len(observed), observed.mean(), observed.var(ddof=1)
    found = 0
    for _ in range(N):
        true = (size - 1) * variance / rng.chisquare(size - 1)
        centre = mean + rng.standard_normal() * np.sqrt(true / size)
        whole = np.concatenate([observed, rng.normal(centre, np.sqrt(true), more)])
        verdict = compared(whole, quick=True).verdict
        found += verdict == "better" if settled == "gain" else verdict != "inconclusive"
    return found / N


@pytest.mark.parametrize(
    ("observed", "settled"),
    [
        ((-0.02, 0.06, 0.02), "any_verdict"),
        ((0.0, 0.06), "any_verdict"),
        ((-0.04, 0.06, 0.08), "any_verdict"),
        ((0.0, 0.05, 0.03), "gain"),
        ((0.0, 0.08, 0.04), "gain"),
        ((0.02, 0.07), "gain"),
    ],
)
def test_the_number_is_the_smallest_with_the_promised_probability(
    observed: tuple[float, ...], settled: Settled
) -> None:
    """Golden: the same experiments, seed by seed, through the comparison itself; ± three standard errors of both."""
    seeds = np.array(observed)
    found = compared(seeds)
    assert found.n_seeds == len(observed)
    more = seeds_to_settle(found, alpha=0.05, alpha_difference=0.05, settled=settled)
    assert more is not None
    assert settled == "gain" or more == found.n_more_seeds
    slack = 3 * 0.5 * (N**-0.5 + N_DRAWS**-0.5)
    assert answered(seeds, more, settled) > PROBABILITY - slack
    if more > 1:
        assert answered(seeds, more - 1, settled) < PROBABILITY + slack


@pytest.mark.parametrize(
    ("reference", "challenger"), [((0.0, 0.05), (0.05, 0.11)), ((0.0, 0.03, 0.06), (0.07, 0.03, 0.12))]
)
def test_two_sides_that_scatter_alike_keep_the_promise(
    reference: tuple[float, ...], challenger: tuple[float, ...]
) -> None:
    sides = np.array([reference, challenger])
    found = compared(challenger, reference=reference)
    more, size = found.n_more_seeds, len(reference)
    assert more is not None
    df, variance = 2 * (size - 1), sides.var(axis=1, ddof=1).mean()
    rng, n_answered = np.random.default_rng(2), 0
    for _ in range(N):
        spread = np.sqrt(df * variance / rng.chisquare(df))
        centres = sides.mean(axis=1) + rng.standard_normal(2) * spread / np.sqrt(size)
        whole = np.hstack([sides, rng.normal(centres[:, None], spread, (2, more))])
        n_answered += compared(whole[1], reference=whole[0], quick=True).verdict != "inconclusive"
    assert n_answered / N > PROBABILITY - 3 * 0.5 * (N**-0.5 + N_DRAWS**-0.5)


def test_what_queries_leave_open_no_seed_settles() -> None:
    """Seeds agree and 120 queries do not tell: most of the error is theirs."""
    found = compared(np.array([-0.014, 0.0, -0.01]))
    assert found.verdict == "inconclusive"
    assert found.n_more_seeds is None
    assert found.n_more_queries is not None


def test_a_gain_needs_no_fewer_seeds_than_any_answer() -> None:
    found = compared((0.02, 0.07))
    gains = [seeds_to_settle(found, alpha=0.05, alpha_difference=each, settled="gain") for each in (0.05, 0.025)]
    assert found.n_more_seeds is not None
    assert gains[0] is not None
    assert found.n_more_seeds < gains[0]
    assert gains[1] is None or gains[0] < gains[1]


def test_nothing_is_asked_where_nothing_is_known_of_luck_or_the_plan_is_full() -> None:
    found = compared(np.array([0.0, 0.08, 0.04]))
    assert seeds_to_settle(replace(found, n_seeds=1), alpha=0.05, alpha_difference=0.05) is None
    assert seeds_to_settle(replace(found, n_seeds=None), alpha=0.05, alpha_difference=0.05) is None
    assert seeds_to_settle(replace(found, n_seeds=MOST_SEEDS), alpha=0.05, alpha_difference=0.05) is None
    once = compared(np.array([0.03]))
    assert (once.n_seeds, once.n_more_seeds) == (1, None)
    shown = compared(np.array([0.09, 0.09, 0.091]))
    assert (shown.verdict, shown.n_more_seeds) == ("better", None)
