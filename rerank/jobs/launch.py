"""Worker processes: started detached, so that neither a reload nor a killed server touches them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rerank.jobs import queue
from rerank.jobs.records import Job
from rerank.store.home import home, room

ROOT = Path(__file__).resolve().parents[2]


def output_of(identity: str) -> Path:
    """Return the file that holds a worker's own output, for when something went badly wrong."""
    return room("jobs") / f"{identity}.txt"


def start(kind: str, spec: Mapping[str, Any]) -> Job:
    """Queue a job and start its worker process; a live job with the same spec is returned instead."""
    job, is_new = queue.submit(kind, spec)
    if is_new:
        environment = {**os.environ, "RERANK_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
        with output_of(job.id).open("ab") as output:
            subprocess.Popen(
                [sys.executable, "-m", "rerank.worker", job.id],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
                close_fds=True,
            )
    return job
