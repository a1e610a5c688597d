"""A disk that is full or a folder that must not be written: one sentence, and no job that ends without a word."""

import errno
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.store.home import home as home_folder
from rerank.store.home import room
from rerank.store.unwritable import unwritable
from rerank.worker import __main__ as worker
from rerank.worker.reporter import Stopped


def fact(error: BaseException, name: str) -> object:
    found = unwritable(error)
    assert found is not None
    assert found.code == "home_not_writable"
    return found.facts[name]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_what_the_system_refuses_in_the_home_folder_names_folder_and_cause(number: int, home: Path) -> None:
    error = OSError(number, os.strerror(number), str(home / "stages" / "x"))
    assert fact(error, "folder") == str(home)
    assert fact(error, "cause") == os.strerror(number)


@pytest.mark.parametrize(
    "text",
    [
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
    ],
)
def test_what_the_database_refuses_names_folder_and_cause(text: str, home: Path) -> None:
    assert fact(sqlite3.OperationalError(text), "folder") == str(home)
    assert fact(sqlite3.OperationalError(text), "cause") == text


def test_a_full_disk_elsewhere_is_named(tmp_path: Path) -> None:
    assert fact(OSError(errno.ENOSPC, "full", str(tmp_path / "out" / "x")), "folder") == str(tmp_path / "out")


def test_weights_that_find_no_room_are_understood() -> None:
    error = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert fact(error, "cause") == os.strerror(errno.ENOSPC)
    assert unwritable(SafetensorError("Error while deserializing header: header too small")) is None


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "/somebody/elses/sample.csv"),
        PermissionError(errno.EACCES, "Permission denied"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        sqlite3.OperationalError("database is locked"),
        RerankError("training_diverged"),
        ValueError("x"),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    assert unwritable(error) is None


@pytest.mark.parametrize("place", ["file", "file/below", "~nobody-of-this-name/x"])
def test_a_home_that_cannot_be_is_said_to_be_none(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    folder = place if place.startswith("~") else str(tmp_path / place)
    monkeypatch.setenv("RERANK_HOME", folder)
    for ask in (home_folder, lambda: room("stages")):
        with pytest.raises(RerankError) as caught:
            ask()
        assert caught.value.code == "home_not_writable"
        assert caught.value.facts["folder"] == folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that tries again at once, and for a second."""
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", 1.0)


def failing(monkeypatch: pytest.MonkeyPatch, name: str, times: int, error: Exception) -> list[int]:
    """Let a function of the queue fail some times; return a list that grows with every failure."""
    real: Callable[..., Any] = getattr(queue, name)
    failures: list[int] = []

    def ask(*given: Any) -> Any:
        if len(failures) < times:
            failures.append(1)
            raise error
        return real(*given)

    monkeypatch.setattr(queue, name, ask)
    return failures


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "home_not_writable", 2),
        (sqlite3.OperationalError("database or disk is full"), "home_not_writable", 2),
        (RerankError("training_diverged", step=3), "training_diverged", 2),
        (OSError(errno.EIO, "broken"), "defect", 1),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_job_on_a_full_disk_says_so_as_soon_as_there_is_room(
    error: Exception, code: str, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: object) -> None:
        raise error

    monkeypatch.setattr(worker, "_run", run)
    failures = failing(monkeypatch, "finish", 3, sqlite3.OperationalError("database or disk is full"))
    job, _ = queue.submit("forecast", {"x": 1})
    assert worker.main(job.id) == exit_code
    assert len(failures) == 3
    ended = queue.job(job.id)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error["code"] == code


@pytest.mark.parametrize("name", ["claim", "job"])
@pytest.mark.usefixtures("impatient")
def test_a_job_waits_for_its_turn_through_a_full_disk(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(worker, "_run", lambda job: seen.append(job.id))
    job, _ = queue.submit("forecast", {"x": 1})
    failures = failing(monkeypatch, name, 2, sqlite3.OperationalError("disk I/O error"))
    assert worker.main(job.id) == 0
    assert (len(failures), seen) == (2, [job.id])
    assert queue.job(job.id).state == "done"


@pytest.mark.usefixtures("impatient")
def test_a_job_that_was_stopped_on_a_full_disk_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object) -> None:
        raise Stopped

    monkeypatch.setattr(worker, "_run", run)
    failing(monkeypatch, "finish", 1, RerankError("home_not_writable", folder="/", cause="full"))
    job, _ = queue.submit("forecast", {"x": 1})
    assert worker.main(job.id) == 3
    assert queue.job(job.id).state == "stopped"


@pytest.mark.usefixtures("impatient")
def test_a_worker_does_not_wait_for_room_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(worker, "_run", lambda _: None)
    failures = failing(monkeypatch, "finish", 1000, sqlite3.OperationalError("database or disk is full"))
    job, _ = queue.submit("forecast", {"x": 1})
    with pytest.raises(sqlite3.OperationalError):
        worker.main(job.id)
    assert 1 < len(failures) < 100


@pytest.mark.usefixtures("impatient")
def test_what_is_wrong_with_a_job_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def claim(*_: object) -> Mapping[str, object]:
        asked.append(1)
        raise RerankError("job_not_queued", job="x")

    monkeypatch.setattr(queue, "claim", claim)
    with pytest.raises(RerankError, match="job_not_queued"):
        worker.main("x")
    assert len(asked) == 1
