"""The planner's power against that of simulated experiments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rerank.planning.power import Question, minimum_detectable_effect, queries_needed
from rerank.validity.experiments import NOTHING, Rate, compared, is_not_worse
from rerank.validity.populations import Population


@dataclass(frozen=True)
class Power:
    """One promise of the planner, and how often it was kept over all populations.

    n_queries: what the plan has, or what the planner asks for. comparisons: questions that share α.
    """

    question: Question
    n_queries: int
    comparisons: int
    predicted: float
    simulated: Rate

    @property
    def gap(self) -> float:
        """Return simulated minus predicted."""
        return self.simulated.share - self.predicted


def difference_power(
    populations: Sequence[Population],
    n_queries: int,
    n_each: int,
    *,
    power: float,
    comparisons: int,
    alpha: float,
    rng: np.random.Generator,
) -> Power:
    """Give every population the smallest difference that the planner promises to find, and look for it."""
    simulated = NOTHING
    for population in populations:
        delta = minimum_detectable_effect(n_queries, population.sd, alpha=alpha, power=power, comparisons=comparisons)
        for sign in (1, -1):
            moved = population.with_mean(sign * delta)
            wanted = "better" if sign > 0 else "worse"
            # The planner counts with Holm's strictest step: every p against alpha divided by the questions.
            hits = sum(
                compared(rng.choice(moved, n_queries), margin=delta, alpha=alpha / comparisons).verdict == wanted
                for _ in range(n_each)
            )
            simulated += Rate(hits, n_each)
    return Power("difference", n_queries, comparisons, power, simulated)


def margin_power(
    populations: Sequence[Population],
    question: Question,
    margin_in_sd: float,
    n_each: int,
    *,
    power: float,
    alpha: float,
    rng: np.random.Generator,
) -> Power:
    """Take as many queries as the planner asks for to show "not worse" or "equivalent" where nothing differs."""
    n = queries_needed(margin_in_sd, 1.0, question, alpha=alpha, power=power)
    simulated = NOTHING
    for population in populations:
        centred, margin = population.centred, margin_in_sd * population.sd
        hits = 0
        for _ in range(n_each):
            found = compared(rng.choice(centred, n), margin=margin, alpha=alpha)
            shown = is_not_worse(found, alpha)
            if question == "equivalence":
                shown = found.p_tost is not None and found.p_tost < alpha
            hits += shown
        simulated += Rate(hits, n_each)
    return Power(question, n, 1, power, simulated)
