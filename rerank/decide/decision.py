"""What to do next: the first rule that holds, its reasons and what would change it."""

import dataclasses
import math

from rerank.decide.evidence import Decision, Evidence, Number
from rerank.stats.comparison import Comparison
from rerank.stats.more_queries import queries_to_settle
from rerank.stats.more_seeds import seeds_to_settle

# A perfect re-ranker takes all of the room above the first stage; fine-tuned ones rarely take half.
CEILING_FACTOR = 2.0
_KEEP = ("guardrails_kept", "other_guardrails")  # what would change a decision that a guardrail made


def decide(evidence: Evidence) -> Decision:
    """Return the decision: the first rule that holds, in the order of the design's chapter on verdicts."""
    found = _with_signal(_decide(evidence), evidence.signal)
    numbers = dict(found.next_numbers)
    if "n_more_queries" in numbers:  # further test queries; a split tests only some of those that are judged
        numbers["n_more_to_judge"] = math.ceil(float(numbers["n_more_queries"]) / evidence.tested_share - 1e-9)
    would = _with_room(found, evidence)
    found = dataclasses.replace(
        found, would_change=(*would, *_about_guardrails(evidence, found.reasons)), next_numbers=numbers
    )
    # Two rules may name the same code; said once is enough.
    return dataclasses.replace(
        found, reasons=tuple(dict.fromkeys(found.reasons)), would_change=tuple(dict.fromkeys(found.would_change))
    )


def _with_room(found: Decision, evidence: Evidence) -> tuple[str, ...]:
    """Return what would change a decision; where a perfect order would gain less than the margin, no better model."""
    single, second = (item.delta or 0.0 if item is not None else 0.0 for item in (evidence.single, evidence.second))
    gains = {
        "adopt_free_baseline": float(found.next_numbers.get("delta", 0.0)),
        "adopt_single_stage": single,
        "add_second_stage": single + second,
    }
    if found.code not in gains or evidence.oracle_delta - gains[found.code] >= evidence.margin:
        return found.would_change
    models = ("better_base_model", "better_teacher")
    return tuple("better_retrieval" if code in models else code for code in found.would_change)


def _about_guardrails(evidence: Evidence, reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return what would change a guardrail that decided: more queries within chance, retrieval where recall is low."""
    named: dict[str, list[Comparison | None]] = {
        "single_breaks_guardrail": [evidence.single],
        "second_breaks_guardrail": [evidence.second],
        "free_baseline_breaks_guardrail": [*_free_gains(evidence)],
    }
    found = [item.challenger for code, items in named.items() if code in reasons for item in items if item is not None]
    unsure = any(name in evidence.broken_by_chance for name in found)
    of_retrieval = any("min_recall" in evidence.broken.get(name, ()) for name in found)  # of all strategies alike
    return (("more_judged_queries",) if unsure else ()) + (("better_retrieval",) if of_retrieval else ())


def _with_signal(found: Decision, signal: Comparison | None) -> Decision:
    """Add what the question "label or distil?" has answered; it explains, the rules decide."""
    if signal is None or found.code in ("repair_data", "repair_first_stage"):
        return found
    would: tuple[str, ...] = ()
    if signal.verdict in ("identical", "equivalent") or signal.negligible:
        reason = "signal_equal"
    elif signal.verdict in ("better", "worse"):
        reason = "signal_distil" if signal.verdict == "better" else "signal_label"
    else:
        reason, would = "signal_open", (_settled_by(signal),)
    return dataclasses.replace(found, reasons=(*found.reasons, reason), would_change=(*found.would_change, *would))


def _decide(evidence: Evidence) -> Decision:
    single = evidence.single
    if evidence.blocking_findings:
        return Decision("repair_data", ("data_has_errors",), ("errors_mended",))
    if single is not None and single.verdict == "not_comparable":
        few = "too_few_queries" in single.reasons
        reason = "too_few_queries" if few else "scores_not_comparable"
        return Decision("repair_data", (reason,), ("more_judged_queries" if few else "errors_mended",))
    if evidence.oracle_delta < CEILING_FACTOR * evidence.margin:
        room: dict[str, Number] = {"oracle_delta": evidence.oracle_delta}
        return Decision("repair_first_stage", ("ceiling_small",), ("better_retrieval", "other_margin"), room)
    if single is None:
        if evidence.distillation_blocked:  # the only single stage would have learned from a red teacher
            return _without_gain(evidence, ("teacher_red", "no_single_stage"), ("better_teacher", "single_stage_run"))
        return _without_gain(evidence, ("no_single_stage",), ("single_stage_run",))
    if (single.verdict != "better" or single.negligible) and _second_carries(evidence):
        why = {
            "worse": "single_worse",
            "identical": "single_no_gain",
            "equivalent": "single_no_gain",
            "better": "single_gain_negligible",
        }
        return _with_second(evidence, (why.get(single.verdict, "single_inconclusive"),))
    if single.verdict == "worse":
        return _without_gain(evidence, ("single_worse",), ("better_base_model",))
    if single.verdict in ("identical", "equivalent"):
        return _without_gain(evidence, ("single_no_gain",), ("better_base_model",))
    if single.verdict == "better" and single.negligible:
        return _without_gain(evidence, ("single_gain_negligible",), ("other_margin", "better_base_model"))
    if single.verdict != "better":
        return _open(evidence, single)
    return _with_gain(evidence, single)


def _luck(*comparisons: Comparison | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the reason and what would change it when a trained side had one seed; nothing otherwise."""
    if any(item is not None and "luck_unknown" in item.reasons for item in comparisons):
        return ("luck_unknown",), ("several_seeds",)
    return (), ()


def _teacher(evidence: Evidence) -> tuple[str, ...]:
    """Return what the teacher's audit adds to the reasons."""
    if not evidence.distillation_wanted:
        return ()
    return {"red": ("teacher_red",), "amber": ("teacher_amber",)}.get(evidence.teacher_audit or "", ())


def _best_free(evidence: Evidence) -> Comparison | None:
    """Return the free baseline with the largest real gain that keeps the guardrails and is worth its cost."""
    kept = [item for item in _free_gains(evidence) if item.challenger not in evidence.broken]
    gains = [item for item in kept if _worth_it(evidence, item)]
    return max(gains, key=lambda item: item.delta or 0.0, default=None)


def _against(evidence: Evidence, free: Comparison | None) -> Comparison | None:
    """Return the single stage (challenger) against a free baseline."""
    name = free.challenger if free is not None else None
    return next((item for item in evidence.free_against_single if item.reference == name), None)


def _ties(against: Comparison) -> bool:
    """Say whether a challenger is shown to be no better, by more than the margin, than its reference."""
    return against.verdict in ("worse", "identical", "equivalent") or against.negligible


def _does_as_well(against: Comparison) -> bool:
    """Say whether a cheaper reference ties, or is not behind and not shown to be worse: nothing speaks for paying."""
    return _ties(against) or (against.verdict != "better" and (against.delta or 0.0) <= 0)


def _free_gains(evidence: Evidence) -> list[Comparison]:
    return [item for item in evidence.free_baselines if item.verdict == "better" and not item.negligible]


def _free(found: Comparison, reasons: tuple[str, ...], would: tuple[str, ...]) -> Decision:
    return Decision("adopt_free_baseline", reasons, would, {"strategy": found.challenger, "delta": found.delta or 0.0})


def _without_gain(evidence: Evidence, reasons: tuple[str, ...], would: tuple[str, ...]) -> Decision:
    """Return what to do when a single stage does not gain: what is free, if it gains, else nothing."""
    luck, seeds = _luck(evidence.single)
    free = _best_free(evidence)
    if free is not None:
        return _free(free, (*reasons, "free_baseline_gains", *luck), (*would, *seeds))
    missing: tuple[str, ...] = ("free_baseline_no_gain",) if evidence.free_baselines else ()
    if _free_gains(evidence):
        is_dear = any(item.challenger not in evidence.broken for item in _free_gains(evidence))
        missing = ("free_baseline_too_dear",) if is_dear else ("free_baseline_breaks_guardrail",)
        would = (*would, "other_prices") if is_dear else (*would, *_KEEP)
    return Decision("stop", (*reasons, *missing, *luck), (*would, *seeds))


def _open(evidence: Evidence, single: Comparison) -> Decision:
    """Return what to do when a gain is neither shown nor excluded.

    `not_worse` says that harm is excluded. Against the first stage the question is a gain, which is then as
    open as when everything is; only the number of queries that would show it counts.
    """
    if single.challenger in evidence.broken:  # further queries would show a gain that is not wanted as it is
        return _without_gain(evidence, ("single_inconclusive", "single_breaks_guardrail"), _KEEP)
    each = evidence.alpha / (1 + evidence.second_planned + (evidence.signal is not None))
    more = single.n_more_queries
    if single.verdict == "not_worse":
        more = queries_to_settle(single, alpha=evidence.alpha, alpha_difference=each, settled="gain")
    # Seeds that only exclude harm would lead to stopping, which takes none.
    more_seeds = seeds_to_settle(single, alpha=evidence.alpha, alpha_difference=each, settled="gain")
    if more is None and more_seeds is None:
        return _without_gain(evidence, ("single_not_realistic",), ("better_base_model",))
    luck, seeds = _luck(single)
    free = _best_free(evidence)
    against = _against(evidence, free)
    if free is not None and against is not None and _ties(against):
        # More queries or seeds may show a gain over the first stage, but none over what costs nothing.
        return _free(free, ("single_inconclusive", "free_baseline_ties", *luck), ("better_base_model", *seeds))
    numbers: dict[str, Number] = {"strategy": free.challenger} if free is not None else {}
    meanwhile = ("free_baseline_gains",) if free is not None else ()
    reasons = ("single_inconclusive", *meanwhile, *luck)
    if more_seeds is not None:  # device time, and nobody has to judge
        return Decision(
            "train_more_seeds", (*reasons, "luck_hides"), ("several_seeds",), numbers | {"n_more_seeds": more_seeds}
        )
    if more is not None:
        numbers["n_more_queries"] = more
    return Decision("collect_judgments", reasons, ("more_judged_queries", *seeds), numbers)


def _with_gain(evidence: Evidence, single: Comparison) -> Decision:
    """Return what to do when the single stage beats the first stage by more than the margin can hide."""
    second = evidence.second
    reasons: tuple[str, ...] = ("single_better",)
    about, would = _about_second(evidence, second)
    if single.challenger in evidence.broken:
        reasons = (*reasons, "single_breaks_guardrail")
        if about != "second_better":
            return _without_gain(evidence, reasons, _KEEP)
    carries = _second_carries(evidence)
    if not _worth_it(evidence, single):
        if carries:
            return _with_second(evidence, (*reasons, "single_too_dear"))
        return _without_gain(evidence, (*reasons, "single_too_dear"), ("other_prices",))
    free = _best_free(evidence)
    against = _against(evidence, free)
    if free is not None and against is not None:
        luck, seeds = _luck(single, against)
        free_does = _does_as_well(against)
        if carries and (free_does or not _worth_it(evidence, against)):
            return _with_second(evidence, reasons)
        if free_does:
            why = "free_baseline_ties" if _ties(against) else "free_baseline_not_beaten"
            return _free(free, (*reasons, why, *luck), (_settled_by(against), "better_base_model", *seeds))
        if not _worth_it(evidence, against):
            return _free(free, (*reasons, "single_too_dear", *luck), ("other_prices", *seeds))
        if against.verdict != "better":
            reasons = (*reasons, "free_baseline_not_beaten")
    luck, seeds = _luck(single, second)
    teacher = _teacher(evidence)
    reasons = (*reasons, about, *teacher, *luck)
    if second is not None and about == "second_better":
        reasons = (*reasons, _about_longer(evidence)[0])
        return Decision("add_second_stage", reasons, (*would, *seeds), {"delta": second.delta or 0.0})
    if "teacher_red" in teacher:
        return Decision("repair_teacher", reasons, ("better_teacher", *seeds))
    if against is not None and "free_baseline_not_beaten" in reasons:
        would = (_settled_by(against), *would)
    numbers: dict[str, Number] = {"delta": single.delta or 0.0}
    if second is not None and second.n_more_queries is not None and second.n_more_seeds is None:
        numbers["n_more_queries"] = second.n_more_queries
    return Decision("adopt_single_stage", reasons, (*would, *seeds), numbers)


def _second_carries(evidence: Evidence) -> bool:
    """Say whether two stages are worth having although the single stage is not: they beat all that is cheaper.

    Shown, by more than the margin can hide, and worth it: against the single stage (a locked question), the first stage
    and the best free baseline. The latter two can only hold back what the first has shown.
    """
    single, second = evidence.single, evidence.second
    if single is None or second is None or _about_second(evidence, second)[0] != "second_better":
        return False
    free = _best_free(evidence)
    references = {single.reference} | ({free.challenger} if free is not None else set())
    beaten = {
        item.reference
        for item in evidence.second_against_untrained
        if item.verdict == "better" and not item.negligible and _worth_it(evidence, item)
    }
    return references <= beaten


def _with_second(evidence: Evidence, reasons: tuple[str, ...]) -> Decision:
    """Return the decision for two stages where the single stage alone would not do."""
    second = evidence.second
    luck, seeds = _luck(evidence.single, second)
    credited, would = _about_longer(evidence)
    reasons = (*reasons, "second_better", "second_beats_all", credited, *_teacher(evidence), *luck)
    numbers: dict[str, Number] = {"delta": (second.delta if second else None) or 0.0}
    free = _best_free(evidence)
    if free is not None:  # what would be in use without the second stage
        numbers["strategy"] = free.challenger
    return Decision("add_second_stage", reasons, ("other_margin", *would, *seeds), numbers)


def _about_longer(evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    """Return what a single stage of as many steps says of the second stage's gain, and what would change that."""
    longer = evidence.second_against_longer
    if longer is None or longer.verdict == "not_comparable":
        return "second_not_controlled", ("controls_trained",)
    if longer.verdict == "better" and not longer.negligible:
        return "second_beats_longer", ()
    if _does_as_well(longer):
        return "second_only_longer", ("longer_single_stage",)
    return "second_longer_not_beaten", (_settled_by(longer),)


def _about_second(evidence: Evidence, second: Comparison | None) -> tuple[str, tuple[str, ...]]:
    """Return what the two-stage comparison says, and what would change that."""
    if second is None and evidence.distillation_blocked and evidence.second_planned:
        return "second_blocked", ("better_teacher",)
    if second is None:
        return "second_not_run" if evidence.second_planned else "second_not_planned", ("second_stage_run",)
    if second.verdict == "better":
        if second.negligible:
            return "second_negligible", ("other_margin",)
        if second.challenger in evidence.broken:
            return "second_breaks_guardrail", _KEEP
        if _worth_it(evidence, second):
            credited, would = _about_longer(evidence)
            if credited == "second_only_longer":
                return credited, would
            return "second_better", ("other_margin", *would)
        return "second_too_dear", ("other_prices",)
    if second.verdict == "worse":
        return "second_worse", ("better_teacher",)
    if second.verdict == "not_comparable":
        return "second_inconclusive", ("errors_mended",)
    if second.verdict == "inconclusive":
        realistic = second.n_more_queries is not None or second.n_more_seeds is not None
        return "second_inconclusive", (_settled_by(second) if realistic else "better_teacher",)
    return "second_no_gain", ("better_teacher",)


def _settled_by(comparison: Comparison) -> str:
    """Return what would answer an open comparison: more seeds where training luck hides it, else more queries."""
    return "more_judged_queries" if comparison.n_more_seeds is None else "several_seeds"


def _worth_it(evidence: Evidence, comparison: Comparison) -> bool:
    """Say whether the challenger brings at least its extra cost; so it counts when nobody said what a gain is worth."""
    return evidence.net_usd.get((comparison.reference, comparison.challenger), 0.0) >= 0


def gate_one(evidence: Evidence) -> dict[str, object]:
    """Return gate 1's recommendation: `go` on to the second stage or `no_go`, with reasons; None when none is planned.

    Go when the single stage gains, or is open with a realistic number of queries or seeds, and no red teacher would
    teach the second stage. What gate 2 found is left out: it must not rewrite what was recommended before it.
    """
    if not evidence.second_planned:
        return {"recommended": None, "reasons": ["second_not_planned"]}
    found = decide(dataclasses.replace(evidence, second=None))
    teacher = _teacher(evidence)
    promising = found.code in ("adopt_single_stage", "train_more_seeds", "collect_judgments")
    own = [reason for reason in found.reasons if not reason.startswith("second_")]
    return {
        "recommended": "go" if promising and "teacher_red" not in teacher else "no_go",
        "reasons": list(dict.fromkeys((*own, *teacher))),
    }
