"""Experiments on disk: the locked plan, the gates and what came out."""

import datetime
from pathlib import Path
from typing import Any

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.plan import Plan
from rerank.store.artefacts import read_json, update_json, write_json
from rerank.store.home import room

ID_LENGTH = 12


def now() -> str:
    """Return this moment in UTC, ISO 8601 to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def experiment_id(plan: Plan) -> str:
    """Return the id under which a plan is executed: equal plans are one experiment."""
    return plan.digest[:ID_LENGTH]


def experiment_folder(identity: str) -> Path:
    """Return an experiment's folder, whether it exists or not. Raises RerankError `no_such_experiment`."""
    if not identity or any(letter not in "0123456789abcdef" for letter in identity):
        raise RerankError("no_such_experiment", experiment=identity)
    return room("experiments") / identity


def lock_plan(plan: Plan, *, name: str, dataset_name: str) -> str:
    """Write the plan with its digest and the time, once; return the experiment's id.

    A plan that is locked already keeps its first time: starting again is not a new plan.
    """
    identity = experiment_id(plan)
    folder = experiment_folder(identity)
    record = folder / "plan.json"
    if not record.is_file():
        locked = {
            "digest": plan.digest,
            "locked_at": now(),
            "name": name,
            "dataset_name": dataset_name,
            "plan": plan.to_dict(),
        }
        write_json(room("plans") / f"{plan.digest}.json", locked)
        write_json(record, locked)
    return identity


def load_locked(identity: str) -> tuple[Plan, dict[str, Any]]:
    """Return an experiment's plan and its lock record (`digest`, `locked_at`, `name`, `dataset_name`).

    Raises RerankError `no_such_experiment`, or `plan_changed_after_lock` when the file was edited.
    """
    record = experiment_folder(identity) / "plan.json"
    if not record.is_file():
        raise RerankError("no_such_experiment", experiment=identity)
    locked: dict[str, Any] = read_json(record)
    plan = plan_from_dict(locked["plan"])
    if plan.digest != locked["digest"]:
        raise RerankError("plan_changed_after_lock", experiment=identity)
    return plan, locked


def export_folder(identity: str, strategy: str) -> Path:
    """Return where a strategy's exported model lies, whether it exists or not."""
    return room("exports") / experiment_folder(identity).name / strategy


def spent_path(identity: str) -> Path:
    """Return where the device seconds and the money of all starts are kept, whether it exists or not."""
    return experiment_folder(identity) / "spent.json"


def forecast_path(plan: Plan, device: str) -> Path:
    """Return where a plan's forecast for a device choice is kept, whether it exists or not."""
    return room("forecasts") / f"{plan.digest}.{device}.json"


def pilot_path(plan: Plan) -> Path:
    """Return where the pilot of a plan is kept, whether it exists or not: its name is of what the pilot depends on."""
    given = plan.to_dict()
    named = ("dataset_digest", "primary_measure", "relevant_grade", "split", "first_stage", "max_queries")
    return room("pilots") / f"{digest_of({name: given[name] for name in named})}.json"


def list_experiments() -> list[dict[str, Any]]:
    """Return the lock records of all experiments, newest first, each with `id` and `has_result`."""
    found = []
    for folder in room("experiments").iterdir():
        record = folder / "plan.json"
        if record.is_file():
            locked = read_json(record)
            locked["id"] = folder.name
            locked["has_result"] = (folder / "result.json").is_file()
            found.append(locked)
    return sorted(found, key=lambda locked: (locked["locked_at"], locked["id"]), reverse=True)


def load_result(identity: str) -> dict[str, Any] | None:
    """Return an experiment's result as written, None before there is one."""
    path = experiment_folder(identity) / "result.json"
    found: dict[str, Any] | None = read_json(path) if path.is_file() else None
    return found


def record_gate(identity: str, *, decided: str, recommended: str, by: str, reason: str) -> None:
    """Add a decision about gate 1 (`go` or `no_go`) to the experiment's record; earlier ones stay."""
    record = {"at": now(), "decided": decided, "recommended": recommended, "by": by, "reason": reason}
    update_json(experiment_folder(identity) / "gates.json", lambda known: [*(known or []), record])


def gates(identity: str) -> list[dict[str, Any]]:
    """Return the decisions about gate 1, oldest first."""
    path = experiment_folder(identity) / "gates.json"
    found: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    return found
