"""What a job tells the database must neither end its work nor hide what ended it."""

import os
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.worker import job_reporter
from rerank.worker.job_reporter import JobReporter
from tests.tiny import wait_until


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running job whose heart beats once a second."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(job_reporter, "HEARTBEAT_SECONDS", 1.0)
    submitted, _ = queue.submit("forecast", {"x": 1})
    assert queue.claim(submitted.id, os.getpid())
    yield submitted.id
    signal.signal(signal.SIGTERM, handler)


class Flaky:
    """A heartbeat that fails while told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self.fails = False
        self.n_failed = 0
        self._error = error
        self._beat = queue.beat
        monkeypatch.setattr(queue, "beat", self)

    def __call__(self, identity: str, progress: Mapping[str, Any] | None = None) -> bool:
        if self.fails:
            self.n_failed += 1
            raise self._error
        return self._beat(identity, progress)


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database is locked"),
        OSError(28, "No space left"),
        RerankError("home_not_writable", folder="/", cause="full"),
    ],
)
def test_a_heartbeat_that_fails_is_tried_again(
    job: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky(monkeypatch, error)
    with JobReporter(job, tmp_path / "log.jsonl") as reporter:
        flaky.fails = True
        reporter.progress(phase="comparing")
        wait_until(lambda: flaky.n_failed >= 2, 20)  # the progress's own, and one of the thread's
        flaky.fails = False
        wait_until(lambda: queue.job(job).progress == {"phase": "comparing"}, 20)
        queue.request_stop(job)
        with pytest.raises(job_reporter.Stopped):
            wait_until(reporter.breathe, 20)


def test_a_heartbeat_that_fails_at_the_end_does_not_replace_what_ended_the_job(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky(monkeypatch, sqlite3.OperationalError("database or disk is full"))

    def diverge() -> None:
        with JobReporter(job, tmp_path / "log.jsonl"):
            flaky.fails = True
            raise RerankError("training_diverged", step=3)

    with pytest.raises(RerankError, match="training_diverged"):
        diverge()
