"""The decision of a result: gathers the evidence and hands it to the rules."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rerank.decide.decision import decide, gate_one
from rerank.decide.evidence import Evidence
from rerank.decide.guardrails import broken_by_chance, broken_of
from rerank.planning.graph import distils
from rerank.planning.plan import DISTILLED, LABELLED, LONGER, TWO_STAGE, UNTRAINED
from rerank.report.comparisons import FIRST, best_of
from rerank.report.ran import Ran
from rerank.stats.comparison import Comparison

# With more rows left out than that, the sample is no longer the one that was drawn.
MAX_LEFT_OUT_SHARE = 0.1


def _blocking_findings(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the errors for which more than a tenth of a dataset's queries or judgments were left out."""
    found: set[str] = set()
    for role in ("queries", "judgments"):
        codes = manifest.get("left_out", {}).get(role, {})
        n_left_out = sum(codes.values())
        if n_left_out > MAX_LEFT_OUT_SHARE * (n_left_out + manifest[f"n_{role}"]):
            found.update(codes)
    return tuple(sorted(found))


def _locked(
    comparisons: Sequence[Comparison], primary: str
) -> tuple[Comparison | None, Comparison | None, Comparison | None]:
    """Return the answers to the locked questions: single stage, second stage, label or distil."""
    confirmatory = [found for found in comparisons if found.measure == primary and found.confirmatory]
    single = next((found for found in confirmatory if found.reference == FIRST), None)
    second = next((found for found in confirmatory if found.challenger in TWO_STAGE), None)
    signal = next(
        (found for found in confirmatory if found.reference in LABELLED and found.challenger in DISTILLED), None
    )
    return single, second, signal


def _recommended(decision: Mapping[str, Any]) -> str | None:
    """Return the strategy that the decision would put into service, None when it changes nothing yet."""
    by_code = {
        "adopt_free_baseline": decision["next_numbers"].get("strategy"),
        "add_second_stage": decision["second_strategy"],
        "adopt_single_stage": decision["single_strategy"],
        "repair_teacher": decision["single_strategy"],
    }
    return by_code.get(decision["code"])


def _evidence(
    plan: Mapping[str, Any],
    comparisons: Sequence[Comparison],
    oracle_delta: float,
    audit: Mapping[str, Any] | None,
    guardrails: Sequence[Mapping[str, Any]],
    net_usd: Mapping[tuple[str, str], float],
    blocking_findings: tuple[str, ...],
    longer: str | None,
) -> Evidence:
    single, second, signal = _locked(comparisons, plan["primary_measure"])
    mine = [found for found in comparisons if found.measure == plan["primary_measure"]]
    free = [name for name in UNTRAINED if name != FIRST]
    chosen = single.challenger if single else None
    taught = second.challenger if second else None
    split = plan["split"]
    return Evidence(
        blocking_findings=blocking_findings,
        oracle_delta=oracle_delta,
        margin=plan["margin"],
        single=single,
        free_baselines=tuple(found for found in mine if found.reference == FIRST and found.challenger in free),
        free_against_single=tuple(found for found in mine if found.reference in free and found.challenger == chosen),
        second=second,
        distillation_wanted=distils(plan["strategies"]),
        teacher_audit=audit["colour"] if audit else None,
        distillation_blocked=bool(audit and audit.get("blocked")),
        second_planned=any(name in TWO_STAGE for name in plan["strategies"]),
        alpha=plan["alpha"],
        net_usd=net_usd,
        signal=signal,
        broken=broken_of(guardrails),
        second_against_untrained=tuple(
            found for found in mine if found.reference in UNTRAINED and found.challenger == taught
        ),
        second_against_longer=next(
            (found for found in mine if taught and found.reference == longer and found.challenger == taught), None
        ),
        broken_by_chance=broken_by_chance(guardrails),
        tested_share=split["test_share"] if split["kind"] == "holdout" else 1.0,
    )


def _record(evidence: Evidence) -> dict[str, Any]:
    """Return the decision as it stands in `result.json`."""
    decision = dataclasses.asdict(decide(evidence))
    for name in ("reasons", "would_change"):
        decision[name] = list(decision[name])
    decision["single_strategy"] = evidence.single.challenger if evidence.single else None
    decision["second_strategy"] = evidence.second.challenger if evidence.second else None
    longer = evidence.second_against_longer
    decision["longer_strategy"] = longer.reference if longer else None
    decision["recommended_strategy"] = _recommended(decision)
    decision["next_numbers"] = dict(decision["next_numbers"])
    return decision


def decision_of(
    ran: Ran,
    comparisons: Sequence[Comparison],
    oracle_delta: float,
    audit: Mapping[str, Any] | None,
    guardrails: Sequence[Mapping[str, Any]],
    net_usd: Mapping[tuple[str, str], float],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the decision and gate 1's recommendation as they stand in `result.json`.

    net_usd: by (reference, challenger), what changing over brings minus its extra cost; empty when unknown.
    """
    blocking = _blocking_findings(ran.dataset.manifest)
    longer = best_of(ran, LONGER)
    evidence = _evidence(ran.plan.to_dict(), comparisons, oracle_delta, audit, guardrails, net_usd, blocking, longer)
    return _record(evidence), gate_one(evidence)


def decision_with(result: Mapping[str, Any], net_usd: Mapping[tuple[str, str], float]) -> dict[str, Any] | None:
    """Return what a stored result's decision would be with other net benefits; None when it would be the same.

    Only where the single stage gains does money count, so nothing else is decided again.
    """
    primary = result["plan"]["primary_measure"]
    names = [item.name for item in dataclasses.fields(Comparison)]
    comparisons = [
        Comparison(**{**{name: item[name] for name in names if name in item}, "reasons": tuple(item["reasons"])})
        for item in result["comparisons"]
    ]
    single, *_ = _locked(comparisons, primary)
    if result["decision"]["code"] == "repair_data" or single is None or single.verdict != "better":
        return None
    room = result["first_stage"]["oracle"] - result["strategies"][FIRST]["measures"][primary]
    guardrails = result.get("guardrails", [])  # not in results of earlier versions
    longer = result["decision"].get("longer_strategy")  # nor these
    evidence = _evidence(result["plan"], comparisons, room, result["teacher_audit"], guardrails, net_usd, (), longer)
    found = _record(evidence)
    same = all(found[name] == result["decision"][name] for name in ("code", "reasons"))
    return None if same else found
