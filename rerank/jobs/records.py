"""Jobs as values."""

import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "stopped", "lost"]

HEARTBEAT_SECONDS = 5.0
LOST_AFTER_SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker process; times are seconds since the epoch.

    `lost` is a job that was queued or running and whose process is gone or was silent for a minute:
    submitting the same spec again continues where it was.
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


def process_is_gone(pid: int | None) -> bool:
    """Say whether a process has certainly ended; a zombie has, although it still answers signals."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def is_lost(row: sqlite3.Row, now: float) -> bool:
    """Say whether an unfinished job has no process any more: it ended, or was silent for a minute."""
    return now - row["heartbeat_at"] > LOST_AFTER_SECONDS or process_is_gone(row["pid"])


def job_from_row(row: sqlite3.Row, now: float) -> Job:
    """Return a database row as a job, with `lost` worked out from the heartbeat."""
    state: State = row["state"]
    if state in ("queued", "running") and is_lost(row, now):
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
