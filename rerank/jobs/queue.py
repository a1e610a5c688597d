"""The queue: submit, claim, watch, stop. Every function is one short transaction."""

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from typing import Any

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.jobs.records import Job, is_lost, job_from_row
from rerank.store.database import connection

# A waiting process asks once a second. Silent for longer than this, it did not get to run, so nobody else did either.
MISSED_SECONDS = 10.0


def submit(kind: str, spec: Mapping[str, Any]) -> tuple[Job, bool]:
    """Queue a job and return it with True; a live job with the same kind and spec is returned with False."""
    digest = digest_of([kind, dict(spec)])
    now = time.time()
    with connection() as database:
        database.execute("BEGIN IMMEDIATE")
        rows = database.execute(
            "SELECT * FROM jobs WHERE spec_digest = ? AND state IN ('queued', 'running') ORDER BY created_at DESC",
            (digest,),
        ).fetchall()
        for row in rows:
            if not is_lost(row, now):
                return job_from_row(row, now), False
        identity = uuid.uuid4().hex[:12]
        database.execute(
            "INSERT INTO jobs (id, kind, spec, spec_digest, state, created_at, heartbeat_at)"
            " VALUES (?, ?, ?, ?, 'queued', ?, ?)",
            (identity, kind, json.dumps(dict(spec)), digest, now, now),
        )
        row = database.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchone()
        return job_from_row(row, now), True


def job(identity: str) -> Job:
    """Return a job. Raises RerankError `no_such_job`."""
    with connection() as database:
        row = database.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchone()
    if row is None:
        raise RerankError("no_such_job", job=identity)
    return job_from_row(row, time.time())


def jobs(kind: str | None = None, limit: int = 100) -> list[Job]:
    """Return jobs, newest first."""
    where, values = ("WHERE kind = ? ", (kind,)) if kind else ("", ())
    with connection() as database:
        rows = database.execute(
            f"SELECT * FROM jobs {where}ORDER BY created_at DESC LIMIT ?", (*values, limit)
        ).fetchall()
    now = time.time()
    return [job_from_row(row, now) for row in rows]


def experiment_job(experiment: str) -> Job | None:
    """Return the newest job of an experiment, None without any."""
    found = [item for item in jobs("experiment", 1000) if item.spec.get("experiment") == experiment]
    return found[0] if found else None


def request_stop(identity: str) -> None:
    """Ask a job to stop; it does so between two steps and can be continued later."""
    with connection() as database:
        database.execute("UPDATE jobs SET stop_requested = 1 WHERE id = ?", (identity,))


def claim(identity: str, pid: int) -> bool:
    """Take a queued job's turn; False while another job of a live process runs or waits in front of it.

    Jobs run one at a time: two trainings on one device are slower than one after the other, and no
    measured latency or cost could be believed. After a sleep of the machine or a step of its clock every heartbeat is
    old: whoever has a process then gets another minute to beat.
    """
    now = time.time()
    with connection() as database:
        database.execute("BEGIN IMMEDIATE")
        mine = database.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchone()
        if mine is None or mine["state"] != "queued":
            raise RerankError("job_not_queued", job=identity)
        if mine["pid"] is not None and now - mine["heartbeat_at"] > MISSED_SECONDS:
            # A beat of the running job can be five seconds away, and this one asks again in one: both start anew.
            database.execute(
                "UPDATE jobs SET heartbeat_at = ? WHERE pid IS NOT NULL AND state IN ('queued', 'running')", (now,)
            )
            return False
        others = database.execute(
            "SELECT * FROM jobs WHERE id != ? AND"
            " (state = 'running' OR (state = 'queued' AND pid IS NOT NULL AND created_at < ?))",
            (identity, mine["created_at"]),
        ).fetchall()
        if any(not is_lost(row, now) for row in others):
            database.execute("UPDATE jobs SET heartbeat_at = ?, pid = ? WHERE id = ?", (now, pid, identity))
            return False
        # A job that was silent, on a machine that slept, may wake up: it stops at its next beat.
        database.execute("UPDATE jobs SET stop_requested = 1 WHERE id != ? AND state = 'running'", (identity,))
        database.execute(
            "UPDATE jobs SET state = 'running', started_at = ?, heartbeat_at = ?, pid = ? WHERE id = ?",
            (now, now, pid, identity),
        )
        return True


def beat(identity: str, progress: Mapping[str, Any] | None = None) -> bool:
    """Say that a job's process is alive, with its progress if given; return whether a stop was requested."""
    with connection() as database:
        database.execute("BEGIN IMMEDIATE")
        _touch(database, identity, progress)
        row = database.execute("SELECT stop_requested FROM jobs WHERE id = ?", (identity,)).fetchone()
        return bool(row and row["stop_requested"])


def _touch(database: sqlite3.Connection, identity: str, progress: Mapping[str, Any] | None) -> None:
    if progress is None:
        database.execute("UPDATE jobs SET heartbeat_at = ? WHERE id = ?", (time.time(), identity))
    else:
        database.execute(
            "UPDATE jobs SET heartbeat_at = ?, progress = ? WHERE id = ?",
            (time.time(), json.dumps(dict(progress)), identity),
        )


def finish(identity: str, state: str, error: Mapping[str, Any] | None = None) -> None:
    """Record how a job ended: `done`, `failed` (with its error's code and facts) or `stopped`."""
    with connection() as database:
        database.execute(
            "UPDATE jobs SET state = ?, finished_at = ?, heartbeat_at = ?, error = ? WHERE id = ?",
            (state, time.time(), time.time(), json.dumps(dict(error)) if error else None, identity),
        )
