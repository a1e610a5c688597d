"""All simulations together: how many experiments, of what, and the figures that come out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from rerank.errors import RerankError
from rerank.planning.power import POWER, Question
from rerank.validity.experiments import NOTHING, Rate
from rerank.validity.further_queries import Sequel, any_truth, sequel_of, settled_of, typical_ratio, unrealistic_of
from rerank.validity.luck import LuckAlarms, Seeds, luck_alarms
from rerank.validity.margins import WIDE, AtMargin, at_margin
from rerank.validity.no_difference import Alarms, alarms_of, bca_coverage, family_alarms
from rerank.validity.planned_power import Power, difference_power, margin_power
from rerank.validity.populations import Family, Population, families_of, measures_of, populations_of

ALPHA = 0.05
MARGIN = 0.02  # the default δ of a plan
KPI = "nDCG@10"
SIZES = (25, 50, 100, 200)
COVERED_FROM = 50  # queries from which 95 % intervals must hold the truth in 94 to 96 %
# Margins in standard deviations, for which the planner asks for about 50, 100 and 200 queries.
MARGINS_IN_SD: dict[Question, tuple[float, ...]] = {"not_worse": (0.35, 0.25, 0.175), "equivalence": (0.42, 0.3, 0.21)}
FURTHER_SIZES = (25, 50, 100)
# True differences at which experiments ask for further queries, besides any and the populations' own.
TRUTHS = (-0.04, -0.02, 0.0, 0.02, 0.04)
NOISE = 0.05
SEEDS = tuple(
    Seeds(n_reference, n_challenger, luck, NOISE)
    for n_reference, n_challenger in ((0, 3), (3, 3), (2, 5), (2, 2), (1, 1))
    for luck in (0.0, 0.005, 0.015)
)
LUCK_QUERIES = 100


@dataclass(frozen=True)
class Effort:
    """Experiments: per population (or truth) and size where it says `each`, else in all. powers: planned ones."""

    alarms_each: int
    other_measures_each: int
    bca: int
    families_each: int
    margins_each: int
    further_any: int
    further_own: int
    further_fixed_each: int
    power_each: int
    powers: tuple[float, ...]
    luck: int


FULL = Effort(
    alarms_each=1000,
    other_measures_each=300,
    bca=4000,
    families_each=500,
    margins_each=400,
    further_any=500,
    further_own=300,
    further_fixed_each=100,
    power_each=100,
    powers=(0.5, 0.8, 0.9),
    luck=3000,
)
QUICK = Effort(
    alarms_each=200,
    other_measures_each=60,
    bca=600,
    families_each=150,
    margins_each=120,
    further_any=150,
    further_own=25,
    further_fixed_each=5,
    power_each=80,
    powers=(0.8,),  # the largest of many gaps is mostly noise: fewer of them, with more experiments each
    luck=800,
)


class _Settings(TypedDict):
    margin: float
    alpha: float


@dataclass(frozen=True)
class Study:
    """Everything that was simulated, in its parts."""

    measure: str
    populations: tuple[Population, ...]
    families: tuple[Family, ...]
    alarms: tuple[Alarms, ...]
    alarms_ties_moved: tuple[Alarms, ...]
    alarms_other: dict[str, tuple[Alarms, ...]]
    bca: Rate
    family: dict[int, Rate]
    family_one_true: dict[int, Rate]
    wide: tuple[AtMargin, ...]
    default: tuple[AtMargin, ...]
    sequels: dict[str, tuple[Sequel, ...]]  # by what is true: any, own, or a number
    power: tuple[Power, ...]
    luck: tuple[LuckAlarms, ...]


def run_study(scores: pd.DataFrame, effort: Effort, seed: int, tell: Callable[[str], None]) -> Study:
    """Simulate everything; equal scores, effort and seed give equal figures.

    scores: as `read_scores` returns them. tell: is given the name of each part before it begins.
    Raises RerankError `scores_too_few`.
    """
    names = measures_of(scores)
    measure = KPI if KPI in names else names[0] if names else KPI
    populations = populations_of(scores, measure)
    if not populations:
        raise RerankError("scores_too_few")
    families = families_of(scores, measure)
    streams = iter(np.random.default_rng(seed).spawn(16))
    settings = _Settings(margin=MARGIN, alpha=ALPHA)

    tell("no_difference")
    rng = next(streams)
    alarms = [alarms_of(item, n, effort.alarms_each, rng=rng, **settings) for item in populations for n in SIZES]
    rng = next(streams)
    ties_moved = [
        alarms_of(item, n, effort.other_measures_each, rng=rng, ties_move=True, **settings)
        for item in populations
        for n in SIZES
    ]
    others = {
        other: tuple(
            alarms_of(item, n, effort.other_measures_each, rng=rng, **settings)
            for item in populations_of(scores, other)
            for n in SIZES
        )
        for other in names
        if other != measure
    }
    bca = bca_coverage(populations, SIZES[0], max(1, effort.bca // len(populations)), rng=next(streams))
    tell("family")
    asked = []
    for first_is_true in (False, True):
        rng = next(streams)
        asked.append(
            {
                n: sum(
                    (
                        family_alarms(item, n, effort.families_each, first_is_true=first_is_true, alpha=ALPHA, rng=rng)
                        for item in families
                    ),
                    NOTHING,
                )
                for n in SIZES
            }
        )
    tell("margins")
    rng = next(streams)
    wide = [
        at_margin(item, n, effort.margins_each, margin=WIDE * item.sd / np.sqrt(n), alpha=ALPHA, rng=rng)
        for item in populations
        for n in SIZES
    ]
    default = [at_margin(item, n, effort.margins_each, rng=rng, **settings) for item in populations for n in SIZES]
    tell("further_queries")
    rng = next(streams)
    wanted = {"any": effort.further_any, "own": effort.further_own}
    wanted |= {f"{truth:g}": effort.further_fixed_each for truth in TRUTHS}
    sequels = {truth: _sequels(populations, truth, n, rng) for truth, n in wanted.items()}
    tell("power")
    power = _powers(populations, effort, next(streams))
    tell("luck")
    rng = next(streams)
    each = max(1, effort.luck // len(populations))
    luck = [luck_alarms(populations, seeds, LUCK_QUERIES, each, rng=rng, **settings) for seeds in SEEDS]
    return Study(
        measure=measure,
        populations=tuple(populations),
        families=tuple(families),
        alarms=tuple(alarms),
        alarms_ties_moved=tuple(ties_moved),
        alarms_other=others,
        bca=bca,
        family=asked[0],
        family_one_true=asked[1],
        wide=tuple(wide),
        default=tuple(default),
        sequels=sequels,
        power=tuple(power),
        luck=tuple(luck),
    )


def _sequels(
    populations: Sequence[Population], truth: str, n_wanted: int, rng: np.random.Generator
) -> tuple[Sequel, ...]:
    """Go round sizes and draw populations until enough experiments were inconclusive."""
    found: list[Sequel] = []
    for number in range(40 * n_wanted):  # where hardly any experiment is inconclusive it ends all the same
        if len(found) >= n_wanted:
            break
        population = populations[int(rng.integers(len(populations)))]
        n = FURTHER_SIZES[number % len(FURTHER_SIZES)]
        true_delta = None if truth == "own" else any_truth(population, n, rng) if truth == "any" else float(truth)
        sequel = sequel_of(population, true_delta, n, margin=MARGIN, alpha=ALPHA, rng=rng)
        found += [sequel] if sequel is not None else []
    return tuple(found)


def _powers(populations: Sequence[Population], effort: Effort, rng: np.random.Generator) -> list[Power]:
    found = [
        difference_power(populations, n, effort.power_each, power=power, comparisons=comparisons, alpha=ALPHA, rng=rng)
        for comparisons in (1, 2)
        for n in SIZES
        for power in effort.powers
    ]
    found += [
        margin_power(populations, question, margin, 2 * effort.power_each, power=power, alpha=ALPHA, rng=rng)
        for question, margins in MARGINS_IN_SD.items()
        for margin in margins
        for power in effort.powers
        if power >= POWER
    ]
    return found


def pooled(rates: Sequence[Rate]) -> Rate:
    """Return experiments of several populations together."""
    return sum(rates, NOTHING)


def different_by_size(items: Sequence[Alarms]) -> dict[int, Rate]:
    """Return how often `better` or `worse` was said, by number of queries."""
    return {n: pooled([item.different for item in items if item.n_queries == n]) for n in SIZES}


def at_size(study: Study, n: int) -> list[Alarms]:
    """Return the experiments without a true difference at one size."""
    return [item for item in study.alarms if item.n_queries == n]


def worst_power(study: Study) -> Power:
    """Return the promise that was missed by most."""
    return max(study.power, key=lambda item: abs(item.gap))


def figures_of(study: Study) -> dict[str, Any]:
    """Return the figures as plain values; docs/validity.md explains each. Shares are 0 to 1."""
    different = different_by_size(study.alarms)
    covered = {n: pooled([item.covered for item in at_size(study, n)]) for n in SIZES}
    from_enough = pooled([covered[n] for n in SIZES if n >= COVERED_FROM])
    family, one_true = pooled(list(study.family.values())), pooled(list(study.family_one_true.values()))
    equivalent = pooled([item.equivalent for item in study.wide])
    at_default = pooled([item.equivalent for item in study.default])
    not_worse = pooled([item.not_worse for item in study.wide])
    settled = {truth: settled_of(sequels) for truth, sequels in study.sequels.items()}
    asked = [sequel for sequels in study.sequels.values() for sequel in sequels]
    worst = worst_power(study)
    return {
        "false_better": {str(n): rate.share for n, rate in different.items()},
        "family_error": family.share,
        "false_equivalent": equivalent.share,
        "coverage": from_enough.share,
        "settled_with_n_more": settled["any"].share,
        "power_error": abs(worst.gap),
        "false_better_error": {str(n): rate.error for n, rate in different.items()},
        "false_better_ties_moved": {
            str(n): rate.share for n, rate in different_by_size(study.alarms_ties_moved).items()
        },
        "family_error_error": family.error,
        "family_error_one_true": one_true.share,
        "false_equivalent_error": equivalent.error,
        "false_equivalent_at_default_margin": at_default.share,
        "false_not_worse": not_worse.share,
        "coverage_by_n": {str(n): rate.share for n, rate in covered.items()},
        "coverage_error": from_enough.error,
        "bca_coverage_at_25": study.bca.share,
        "bca_coverage_error": study.bca.error,
        "settled_with_n_more_error": settled["any"].error,
        "settled_with_own_difference": settled["own"].share,
        "settled_by_true_delta": {truth: settled[truth].share for truth in settled if truth not in ("any", "own")},
        "not_realistic": unrealistic_of(asked).share,
        "n_more_typical_ratio": typical_ratio(asked),
        "power_error_error": worst.simulated.error,
        "power": [
            {
                "question": item.question,
                "n_queries": item.n_queries,
                "comparisons": item.comparisons,
                "predicted": item.predicted,
                "simulated": item.simulated.share,
            }
            for item in study.power
        ],
        "seeds": [
            {
                **asdict(item.seeds),
                "n_queries": item.n_queries,
                "naive": item.naive.share,
                "seed_aware": item.verdict.share,
                "error": item.verdict.error,
            }
            for item in study.luck
        ],
        "other_measures": {
            name: {str(n): rate.share for n, rate in different_by_size(items).items()}
            for name, items in study.alarms_other.items()
        },
        "n_populations": len(study.populations),
    }
