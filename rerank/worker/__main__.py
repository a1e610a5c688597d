"""`python -m rerank.worker JOB`: run one job to its end. The one contract for every backend."""

import contextlib
import os
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.jobs.records import Job
from rerank.planning.experiments import experiment_folder
from rerank.store.home import room
from rerank.store.unwritable import refusal, unwritable
from rerank.worker.job_reporter import JobReporter
from rerank.worker.reporter import Stopped

WAIT_SECONDS = 1.0
# Somebody may make room on a full disk: so long is an access to the queue tried again, and this often.
PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = 5.0

Found = TypeVar("Found")


def _patiently(ask: Callable[[], Found]) -> Found:
    """Return what an access to the queue gives, tried again for some minutes while the database refuses it."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (sqlite3.Error, OSError, RerankError) as error:
            if isinstance(error, RerankError) and unwritable(error) is None:
                raise
            if time.monotonic() >= ends:
                raise
        time.sleep(PAUSE_SECONDS)


def _finish(identity: str, state: str, error: RerankError | None = None) -> None:
    found = None
    if error is not None:
        found = {"code": error.code, "facts": {name: str(value) for name, value in error.facts.items()}}
    _patiently(lambda: queue.finish(identity, state, found))


def _wait_for_turn(identity: str) -> bool:
    while not _patiently(lambda: queue.claim(identity, os.getpid())):
        if _patiently(lambda: queue.job(identity)).stop_requested:
            return False
        time.sleep(WAIT_SECONDS)
    return True


def _run(job: Job) -> None:
    # The log belongs to the experiment, so that a continued run reads as one story.
    if job.kind == "experiment":
        log = experiment_folder(str(job.spec["experiment"])) / "log.jsonl"
    else:
        log = room("jobs") / f"{job.id}.jsonl"
    with JobReporter(job.id, log) as reporter:
        reporter.progress(phase="starting")
        if job.kind == "experiment":
            from rerank.worker.experiment import ExperimentSpec, run_experiment

            run_experiment(ExperimentSpec(**job.spec), reporter)
        elif job.kind == "forecast":
            from rerank.worker.experiment import run_forecast

            run_forecast(job.spec, reporter)
        elif job.kind == "pilot":
            from rerank.worker.pilot import run_pilot

            run_pilot(job.spec, reporter)
        elif job.kind == "export":
            from rerank.worker.export import ExportSpec, run_export

            run_export(ExportSpec(**job.spec), reporter)
        elif job.kind == "audit":
            from rerank.audit.records import job_audit_path
            from rerank.worker.auditing import AuditSpec, run_audit

            run_audit(AuditSpec(**job.spec), reporter, job_audit_path(job.id))
        elif job.kind == "benchmark":
            from rerank.worker.benchmark import run_benchmark

            run_benchmark(job.spec, reporter)
        elif job.kind == "import":
            from rerank.intake.inbox import import_record_path
            from rerank.worker.importing import ImportSpec, run_import

            run_import(ImportSpec(**job.spec), reporter, import_record_path(job.id))
        elif job.kind == "pool":
            from rerank.worker.pooling import run_pool

            run_pool(job.spec, reporter)
        elif job.kind == "near_duplicates":
            from rerank.worker.near_duplicates import run_near_duplicates

            run_near_duplicates(job.spec, reporter)
        else:
            raise RerankError("unknown_job_kind", kind=job.kind)


def main(identity: str) -> int:
    """Run a queued job; return 0 when it is done, 2 for what a user can mend, 3 stopped, 1 for a defect."""
    if not _wait_for_turn(identity):
        _finish(identity, "stopped")
        return 3
    try:
        _run(_patiently(lambda: queue.job(identity)))
    except Stopped:
        _finish(identity, "stopped")
        return 3
    except Exception as error:
        refused = refusal(error)
        if refused is not None:
            _finish(identity, "failed", refused)
            return 2
        with contextlib.suppress(OSError):  # the output lies on the same disk
            traceback.print_exc()
        defect = RerankError("defect", cause=f"{type(error).__name__}: {error}"[:500], job=identity)
        _finish(identity, "failed", defect)
        return 1
    _finish(identity, "done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
