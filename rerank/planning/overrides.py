"""Decisions and verdicts that a person has overridden: who, why and when, beside the experiment."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.planning.experiments import experiment_folder, now
from rerank.store.artefacts import read_json, update_json

OVERRIDES_FILE = "overrides.json"


def record_override(
    identity: str, *, subject: Sequence[str], computed: str, decided: str, by: str, reason: str
) -> None:
    """Add an override to an experiment's record; earlier ones and every computed number stay.

    subject: empty for the decision, else reference and challenger of the verdict. computed and decided: codes.
    Raises RerankError `override_unsigned` without a name or a reason, `override_changes_nothing`.
    """
    if not by.strip() or not reason.strip():
        raise RerankError("override_unsigned")
    if decided == computed:
        raise RerankError("override_changes_nothing")
    path = experiment_folder(identity) / OVERRIDES_FILE
    record = {
        "at": now(),
        "subject": list(subject),
        "computed": computed,
        "decided": decided,
        "by": by.strip(),
        "reason": reason.strip(),
    }
    update_json(path, lambda known: [*(known or []), record])


def overrides(identity: str) -> list[dict[str, Any]]:
    """Return an experiment's overrides, oldest first."""
    return read_overrides(experiment_folder(identity))


def read_overrides(folder: Path) -> list[dict[str, Any]]:
    """Return the overrides in an experiment's folder or in an export of it, oldest first."""
    path = folder / OVERRIDES_FILE
    found: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    return found
