"""What to do next: the first rule that holds, its reasons and what would change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rerank.planning.power import queries_needed
from rerank.stats.comparison import Comparison
from rerank.stats.more_queries import MAX_FACTOR

DecisionCode = Literal[
    "repair_data",
    "repair_first_stage",
    "adopt_free_baseline",
    "stop",
    "collect_judgments",
    "add_second_stage",
    "repair_teacher",
    "adopt_single_stage",
]
DECISIONS: tuple[DecisionCode, ...] = (
    "repair_data",
    "repair_first_stage",
    "adopt_free_baseline",
    "stop",
    "collect_judgments",
    "add_second_stage",
    "repair_teacher",
    "adopt_single_stage",
)
REASONS = (
    "data_has_errors",
    "too_few_queries",
    "scores_not_comparable",
    "ceiling_small",
    "no_single_stage",
    "single_better",
    "single_worse",
    "single_no_gain",
    "single_gain_negligible",
    "single_inconclusive",
    "single_not_realistic",
    "free_baseline_gains",
    "free_baseline_no_gain",
    "free_baseline_ties",
    "free_baseline_not_beaten",
    "second_better",
    "second_too_dear",
    "second_negligible",
    "second_no_gain",
    "second_worse",
    "second_inconclusive",
    "second_not_run",
    "second_not_planned",
    "teacher_red",
    "teacher_amber",
    "luck_unknown",
)
WOULD_CHANGE = (
    "more_judged_queries",
    "errors_mended",
    "better_retrieval",
    "better_base_model",
    "better_teacher",
    "several_seeds",
    "second_stage_run",
    "other_margin",
)
# A perfect re-ranker takes all of the room above the first stage; fine-tuned ones rarely take half.
CEILING_FACTOR = 2.0


@dataclass(frozen=True)
class Evidence:
    """What a decision rests on.

    oracle_delta: the gain of a perfect re-ranking over the first stage, in units of the measure. single:
    best single stage against first stage; second: best two-stage against best single stage; None when not
    run. free_baselines: free strategies against first stage; free_against_single: the best single stage
    (challenger) against each. worth_usd_per_point: what +.01 is worth to the user, if given.
    """

    blocking_findings: tuple[str, ...]
    oracle_delta: float
    margin: float
    single: Comparison | None
    free_baselines: tuple[Comparison, ...]
    free_against_single: tuple[Comparison, ...]
    second: Comparison | None
    second_extra_cost_usd: float | None
    worth_usd_per_point: float | None
    distillation_wanted: bool
    teacher_audit: str | None
    gate: int
    single_strategy: str | None
    second_strategy: str | None
    second_planned: bool = True


@dataclass(frozen=True)
class Decision:
    """The decision's code, why, what would change it, and the numbers its sentence needs."""

    code: DecisionCode
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    next_numbers: Mapping[str, float | int | str] = field(default_factory=dict)


def _best_free(evidence: Evidence) -> Comparison | None:
    """Return the free baseline with the largest real gain over the first stage, None without one."""
    gains = [item for item in evidence.free_baselines if item.verdict == "better" and not item.negligible]
    return max(gains, key=lambda item: item.delta or 0.0, default=None)


def _without_gain(evidence: Evidence, reasons: tuple[str, ...], would: tuple[str, ...]) -> Decision:
    free = _best_free(evidence)
    if free is not None:
        return Decision(
            "adopt_free_baseline",
            (*reasons, "free_baseline_gains"),
            would,
            {"strategy": free.challenger, "delta": free.delta or 0.0},
        )
    missing = ("free_baseline_no_gain",) if evidence.free_baselines else ()
    return Decision("stop", (*reasons, *missing), (*would, "better_base_model"))


def _further_queries(single: Comparison) -> int | None:
    """Return how many more queries would show a gain of the observed size; None when not realistic.

    `not_worse` answers whether harm is excluded. Against the first stage the question is a gain, so it is
    open in the same way as `inconclusive`.
    """
    if single.verdict == "inconclusive":
        return single.n_more_queries
    if single.delta is None or single.delta <= 0 or not single.sd_queries:
        return None
    needed = queries_needed(single.delta, single.sd_queries, "difference")
    if needed > MAX_FACTOR * single.n_queries:
        return None
    return max(1, needed - single.n_queries)


def decide(evidence: Evidence) -> Decision:
    """Return the decision: the first rule that holds, in the order of the design's chapter on verdicts."""
    single, second = evidence.single, evidence.second
    if evidence.blocking_findings:
        return Decision("repair_data", ("data_has_errors",), ("errors_mended",))
    if single is not None and single.verdict == "not_comparable":
        few = "too_few_queries" in single.reasons
        reason = "too_few_queries" if few else "scores_not_comparable"
        return Decision("repair_data", (reason,), ("more_judged_queries" if few else "errors_mended",))
    if evidence.oracle_delta < CEILING_FACTOR * evidence.margin:
        room: dict[str, float | int | str] = {"oracle_delta": evidence.oracle_delta}
        return Decision("repair_first_stage", ("ceiling_small",), ("better_retrieval", "other_margin"), room)
    if single is None:
        return _without_gain(evidence, ("no_single_stage",), ())
    luck = ("luck_unknown",) if "luck_unknown" in single.reasons else ()
    seeds = ("several_seeds",) if luck else ()
    if single.verdict == "worse":
        return _without_gain(evidence, ("single_worse", *luck), ("better_base_model", *seeds))
    if single.verdict in ("identical", "equivalent"):
        return _without_gain(evidence, ("single_no_gain", *luck), seeds)
    if single.verdict == "better" and single.negligible:
        return _without_gain(evidence, ("single_gain_negligible", *luck), ("other_margin", *seeds))
    if single.verdict in ("inconclusive", "not_worse"):
        more = _further_queries(single)
        if more is None:
            return _without_gain(evidence, ("single_not_realistic", *luck), ("more_judged_queries", *seeds))
        numbers: dict[str, float | int | str] = {"n_more_queries": more}
        free = _best_free(evidence)
        meanwhile = ("free_baseline_gains",) if free is not None else ()
        if free is not None:
            numbers["strategy"] = free.challenger
        reasons = ("single_inconclusive", *meanwhile, *luck)
        return Decision("collect_judgments", reasons, ("more_judged_queries", *seeds), numbers)
    return _with_gain(evidence, single, second, luck, seeds)


def _with_gain(
    evidence: Evidence,
    single: Comparison,
    second: Comparison | None,
    luck: tuple[str, ...],
    seeds: tuple[str, ...],
) -> Decision:
    free = _best_free(evidence)
    reasons: tuple[str, ...] = ("single_better",)
    if free is not None:
        pairs = [item for item in evidence.free_against_single if item.reference == free.challenger]
        against = pairs[0] if pairs else None
        if against is not None and (against.verdict in ("worse", "identical", "equivalent") or against.negligible):
            return Decision(
                "adopt_free_baseline",
                (*reasons, "free_baseline_ties", *luck),
                ("more_judged_queries", *seeds),
                {"strategy": free.challenger, "delta": free.delta or 0.0},
            )
        if against is not None and against.verdict != "better":
            reasons = (*reasons, "free_baseline_not_beaten")
    red = evidence.distillation_wanted and evidence.teacher_audit == "red"
    amber = ("teacher_amber",) if evidence.teacher_audit == "amber" else ()
    if second is not None and second.verdict == "better" and not second.negligible:
        if _worth_it(evidence, second):
            numbers: dict[str, float | int | str] = {"delta": second.delta or 0.0}
            return Decision("add_second_stage", (*reasons, "second_better", *amber, *luck), seeds, numbers)
        reasons = (*reasons, "second_too_dear")
    elif second is None:
        reasons = (*reasons, "second_not_run" if evidence.second_planned else "second_not_planned")
    else:
        reasons = (*reasons, _about_second(second))
    if red:
        return Decision("repair_teacher", (*reasons, "teacher_red", *luck), ("better_teacher", *seeds))
    would = seeds
    if second is None and evidence.second_planned:
        would = ("second_stage_run", *would)
    if second is not None and second.verdict == "inconclusive":
        would = ("more_judged_queries", *would)
    more = second.n_more_queries if second is not None else None
    return Decision(
        "adopt_single_stage",
        (*reasons, *amber, *luck),
        would,
        {"delta": single.delta or 0.0} | ({"n_more_queries": more} if more is not None else {}),
    )


def _about_second(second: Comparison) -> str:
    if second.verdict == "better":
        return "second_negligible"
    if second.verdict == "worse":
        return "second_worse"
    if second.verdict in ("inconclusive", "not_comparable"):
        return "second_inconclusive"
    return "second_no_gain"


def _worth_it(evidence: Evidence, second: Comparison) -> bool:
    if evidence.worth_usd_per_point is None or evidence.second_extra_cost_usd is None:
        return True  # nobody said what a gain is worth: cost is shown, it does not decide
    return (second.delta or 0.0) * 100 * evidence.worth_usd_per_point >= evidence.second_extra_cost_usd


def gate_one(evidence: Evidence) -> dict[str, object]:
    """Return gate 1's recommendation: `go` on to the second stage or `no_go`, with reasons.

    Go when the single stage gains, or is open with a realistic number of queries, and no red teacher would
    teach the second stage.
    """
    found = decide(evidence)
    blocked = evidence.distillation_wanted and evidence.teacher_audit == "red"
    promising = found.code in ("adopt_single_stage", "add_second_stage", "collect_judgments")
    reasons = tuple(reason for reason in found.reasons if not reason.startswith("second_"))
    return {
        "recommended": "go" if promising and not blocked else "no_go",
        "reasons": [*reasons, *(["teacher_red"] if blocked and "teacher_red" not in reasons else [])],
    }
