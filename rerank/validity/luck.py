"""Experiments with training luck and without a true difference, tested with seeds in mind and without."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rerank.validity.experiments import Rate, compared, is_different
from rerank.validity.populations import Population


@dataclass(frozen=True)
class Seeds:
    """Seeds of both sides (0: that side is not trained) and what training luck does.

    luck: SD over trainings of a strategy's mean, in units of the measure. noise: SD of a query's own luck.
    """

    n_reference: int
    n_challenger: int
    luck: float
    noise: float


@dataclass(frozen=True)
class LuckAlarms:
    """False alarms of the naive paired t-test on seed means and of the verdict, which counts luck."""

    seeds: Seeds
    n_queries: int
    naive: Rate
    verdict: Rate


def luck_alarms(
    populations: Sequence[Population],
    seeds: Seeds,
    n_queries: int,
    n_each: int,
    *,
    margin: float,
    alpha: float,
    rng: np.random.Generator,
) -> LuckAlarms:
    """Draw queries from populations with a mean of 0 and give every training its luck.

    Over all trainings the two strategies are equal: whatever is found comes from these queries or these trainings.
    """

    def trained(truth: NDArray[np.float64], n_seeds: int) -> NDArray[np.float64]:
        luck = rng.normal(0.0, seeds.luck, (n_seeds, 1))
        return np.asarray(truth + luck + rng.normal(0.0, seeds.noise, (n_seeds, n_queries)))

    naive = verdict = n = 0
    for population in populations:
        centred = population.centred
        for _ in range(n_each):
            challenger = trained(rng.choice(centred, n_queries), seeds.n_challenger)
            reference = trained(np.zeros(n_queries), seeds.n_reference) if seeds.n_reference else None
            found = compared(challenger, reference, margin=margin, alpha=alpha)
            naive += found.p_t is not None and found.p_t < alpha
            verdict += is_different(found)
            n += 1
    return LuckAlarms(seeds, n_queries, Rate(naive, n), Rate(verdict, n))
