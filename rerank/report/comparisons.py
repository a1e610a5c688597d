"""Which strategies are compared with which: the locked questions, and the rest as exploratory."""

from functools import cache

import pandas as pd

from rerank.decide.choice import Contender, best_on_dev, is_model_alone
from rerank.planning.graph import path_of
from rerank.planning.plan import DISTILLED, FUSION, LABELLED, LONGER, SINGLE_STAGE, TWO_STAGE, UNTRAINED, Plan
from rerank.report.attribution import links_of
from rerank.report.per_query import score_table
from rerank.report.ran import Ran
from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison
from rerank.stats.family import adjust_family

FIRST = "first-stage"
SUCCESS = "Success@1"  # counts searches, which can be worth money


def best_of(ran: Ran, names: tuple[str, ...]) -> str | None:
    """Return the one of these strategies that development queries choose; None without any."""
    return best_on_dev(
        [
            Contender(run.name, run.dev_score, run.lead_of_plain, is_model_alone(run.fusion_weights))
            for run in ran.runs
            if run.name in names and run.dev_score is not None
        ]
    )


def family_size(plan: Plan) -> int:
    """Return how many confirmatory questions the plan has locked (0-3)."""
    groups = (SINGLE_STAGE, TWO_STAGE, LABELLED, DISTILLED)
    single, two, labelled, distilled = (any(name in plan.strategies for name in group) for group in groups)
    return int(single) + int(single and two) + int(plan.label_or_distil and labelled and distilled)


def locked_pairs(ran: Ran) -> list[tuple[str, str]]:
    """Return reference and challenger of every confirmatory question that can be answered already."""
    single = best_of(ran, SINGLE_STAGE)
    pairs = [(FIRST, single), (single, best_of(ran, TWO_STAGE))]
    if ran.plan.label_or_distil:
        pairs.append((best_of(ran, LABELLED), best_of(ran, DISTILLED)))
    return [(reference, challenger) for reference, challenger in pairs if reference and challenger]


def scores_of(ran: Ran, by_seed: pd.DataFrame, name: str, measure: str) -> Scores:
    """Return a strategy's per-query scores as they are compared."""
    is_trained = any(run.name == name and run.is_trained for run in ran.runs)
    values = score_table(by_seed, name, measure, ran.test_queries)
    return Scores(name, ran.test_queries, values, ran.candidates_digest, trained=is_trained)


def all_comparisons(ran: Ran, by_seed: pd.DataFrame) -> list[Comparison]:
    """Return every comparison, confirmatory ones first.

    Confirmatory, on the primary measure with Holm between them: best single-stage against first-stage, best
    two-stage against best single-stage and, if the plan asks, best D against best C; chosen on development scores.
    Exploratory: every strategy against first-stage on every measure, the locked pairs on Success@1, two-stage
    against its own single stages, single-stage and the best two-stage against what is free, fused against plain,
    two-stage against its equal-budget controls, and the best two-stage against the best longer single stage.
    """
    plan = ran.plan
    present = [run.name for run in ran.runs]

    @cache  # the reference of most comparisons is the same
    def scores(name: str, measure: str) -> Scores:
        return scores_of(ran, by_seed, name, measure)

    def one(reference: str, challenger: str, measure: str, confirmatory: bool) -> Comparison:
        return compare(
            scores(reference, measure),
            scores(challenger, measure),
            measure=measure,
            margin=plan.margin,
            alpha=plan.alpha,
            confirmatory=confirmatory,
            rng_seed=plan.split.seed,
        )

    locked = locked_pairs(ran)
    confirmatory = adjust_family(
        [one(reference, challenger, plan.primary_measure, True) for reference, challenger in locked],
        family_size=family_size(plan),
        alpha=plan.alpha,
    )
    done = {(reference, challenger, plan.primary_measure) for reference, challenger in locked}
    wanted = [(FIRST, name, measure) for name in present if name != FIRST for measure in plan.measures]
    wanted += [(reference, challenger, SUCCESS) for reference, challenger in locked]  # what a gain is worth
    free = [other for other in UNTRAINED if other in present and other != FIRST]
    wanted += [
        (other, challenger, plan.primary_measure)
        for _, challenger in locked
        if challenger in TWO_STAGE
        for other in free
    ]
    longer = best_of(ran, LONGER)
    wanted += [
        (longer, challenger, plan.primary_measure) for _, challenger in locked if longer and challenger in TWO_STAGE
    ]
    for name in present:
        path = path_of(name)
        if name in SINGLE_STAGE:
            wanted += [(other, name, plan.primary_measure) for other in free]
        suffix = FUSION if name.endswith(FUSION) else ""
        if len(path) > 1:
            parts = [part + suffix for part in path]
            wanted += [(part, name, plan.primary_measure) for part in parts if part in present]
        wanted += [
            (reference, challenger, plan.primary_measure) for _, reference, challenger in links_of(name, present)
        ]
        plain = name.removesuffix(FUSION)
        if suffix and plain in present:
            wanted.append((plain, name, plan.primary_measure))
    exploratory = []
    for key in wanted:
        # Recall at the candidate depth is the same set for every re-ranking: nothing to compare.
        if key not in done and not key[2].startswith("R@"):
            done.add(key)
            exploratory.append(one(*key, False))
    return [*confirmatory, *exploratory]
