"""Audits on disk, who let a red teacher teach all the same, and what the analyst says about disagreements."""

from pathlib import Path
from typing import Any

from rerank.audit.disagreements import MARKS
from rerank.errors import RerankError
from rerank.planning.experiments import experiment_folder, now
from rerank.store.artefacts import read_json, update_json
from rerank.store.home import room

AUDIT, OVERRIDES, MARKED = "audit.json", "teacher_overrides.json", "audit_marks.json"


def audit_path(digest: str) -> Path:
    """Return where an audit lies, whether it exists or not; the digest names what it was computed from."""
    return room("audits") / f"{digest}.json"


def job_audit_path(job: str) -> Path:
    """Return where a job of kind `audit` leaves what it found."""
    return room("jobs") / f"{job}.audit.json"


def load_audit(experiment: str) -> dict[str, Any] | None:
    """Return an experiment's audit, None before there is one."""
    found = _read(experiment_folder(experiment) / AUDIT)
    return found if isinstance(found, dict) else None


def let_teach(experiment: str, *, by: str, reason: str) -> dict[str, Any]:
    """Let an experiment's red teacher teach all the same: with a name and a reason, for this audit only.

    Earlier records stay. Raises RerankError `nothing_to_override` when there is no red audit, and
    `teacher_override_unsigned` without a name or a reason.
    """
    audit = load_audit(experiment)
    if audit is None or audit["colour"] != "red":
        raise RerankError("nothing_to_override", experiment=experiment)
    if not by.strip() or not reason.strip():
        raise RerankError("teacher_override_unsigned")
    record = {"at": now(), "audit": audit["digest"], "by": by.strip(), "reason": reason.strip()}
    update_json(experiment_folder(experiment) / OVERRIDES, lambda known: [*(known or []), record])
    return record


def override_of(experiment: str, audit_digest: str) -> dict[str, Any] | None:
    """Return the newest override of an audit, None without one: another audit needs another signature."""
    known = _read(experiment_folder(experiment) / OVERRIDES) or []
    mine = [record for record in known if record["audit"] == audit_digest]
    return dict(mine[-1]) if mine else None


def record_mark(experiment: str, query_id: str, mark: str | None) -> dict[str, Any] | None:
    """Keep whose error a disagreement is: `teacher_error`, `label_error` or `unclear`; None takes it back.

    Returns the record. Raises RerankError `unknown_mark`.
    """
    if mark is not None and mark not in MARKS:
        raise RerankError("unknown_mark", mark=mark)
    new = None if mark is None else {"query_id": query_id, "mark": mark, "at": now()}

    def change(known: Any) -> list[dict[str, Any]]:
        changed = {str(record["query_id"]): record for record in known or []}
        if new is None:
            changed.pop(query_id, None)
        else:
            changed[query_id] = new
        return list(changed.values())

    update_json(experiment_folder(experiment) / MARKED, change)
    return new


def marks(experiment: str) -> dict[str, dict[str, Any]]:
    """Return the analyst's marks by query id: `query_id`, `mark`, `at`."""
    known = _read(experiment_folder(experiment) / MARKED) or []
    return {str(record["query_id"]): record for record in known}


def _read(path: Path) -> Any:
    return read_json(path) if path.is_file() else None
