"""The locked questions asked again under other choices: does the verdict survive?"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison
from rerank.stats.family import adjust_family

Kind = Literal["segment_left_out", "measure", "alpha", "margin", "label_noise", "single_seed"]
Question = tuple[Scores, Scores]  # reference, challenger

# One step is one place along these customary values.
ALPHAS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2)
MARGINS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
MOST_SEGMENTS = 20  # the largest ones: a segment of a few queries moves nothing


@dataclass(frozen=True)
class Rules:
    """What turns scores into verdicts: measure, margin δ in its units, α, number of locked questions."""

    measure: str
    margin: float
    alpha: float
    family_size: int


@dataclass(frozen=True)
class Perturbation:
    """One other choice, and the questions as they stand under it.

    setting: what was chosen instead (a segment, a measure, a number, a seed). draw and n_flipped: of label noise,
    else None.
    """

    kind: Kind
    setting: str
    rules: Rules
    questions: tuple[Question, ...]
    draw: int | None = None
    n_flipped: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a perturbation makes of one question; survives is None when it cannot be tested any more."""

    perturbation: Perturbation
    comparison: Comparison
    survives: bool | None


def answers(questions: Sequence[Question], rules: Rules) -> list[Comparison]:
    """Return the questions' comparisons with Holm's adjustment, verdicts only."""
    found = [
        compare(
            reference,
            challenger,
            measure=rules.measure,
            margin=rules.margin,
            alpha=rules.alpha,
            confirmatory=True,
            rng_seed=0,
            verdict_only=True,
        )
        for reference, challenger in questions
    ]
    return adjust_family(found, family_size=rules.family_size, alpha=rules.alpha, verdict_only=True)


def outcomes(main: Sequence[Comparison], perturbations: Sequence[Perturbation]) -> list[list[Outcome]]:
    """Return every perturbation's outcome for each question of `main`, which has the order of their questions.

    A verdict survives when its code stays the same.
    """
    found: list[list[Outcome]] = [[] for _ in main]
    for perturbation in perturbations:
        for place, comparison in enumerate(answers(perturbation.questions, perturbation.rules)):
            untestable = comparison.verdict == "not_comparable"
            survives = None if untestable else comparison.verdict == main[place].verdict
            found[place].append(Outcome(perturbation, comparison, survives))
    return found


def restricted(questions: Sequence[Question], kept: Collection[str]) -> tuple[Question, ...]:
    """Return the questions on some of their queries only."""
    wanted = set(kept)

    def part(scores: Scores) -> Scores:
        columns = [place for place, query_id in enumerate(scores.query_ids) if query_id in wanted]
        ids = tuple(scores.query_ids[place] for place in columns)
        return dataclasses.replace(scores, query_ids=ids, values=scores.values[:, columns])

    return tuple((part(reference), part(challenger)) for reference, challenger in questions)


def segments_left_out(questions: Sequence[Question], rules: Rules, segment_of: Mapping[str, str]) -> list[Perturbation]:
    """Return one perturbation per segment: without its queries. Nothing with fewer than two segments."""
    if not questions:
        return []
    ids = questions[0][0].query_ids
    sizes: dict[str, int] = {}
    for query_id in ids:
        sizes[segment_of.get(query_id, "")] = sizes.get(segment_of.get(query_id, ""), 0) + 1
    if len(sizes) < 2:
        return []
    named = sorted((name for name in sizes if name), key=lambda name: (-sizes[name], name))[:MOST_SEGMENTS]
    return [
        Perturbation(
            "segment_left_out",
            name,
            rules,
            restricted(questions, [query_id for query_id in ids if segment_of.get(query_id, "") != name]),
        )
        for name in named
    ]


def single_seeds(questions: Sequence[Question], rules: Rules, seeds: Sequence[int]) -> list[Perturbation]:
    """Return one perturbation per seed, every trained side with that seed alone. Nothing with one seed."""
    if len(seeds) < 2:
        return []

    def alone(scores: Scores, row: int) -> Scores:
        return dataclasses.replace(scores, values=scores.values[[row]]) if scores.trained else scores

    return [
        Perturbation(
            "single_seed",
            str(seed),
            rules,
            tuple((alone(reference, row), alone(challenger, row)) for reference, challenger in questions),
        )
        for row, seed in enumerate(seeds)
    ]


def other_rules(questions: Sequence[Question], rules: Rules) -> list[Perturbation]:
    """Return α and δ one step down and one step up."""
    asked = tuple(questions)
    of_alpha = [
        Perturbation("alpha", f"{alpha:g}", dataclasses.replace(rules, alpha=alpha), asked)
        for alpha in _steps(rules.alpha, ALPHAS)
    ]
    of_margin = [
        Perturbation("margin", f"{margin:g}", dataclasses.replace(rules, margin=margin), asked)
        for margin in _steps(rules.margin, MARGINS)
    ]
    return [*of_alpha, *of_margin]


def _steps(value: float, customary: Sequence[float]) -> list[float]:
    below = [other for other in customary if other < value * (1 - 1e-9)]
    above = [other for other in customary if other > value * (1 + 1e-9)]
    return [*below[-1:], *above[:1]]
