"""Experiments without a true difference: false alarms, of one question and of a family, and coverage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rerank.stats.family import adjust_family
from rerank.stats.sensitivity import bca_interval
from rerank.validity.experiments import NOTHING, Rate, compared, is_different
from rerank.validity.populations import Family, Population, recentred

TRUE_GAIN = 10.0  # standard errors: a first question that is answered "better" in every experiment


@dataclass(frozen=True)
class Alarms:
    """Of one population at one size: false `better` or `worse`, their halves, intervals that hold the truth."""

    population: Population
    n_queries: int
    different: Rate
    better: Rate
    covered: Rate


def alarms_of(
    population: Population,
    n_queries: int,
    n_experiments: int,
    *,
    margin: float,
    alpha: float,
    rng: np.random.Generator,
    ties_move: bool = False,
) -> Alarms:
    """Draw experiments from a population whose mean was made 0; ties_move: ties were moved too."""
    centred = population.differences - population.mean if ties_move else population.centred
    different = better = covered = 0
    for _ in range(n_experiments):
        found = compared(rng.choice(centred, n_queries), margin=margin, alpha=alpha)
        different += is_different(found)
        better += found.verdict == "better"
        covered += found.ci_low is not None and found.ci_high is not None and found.ci_low <= 0 <= found.ci_high
    rates = (Rate(count, n_experiments) for count in (different, better, covered))
    return Alarms(population, n_queries, *rates)


def bca_coverage(populations: Sequence[Population], n_queries: int, n_each: int, *, rng: np.random.Generator) -> Rate:
    """Return how often the 95 % BCa interval, a sensitivity test, holds the truth."""
    found = NOTHING
    for population in populations:
        centred = population.centred
        for number in range(n_each):
            interval = bca_interval(rng.choice(centred, n_queries), number)
            found += Rate(int(interval is not None and interval[0] <= 0 <= interval[1]), 1)
    return found


def family_alarms(
    family: Family, n_queries: int, n_experiments: int, *, first_is_true: bool, alpha: float, rng: np.random.Generator
) -> Rate:
    """Return how often any question without a true difference was answered `better` or `worse`.

    Queries are drawn for all questions together: their answers hang together as in a real experiment.
    first_is_true: the first question has a true gain that is always found; only the others can be wrong.
    """
    centred = np.stack([recentred(row) for row in family.differences])
    if first_is_true:
        centred[0] += TRUE_GAIN * centred[0].std() / np.sqrt(n_queries)
    wrong = 0
    for _ in range(n_experiments):
        drawn = centred[:, rng.integers(0, centred.shape[1], n_queries)]
        found = [compared(row, margin=0.02, alpha=alpha, confirmatory=True) for row in drawn]
        answers = adjust_family(found, family_size=len(found), alpha=alpha, verdict_only=True)
        wrong += any(is_different(answer) for answer in answers[int(first_is_true) :])
    return Rate(wrong, n_experiments)
