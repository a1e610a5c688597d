"""Jobs as values."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "stopped", "lost"]

HEARTBEAT_SECONDS = 5.0
LOST_AFTER_SECONDS = 60.0  # a heartbeat, not a pid: a zombie still answers kill(pid, 0)


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker process; times are seconds since the epoch.

    `lost` is a job that was queued or running and whose heartbeat is older than a minute: its process was
    killed, and submitting the same spec again continues where it was.
    """

    id: str
    kind: str
    spec: Mapping[str, Any]
    state: State
    created_at: float
    started_at: float | None
    finished_at: float | None
    heartbeat_at: float
    stop_requested: bool
    progress: Mapping[str, Any]
    error: Mapping[str, Any] | None

    @property
    def is_live(self) -> bool:
        """Say whether a process is working on it or about to."""
        return self.state in ("queued", "running")


def job_from_row(row: sqlite3.Row, now: float) -> Job:
    """Return a database row as a job, with `lost` worked out from the heartbeat."""
    state: State = row["state"]
    if state in ("queued", "running") and now - row["heartbeat_at"] > LOST_AFTER_SECONDS:
        state = "lost"
    return Job(
        id=row["id"],
        kind=row["kind"],
        spec=json.loads(row["spec"]),
        state=state,
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        heartbeat_at=row["heartbeat_at"],
        stop_requested=bool(row["stop_requested"]),
        progress=json.loads(row["progress"]),
        error=json.loads(row["error"]) if row["error"] else None,
    )
