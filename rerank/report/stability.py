"""The stability card: which other choices would have changed the answer to a locked question?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rerank.evaluation.label_noise import flipped_grades
from rerank.evaluation.measures import EXPONENTIAL, scores_in_one_pass
from rerank.planning.plan import Plan
from rerank.report.comparisons import family_size, locked_pairs, scores_of
from rerank.report.ran import Ran
from rerank.stats.compare import Scores
from rerank.stats.comparison import Comparison
from rerank.stats.stability import (
    Outcome,
    Perturbation,
    Question,
    Rules,
    other_rules,
    outcomes,
    restricted,
    segments_left_out,
    single_seeds,
)

MEASURES = ("nDCG@5", "nDCG@10", "nDCG@20", "RR@10", "Success@1")
NOISE_SHARES = (0.05, 0.1)
NOISE_DRAWS = 5  # of each share
GRADED = (2, 30)  # highest grades at which an exponential gain differs from the linear one, and is still a number


def stability(ran: Ran, by_seed: pd.DataFrame, comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return one card per confirmatory comparison, as it stands in `result.json`."""
    pairs = locked_pairs(ran)
    main = [found for found in comparisons if found.confirmatory]
    if not pairs:
        return []
    rules = rules_of(ran.plan)
    questions = locked_questions(ran, by_seed, rules.measure)
    segments = dict(zip(ran.dataset.queries["query_id"], ran.dataset.queries["segment"].astype(str), strict=True))
    perturbations = [
        *segments_left_out(questions, rules, segments),
        *_other_measures(ran, by_seed, rules),
        *other_rules(questions, rules),
        *_label_noise(ran, rules),
        *single_seeds(questions, rules, sorted(ran.plan.seeds)),
    ]
    return [_card(comparison, found) for comparison, found in zip(main, outcomes(main, perturbations), strict=True)]


def rules_of(plan: Plan) -> Rules:
    """Return the plan's own rules."""
    return Rules(plan.primary_measure, plan.margin, plan.alpha, family_size(plan))


def locked_questions(ran: Ran, by_seed: pd.DataFrame, measure: str) -> tuple[Question, ...]:
    """Return the scores of both sides of every locked question that can be answered already."""
    return tuple(
        (scores_of(ran, by_seed, reference, measure), scores_of(ran, by_seed, challenger, measure))
        for reference, challenger in locked_pairs(ran)
    )


def measured_again(
    ran: Ran, judgments: Sequence[pd.DataFrame], measure: str, names: Sequence[str]
) -> list[dict[str, Scores]]:
    """Return for each set of judgments the scores of the named strategies, all in one pass."""
    runs = [run for run in ran.runs if run.name in names]
    cases = [(run.rankings[seed], given) for given in judgments for run in runs for seed in sorted(run.rankings)]
    values = iter(scores_in_one_pass(cases, ran.test_queries, measure, ran.plan.relevant_grade))
    found = []
    for _ in judgments:
        sheet = {}
        for run in runs:
            rows = np.stack([next(values) for _ in run.rankings])
            sheet[run.name] = Scores(run.name, ran.test_queries, rows, ran.candidates_digest, trained=run.is_trained)
        found.append(sheet)
    return found


def tested_judgments(ran: Ran) -> pd.DataFrame:
    """Return the judgments of the tested queries."""
    judgments = ran.dataset.judgments
    return judgments[judgments["query_id"].isin(list(ran.test_queries))].reset_index(drop=True)


def _locked_names(ran: Ran) -> list[str]:
    return list(dict.fromkeys(name for pair in locked_pairs(ran) for name in pair))


def _asked(ran: Ran, sheet: Mapping[str, Scores]) -> tuple[Question, ...]:
    return tuple((sheet[reference], sheet[challenger]) for reference, challenger in locked_pairs(ran))


def _other_measures(ran: Ran, by_seed: pd.DataFrame, rules: Rules) -> list[Perturbation]:
    judgments = tested_judgments(ran)
    measures = [name for name in MEASURES if name != rules.measure]
    if GRADED[0] <= int(judgments["grade"].max()) <= GRADED[1]:
        measures.insert(0, f"nDCG@10{EXPONENTIAL}")
    found = []
    for measure in measures:
        if measure in ran.plan.measures:
            questions = locked_questions(ran, by_seed, measure)
        else:
            questions = _asked(ran, measured_again(ran, [judgments], measure, _locked_names(ran))[0])
        found.append(
            Perturbation("measure", measure, Rules(measure, rules.margin, rules.alpha, rules.family_size), questions)
        )
    return found


def _label_noise(ran: Ran, rules: Rules) -> list[Perturbation]:
    judgments = tested_judgments(ran)
    draws = []
    for share in NOISE_SHARES:
        for draw in range(1, NOISE_DRAWS + 1):
            rng = np.random.default_rng([ran.plan.split.seed, round(1000 * share), draw])
            draws.append((share, draw, *flipped_grades(judgments, share, rng)))
    sheets = measured_again(ran, [given for _, _, given, _ in draws], rules.measure, _locked_names(ran))
    found = []
    for (share, draw, given, n_flipped), sheet in zip(draws, sheets, strict=True):
        # As everywhere, a query without a relevant document is left out.
        evaluable = set(given.loc[given["grade"] >= ran.plan.relevant_grade, "query_id"])
        questions = restricted(_asked(ran, sheet), evaluable)
        found.append(Perturbation("label_noise", f"{share:g}", rules, questions, draw, n_flipped))
    return found


def _card(main: Comparison, found: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "reference": main.reference,
        "challenger": main.challenger,
        "verdict": main.verdict,
        "n_perturbations": sum(outcome.survives is not None for outcome in found),
        "n_survived": sum(outcome.survives is True for outcome in found),
        "perturbations": [
            {
                "kind": outcome.perturbation.kind,
                "setting": outcome.perturbation.setting,
                "draw": outcome.perturbation.draw,
                "n_flipped": outcome.perturbation.n_flipped,
                "n_queries": outcome.comparison.n_queries,
                "delta": outcome.comparison.delta,
                "ci_low": outcome.comparison.ci_low,
                "ci_high": outcome.comparison.ci_high,
                "verdict": outcome.comparison.verdict,
                "survives": outcome.survives,
            }
            for outcome in found
        ],
    }
