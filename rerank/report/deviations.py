"""What an experiment did other than its locked plan said, or what its reader should know happened on the way."""

from collections.abc import Mapping
from typing import Any

from rerank import __version__
from rerank.planning.plan import TWO_STAGE, single_stage_part
from rerank.report.ran import Ran

# Every code that a deviation can have: each has a sentence in `rerank.wording`.
DEVIATIONS = (
    "second_stage_despite_no_go",
    "second_stage_against_recommendation",
    "gates_run_at_once",
    "device_changed",
    "version_changed",
    "computed_otherwise",
    "strategies_left_out",
    "rows_left_out",
    "fewer_unlabelled_queries",
)


def deviations_of(ran: Ran, gate_one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the deviations as they stand in `result.json`: `code` and `facts`, in the order of `DEVIATIONS`."""
    found = [*_gates(ran, gate_one), *_starts(ran)]
    planned = single_stage_part(ran.plan) if ran.gate == 1 else ran.plan.strategies
    missing = [name for name in planned if name not in {run.name for run in ran.runs}]
    if missing:
        found.append({"code": "strategies_left_out", "facts": {"strategies": missing}})
    n_rejected = int(ran.dataset.manifest.get("n_rejected", 0))
    if n_rejected:
        found.append({"code": "rows_left_out", "facts": {"n": n_rejected}})
    used = sum(ran.unlabelled_counts.values())
    if ran.unlabelled_counts and used < ran.plan.unlabelled.queries:
        found.append({"code": "fewer_unlabelled_queries", "facts": {"planned": ran.plan.unlabelled.queries, "n": used}})
    return found


def _gates(ran: Ran, gate_one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how the second stage was started other than by a recommended go."""
    if ran.gate == 1 or not any(name in TWO_STAGE for name in ran.plan.strategies):
        return []
    decided = ran.gates[-1] if ran.gates else None
    if decided is not None and decided["decided"] == "no_go":
        return [{"code": "second_stage_despite_no_go", "facts": _signed(decided)}]
    if decided is not None and decided["recommended"] == "no_go":
        return [{"code": "second_stage_against_recommendation", "facts": _signed(decided)}]
    if decided is None:  # nobody decided between the gates
        recommended = gate_one["recommended"]
        return [{"code": "gates_run_at_once", "facts": {"recommended": recommended}}]
    return []


def _signed(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("at", "by", "reason")}


def _starts(ran: Ran) -> list[dict[str, Any]]:
    """Return what changed between the starts of an experiment, the present one last."""
    now = {"device_name": ran.device_name, "code_version": __version__}
    starts = [*ran.starts, now]
    found = []
    for fact, code in (("device_name", "device_changed"), ("code_version", "version_changed")):
        values = list(dict.fromkeys(str(start[fact]) for start in starts if start.get(fact)))
        if len(values) > 1:
            found.append({"code": code, "facts": {"values": values}})
    if len(ran.computed_with) > 1:
        found.append({"code": "computed_otherwise", "facts": {"ways": " → ".join(ran.computed_with)}})
    return found
