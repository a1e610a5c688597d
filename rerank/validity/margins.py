"""Experiments whose true difference is the margin itself: false "equivalent" and false "not worse"."""

from dataclasses import dataclass

import numpy as np

from rerank.validity.experiments import Rate, compared, is_equivalent, is_not_worse
from rerank.validity.populations import Population

# A margin of this many standard errors leaves the test its full 5 %; with a narrow one it seldom says "equivalent".
WIDE = 4.0


@dataclass(frozen=True)
class AtMargin:
    """Of one population at one size: false claims where the true difference is +margin or -margin."""

    population: Population
    n_queries: int
    margin: float
    equivalent: Rate  # both signs
    not_worse: Rate  # at -margin only


def at_margin(
    population: Population, n_queries: int, n_experiments: int, *, margin: float, alpha: float, rng: np.random.Generator
) -> AtMargin:
    """Draw experiments from a population that was moved to plus and minus the margin, half of them each."""
    equivalent = not_worse = 0
    half = max(1, n_experiments // 2)
    for sign in (1, -1):
        moved = population.with_mean(sign * margin)
        for _ in range(half):
            found = compared(rng.choice(moved, n_queries), margin=margin, alpha=alpha)
            equivalent += is_equivalent(found)
            not_worse += sign < 0 and is_not_worse(found, alpha)
    return AtMargin(population, n_queries, margin, Rate(equivalent, 2 * half), Rate(not_worse, half))
