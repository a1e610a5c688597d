"""Worker processes: started detached, so that neither a reload nor a killed server touches them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rerank.jobs import queue
from rerank.jobs.process import spawn
from rerank.jobs.records import Job
from rerank.store.home import room


def output_of(identity: str) -> Path:
    """Return the file that holds a worker's own output, for when something went badly wrong."""
    return room("jobs") / f"{identity}.txt"


def start(kind: str, spec: Mapping[str, Any]) -> Job:
    """Queue a job and start its worker process; a live job with the same spec is returned instead."""
    job, is_new = queue.submit(kind, spec)
    if is_new:
        spawn("rerank.worker", [job.id], output_of(job.id))
    return job
