"""Worker processes: detached, stoppable while they wait, and clear about what they cannot do."""

import os
import signal
import time
from pathlib import Path

from rerank.jobs import queue
from rerank.jobs.launch import output_of, start
from rerank.jobs.records import process_is_gone
from tests.tiny import pid_of, wait_for_end


def test_an_unknown_kind_fails_with_its_code_in_a_session_of_its_own() -> None:
    job = start("nonsense", {"a": 1})
    ended = wait_for_end(job.id)
    assert ended.state == "failed"
    assert ended.error == {"code": "unknown_job_kind", "facts": {"kind": "nonsense"}}
    assert output_of(job.id).read_text(encoding="utf-8") == ""


def test_an_experiment_that_is_not_there_is_no_defect() -> None:
    ended = wait_for_end(start("experiment", {"experiment": "0" * 12}).id)
    assert ended.error == {"code": "no_such_experiment", "facts": {"experiment": "0" * 12}}


def test_a_broken_spec_is_a_defect_whose_trace_is_kept_for_the_engineer() -> None:
    job = start("experiment", {"experiment": "0" * 12, "surprise": 1})
    ended = wait_for_end(job.id)
    assert ended.error is not None
    assert ended.error["code"] == "defect"
    assert "surprise" in ended.error["facts"]["cause"]
    assert "Traceback" in output_of(job.id).read_text(encoding="utf-8")


def test_a_job_that_waits_for_its_turn_can_be_stopped_and_its_process_ends() -> None:
    blocking, _ = queue.submit("experiment", {"experiment": "in front"})
    assert queue.claim(blocking.id, os.getpid())
    waiting = start("nonsense", {"a": 2})
    pid = pid_of(waiting.id)
    assert queue.job(waiting.id).state == "queued"
    assert os.getsid(pid) == pid  # a signal to the server's group does not reach it
    queue.request_stop(waiting.id)
    assert wait_for_end(waiting.id, 30).state == "stopped"
    ends = time.monotonic() + 10
    while not process_is_gone(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    assert process_is_gone(pid)


def test_a_waiting_process_that_is_killed_leaves_its_place(tmp_path: Path) -> None:
    blocking, _ = queue.submit("experiment", {"experiment": "in front"})
    assert queue.claim(blocking.id, os.getpid())
    killed = start("nonsense", {"a": 3})
    os.kill(pid_of(killed.id), signal.SIGKILL)
    ends = time.monotonic() + 10
    while queue.job(killed.id).is_live and time.monotonic() < ends:
        time.sleep(0.05)
    assert queue.job(killed.id).state == "lost"
    queue.finish(blocking.id, "done")
    behind, _ = queue.submit("experiment", {"experiment": "behind"})
    assert queue.claim(behind.id, os.getpid())
