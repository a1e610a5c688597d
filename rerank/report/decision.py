"""The decision of a result: gathers the evidence and hands it to the rules."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rerank.decide.decision import Evidence, decide, gate_one
from rerank.planning.graph import distils
from rerank.planning.plan import TWO_STAGE, UNTRAINED
from rerank.report.comparisons import FIRST
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


def decision_of(
    ran: Ran,
    comparisons: Sequence[Comparison],
    strategies: Mapping[str, Any],
    oracle_delta: float,
    audit: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the decision and gate 1's recommendation as they stand in `result.json`."""
    primary = ran.plan.primary_measure
    mine = [found for found in comparisons if found.measure == primary]
    confirmatory = [found for found in mine if found.confirmatory]
    single = next((found for found in confirmatory if found.reference == FIRST), None)
    second = next((found for found in confirmatory if found.reference != FIRST), None)
    free = [name for name in UNTRAINED if name != FIRST]
    extra = None
    if second is not None:
        costs = {name: strategies[name]["cost"] for name in (second.challenger, second.reference)}
        total = {name: cost["train_usd"] + cost["teacher_usd"] for name, cost in costs.items()}
        extra = total[second.challenger] - total[second.reference]
    chosen = single.challenger if single else None
    evidence = Evidence(
        blocking_findings=_blocking_findings(ran.dataset.manifest),
        oracle_delta=oracle_delta,
        margin=ran.plan.margin,
        single=single,
        free_baselines=tuple(found for found in mine if found.reference == FIRST and found.challenger in free),
        free_against_single=tuple(found for found in mine if found.reference in free and found.challenger == chosen),
        second=second,
        second_extra_cost_usd=extra,
        worth_usd_per_point=None,
        distillation_wanted=distils(ran.plan.strategies),
        teacher_audit=audit["colour"] if audit else None,
        second_planned=any(name in TWO_STAGE for name in ran.plan.strategies),
        alpha=ran.plan.alpha,
    )
    decision = dataclasses.asdict(decide(evidence))
    for name in ("reasons", "would_change"):
        decision[name] = list(decision[name])
    decision["single_strategy"] = chosen
    decision["second_strategy"] = second.challenger if second else None
    decision["next_numbers"] = dict(decision["next_numbers"])
    return decision, gate_one(evidence)
