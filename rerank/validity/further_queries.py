"""Inconclusive experiments repeated with as many further queries as they asked for."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rerank.stats.verdict import deciding_p, with_verdict
from rerank.validity.experiments import Rate, compared
from rerank.validity.populations import Population

REACH = 4.0


@dataclass(frozen=True)
class Sequel:
    """One inconclusive experiment: what it observed, what is true, and what came of its request.

    n_more and settled are None where no realistic number was named.
    """

    population: Population
    true_delta: float
    observed_delta: float
    n_queries: int
    n_more: int | None
    settled: bool | None


def sequel_of(
    population: Population,
    true_delta: float | None,
    n_queries: int,
    *,
    margin: float,
    alpha: float,
    rng: np.random.Generator,
) -> Sequel | None:
    """Draw one experiment and, when it is inconclusive, its further queries; None when it is not.

    true_delta: None takes the differences as they are.
    """
    moved = population.differences if true_delta is None else population.with_mean(true_delta)
    first = rng.choice(moved, n_queries)
    found = compared(first, margin=margin, alpha=alpha)
    p = deciding_p(found)
    if found.verdict != "inconclusive" or p is None or found.delta is None:
        return None
    asked = with_verdict(found, alpha=alpha, p=p, alpha_each=alpha).n_more_queries
    settled = None
    if asked is not None:
        both = np.concatenate([first, rng.choice(moved, asked)])
        settled = compared(both, margin=margin, alpha=alpha).verdict != "inconclusive"
    return Sequel(population, float(moved.mean()), found.delta, n_queries, asked, settled)


def any_truth(population: Population, n_queries: int, rng: np.random.Generator) -> float:
    """Return a true difference about which nothing is known: evenly from -4 to 4 standard errors.

    Beyond that hardly any experiment is inconclusive. It is what the rule itself takes for granted.
    """
    return float(rng.uniform(-REACH, REACH)) * population.sd / float(np.sqrt(n_queries))


def settled_of(sequels: Sequence[Sequel]) -> Rate:
    """Return how often the named number of further queries brought another verdict."""
    tried = [sequel.settled for sequel in sequels if sequel.settled is not None]
    return Rate(sum(tried), len(tried))


def unrealistic_of(sequels: Sequence[Sequel]) -> Rate:
    """Return how often no realistic number was named."""
    return Rate(sum(sequel.n_more is None for sequel in sequels), len(sequels))


def typical_ratio(sequels: Sequence[Sequel]) -> float | None:
    """Return by what factor the numbers differ that two samples of the same size and truth ask for: the median.

    None when no two experiments can be compared.
    """
    alike: dict[tuple[int, int, float], list[int]] = {}
    for sequel in sequels:
        if sequel.n_more is not None:
            alike.setdefault((id(sequel.population), sequel.n_queries, sequel.true_delta), []).append(sequel.n_more)
    ratios = [max(pair) / min(pair) for numbers in alike.values() for pair in itertools.combinations(numbers, 2)]
    return float(np.median(ratios)) if ratios else None
