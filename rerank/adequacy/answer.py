"""Whether a sample is good enough: the rule, its reasons and what to do next."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from rerank.adequacy.lists import DEPTH
from rerank.adequacy.sample import Judged, Sample
from rerank.intake.agreement import TENTATIVE_ALPHA
from rerank.intake.pool import LOW_SHARE
from rerank.planning.power import minimum_detectable_effect, queries_needed
from rerank.stats.compare import MIN_QUERIES

NOTICEABLE, MATERIAL = 0.05, 0.10  # after Spärck Jones 1974, in points of the measure
ONE_SIDED_SHARE = 0.9  # of the judgments that are relevant

Code = Literal["enough", "large_effects_only", "not_enough"]
CODES: tuple[Code, ...] = get_args(Code)

# In the order in which they are said.
BLOCKING = ("no_judgments", "too_few_queries", "gain_must_be_material")
LIMITING = (
    "gain_must_be_large",
    "few_judged_at_depth",
    "raters_disagree",
    "implicit_judgments",
    "queries_repeat",
)
NOTES = (
    "strategies_hard_to_part",
    "only_one_search_judged",
    "judgments_one_sided",
    "small_segments",
    "chains_divided",
    "language",
)
REASONS = (*BLOCKING, *LIMITING, *NOTES)
STEPS = (
    "judge_log_queries",
    "find_new_queries",
    "judge_deeper",
    "agree_on_grades",
    "ask_people",
    "judge_first_ten",
    "choose_model",
    "make_plan",
)


@dataclass(frozen=True)
class Said:
    """A code with what its sentence needs."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The answer, why, and what to do, the most useful first. `n_more`: usable queries that the next step needs."""

    code: Code
    reasons: tuple[Said, ...]
    steps: tuple[Said, ...]
    n_more: int


def answer_of(sample: Sample) -> Answer:
    """Return whether a sample is enough, by the first rule that holds.

    not_enough: a blocking reason; large_effects_only: a limiting one; else enough. Notes never change the answer.
    """
    reasons = tuple(_reasons(sample))
    codes = {reason.code for reason in reasons}
    code: Code = "enough"
    if codes & set(BLOCKING):
        code = "not_enough"
    elif codes & set(LIMITING):
        code = "large_effects_only"
    n_more = _n_more(sample)
    return Answer(code, reasons, tuple(_steps(sample, codes, code, n_more)), n_more)


def _band(detectable: float) -> int:
    return 0 if detectable <= NOTICEABLE else 1 if detectable <= MATERIAL else 2


def _detectable_once(sample: Sample) -> float:
    """Return the smallest detectable gain when queries that repeat others count once."""
    return minimum_detectable_effect(
        sample.repeats.n_groups, sample.sd_first, alpha=sample.alpha, comparisons=sample.n_questions
    )


def _fullest(sample: Sample) -> Judged | None:
    return max(sample.judged, key=lambda item: item.share, default=None)


def _reasons(sample: Sample) -> Sequence[Said]:
    found: list[Said] = []
    n, detectable = sample.n_usable, sample.detectable_first
    if not sample.n_judgments:
        return [Said("no_judgments")]
    if n < MIN_QUERIES:
        found.append(Said("too_few_queries", {"n": n, "minimum": MIN_QUERIES}))
    elif _band(detectable):
        code = "gain_must_be_material" if _band(detectable) > 1 else "gain_must_be_large"
        found.append(Said(code, {"n": n, "detectable": detectable, "half_width": sample.half_width}))
    fullest = _fullest(sample)
    if fullest is not None and fullest.share < LOW_SHARE:
        facts = {"system": fullest.system, "judged_share": fullest.share, "depth": DEPTH}
        found.append(Said("few_judged_at_depth", facts))
    if sample.raters is not None and sample.raters.alpha < TENTATIVE_ALPHA:
        facts = {"alpha": sample.raters.alpha, "minimum": TENTATIVE_ALPHA, "n_raters": sample.raters.n_raters}
        found.append(Said("raters_disagree", facts))
    if sample.implicit:
        found.append(Said("implicit_judgments"))
    once = _detectable_once(sample)
    if n >= MIN_QUERIES and (_band(once) > _band(detectable) or sample.repeats.n_groups < MIN_QUERIES):
        facts = {"n": n, "n_groups": sample.repeats.n_groups, "detectable": once}
        found.append(Said("queries_repeat", facts))
    if sample.detectable_between > sample.margin and n >= MIN_QUERIES:
        facts = {"detectable": sample.detectable_between, "margin": sample.margin}
        found.append(Said("strategies_hard_to_part", facts))
    if sample.one_search:
        found.append(Said("only_one_search_judged"))
    if sample.relevant_share > ONE_SIDED_SHARE:
        found.append(Said("judgments_one_sided", {"relevant_share": sample.relevant_share}))
    small = [item.name for item in sample.segments if item.n_queries < MIN_QUERIES]
    if small:
        found.append(Said("small_segments", {"segments": small, "n": len(small), "minimum": MIN_QUERIES}))
    if sample.repeats.n_divided:
        found.append(
            Said("chains_divided", {"n": sample.repeats.n_divided, "largest": sample.repeats.largest}),
        )
    if sample.language:
        found.append(Said("language", {"code": sample.language, "models": list(sample.models)}))
    return found


def _n_more(sample: Sample) -> int:
    """Return how many usable queries are missing until a noticeable gain would be found; repeats count once."""
    needed = queries_needed(
        NOTICEABLE, sample.sd_first, "difference", alpha=sample.alpha, comparisons=sample.n_questions
    )
    return max(0, needed - sample.repeats.n_groups)


def _steps(sample: Sample, codes: set[str], code: Code, n_more: int) -> Sequence[Said]:
    found: list[Said] = []
    if n_more:
        waiting = min(n_more, sample.n_without_judgments)
        if waiting:
            found.append(Said("judge_log_queries", {"n": waiting, "n_more": n_more}))
        if sample.n_without_relevant:
            found.append(Said("judge_deeper", {"n": min(n_more, sample.n_without_relevant)}))
        rest = n_more - waiting - min(n_more, sample.n_without_relevant)
        if rest > 0:
            found.append(Said("find_new_queries", {"n": rest}))
    for reason, step in (("raters_disagree", "agree_on_grades"), ("implicit_judgments", "ask_people")):
        if reason in codes:
            found.append(Said(step))
    fullest = _fullest(sample)
    if fullest is not None and "few_judged_at_depth" in codes:
        n = math.ceil((LOW_SHARE - fullest.share) * fullest.n_pairs - 1e-9)
        found.append(Said("judge_first_ten", {"n": n, "system": fullest.system, "depth": DEPTH}))
    if code == "enough":
        found.insert(0, Said("make_plan"))
    if sample.language:
        found.append(Said("choose_model", {"models": list(sample.models)}))
    return found
