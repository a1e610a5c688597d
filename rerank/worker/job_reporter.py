"""Tells the database and the log how a job is doing, from a worker process."""

import json
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.jobs.records import HEARTBEAT_SECONDS
from rerank.planning.experiments import now
from rerank.worker.reporter import Stopped

TELL_SECONDS = 0.5


class JobReporter:
    """A reporter for one job: events to a JSONL file, progress and heartbeat to the database.

    Use as a context: a thread beats every five seconds until the end; SIGTERM asks for a stop.
    """

    def __init__(self, identity: str, log: Path) -> None:
        self._identity = identity
        self._log = log
        self._progress: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._told = 0.0
        self._stop = threading.Event()  # a stop was asked for
        self._over = threading.Event()  # the job has ended
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "JobReporter":
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as stream:
            if stream.tell() and not _ends_with_newline(self._log):
                stream.write(b"\n")  # a kill cut the last line short
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=HEARTBEAT_SECONDS)
        self._tell()

    def event(self, kind: str, **facts: object) -> None:
        """Append one line to the log."""
        line = json.dumps({"at": now(), "event": kind, **facts}, ensure_ascii=False)
        with self._lock, self._log.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def progress(self, **facts: object) -> None:
        """Replace the named facts in the job's progress; written at most twice a second."""
        with self._lock:
            self._progress.update(facts)
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell()

    def breathe(self) -> None:
        """Raise `Stopped` when a stop was asked for."""
        if self._stop.is_set():
            raise Stopped

    def _tell(self) -> None:
        self._told = time.monotonic()
        with self._lock:
            snapshot = dict(self._progress)
        try:
            is_asked_to_stop = queue.beat(self._identity, snapshot)
        except (sqlite3.Error, OSError, RerankError):
            return  # a busy or full disk must not end the work, nor hide what ended it: the next beat tries again
        if is_asked_to_stop:
            self._stop.set()

    def _beat(self) -> None:
        waited = 0.0
        while not self._over.wait(1.0):
            waited += 1.0
            if waited >= HEARTBEAT_SECONDS or self._told == 0.0:
                waited = 0.0
                self._tell()


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1) == b"\n"
