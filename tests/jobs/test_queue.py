"""The queue: one at a time, equal work once, and nothing that looks alive when it is not."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.jobs.records import LOST_AFTER_SECONDS, process_is_gone
from rerank.store.database import connection


@pytest.fixture
def living() -> Iterator[int]:
    """The id of a process that lives as long as the test."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process.pid
    process.kill()
    process.wait()


def submitted(number: int) -> str:
    job, is_new = queue.submit("experiment", {"experiment": f"e{number}"})
    assert is_new
    return job.id


def silent_for(identity: str, seconds: float) -> None:
    with connection() as database:
        database.execute("UPDATE jobs SET heartbeat_at = ? WHERE id = ?", (time.time() - seconds, identity))


def test_equal_specs_share_a_live_job() -> None:
    first, is_new = queue.submit("experiment", {"experiment": "a", "gate": 1})
    again, is_new_again = queue.submit("experiment", {"gate": 1, "experiment": "a"})
    assert (is_new, is_new_again) == (True, False)
    assert again.id == first.id
    other, is_other_new = queue.submit("experiment", {"experiment": "a", "gate": 2})
    assert is_other_new
    assert other.id != first.id
    _, is_other_kind_new = queue.submit("forecast", {"experiment": "a", "gate": 1})
    assert is_other_kind_new


@pytest.mark.parametrize("state", ["done", "failed", "stopped"])
def test_work_that_has_ended_can_be_submitted_again(state: str, living: int) -> None:
    first = submitted(1)
    queue.claim(first, living)
    queue.finish(first, state)
    assert queue.job(first).state == state
    assert submitted(1) != first


def test_jobs_run_one_at_a_time_in_the_order_of_their_submission(living: int) -> None:
    first, second, third = submitted(1), submitted(2), submitted(3)
    assert queue.claim(first, living)
    assert not queue.claim(third, living)
    assert not queue.claim(second, living)
    queue.finish(first, "done")
    assert not queue.claim(third, living)  # the second waits in front of it
    assert queue.claim(second, living)
    assert [queue.job(job).state for job in (first, second, third)] == ["done", "running", "queued"]


def test_a_waiting_job_is_not_lost_while_its_process_asks_for_its_turn(living: int) -> None:
    first, second = submitted(1), submitted(2)
    queue.claim(first, living)
    silent_for(second, LOST_AFTER_SECONDS + 1)
    assert queue.job(second).state == "lost"
    queue.claim(second, living)
    assert queue.job(second).state == "queued"


def test_a_running_job_cannot_be_claimed_again(living: int) -> None:
    job = submitted(1)
    assert queue.claim(job, living)
    with pytest.raises(RerankError) as raised:
        queue.claim(job, living)
    assert raised.value.code == "job_not_queued"


def test_a_job_that_was_silent_for_a_minute_is_lost_and_stands_in_nobodys_way(living: int) -> None:
    lost, waiting = submitted(1), submitted(2)
    queue.claim(lost, living)
    silent_for(lost, LOST_AFTER_SECONDS - 5)
    assert queue.job(lost).state == "running"
    silent_for(lost, LOST_AFTER_SECONDS + 1)
    assert queue.job(lost).state == "lost"
    assert not queue.job(lost).is_live
    assert queue.claim(waiting, living)
    assert submitted(1) != lost


def test_a_heartbeat_brings_progress_and_takes_the_wish_to_stop(living: int) -> None:
    job = submitted(1)
    queue.claim(job, living)
    silent_for(job, LOST_AFTER_SECONDS - 1)
    assert queue.beat(job, {"share": 0.5}) is False
    assert time.time() - queue.job(job).heartbeat_at < 5
    assert queue.job(job).progress == {"share": 0.5}
    queue.request_stop(job)
    assert queue.job(job).stop_requested
    assert queue.job(job).state == "running"  # it stops itself, between two steps
    assert queue.beat(job) is True
    assert queue.job(job).progress == {"share": 0.5}


def test_an_error_is_kept_with_its_facts(living: int) -> None:
    job = submitted(1)
    queue.claim(job, living)
    queue.finish(job, "failed", {"code": "budget_spent", "facts": {"limit": "5"}})
    found = queue.job(job)
    assert found.state == "failed"
    assert found.error == {"code": "budget_spent", "facts": {"limit": "5"}}
    assert found.finished_at is not None


def test_a_killed_process_that_nobody_asked_for_is_gone_although_it_answers_signals() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    job = submitted(1)
    queue.claim(job, process.pid)
    assert queue.job(job).state == "running"
    process.kill()
    ends = time.monotonic() + 10
    while queue.job(job).state == "running" and time.monotonic() < ends:
        time.sleep(0.01)
    assert process.returncode is None  # a zombie: its status was not collected
    assert process_is_gone(process.pid)
    assert queue.job(job).state == "lost"
    process.wait()
    assert process_is_gone(process.pid)


def test_jobs_are_listed_newest_first_and_an_experiments_newest_is_found(living: int) -> None:
    first, second = submitted(1), submitted(2)
    queue.claim(first, living)
    queue.finish(first, "stopped")
    again = submitted(1)
    assert [job.id for job in queue.jobs("experiment")] == [again, second, first]
    assert [job.id for job in queue.jobs(limit=1)] == [again]
    assert queue.jobs("forecast") == []
    newest = queue.experiment_job("e1")
    assert newest is not None
    assert newest.id == again
    assert queue.experiment_job("e3") is None


def test_an_unknown_job_is_said_to_be_unknown() -> None:
    with pytest.raises(RerankError) as raised:
        queue.job("000000000000")
    assert raised.value.code == "no_such_job"


def test_a_silent_job_that_wakes_up_after_another_took_its_turn_is_asked_to_stop(living: int) -> None:
    """A machine that slept: both would write the same stages."""
    first, _ = queue.submit("experiment", {"experiment": "a"})
    assert queue.claim(first.id, living)
    with connection() as database:
        database.execute("UPDATE jobs SET heartbeat_at = heartbeat_at - 61 WHERE id = ?", (first.id,))
    second, is_new = queue.submit("experiment", {"experiment": "a"})
    assert is_new
    assert queue.claim(second.id, living)
    assert queue.beat(first.id)
    assert not queue.beat(second.id)


def everybody_was_silent_for(seconds: float) -> None:
    """What a sleep of the machine or a step of its clock leaves."""
    with connection() as database:
        database.execute("UPDATE jobs SET heartbeat_at = heartbeat_at - ?", (seconds,))


def test_after_a_sleep_of_the_machine_a_waiting_job_lets_the_running_one_go_on(living: int) -> None:
    running, waiting = submitted(1), submitted(2)
    assert queue.claim(running, living)
    assert not queue.claim(waiting, living)
    everybody_was_silent_for(2 * LOST_AFTER_SECONDS)
    assert not queue.claim(waiting, living)
    assert not queue.claim(waiting, living)  # it asks again before the running one had the time to beat
    assert queue.job(running).state == "running"
    assert not queue.beat(running)  # nobody asked it to stop
    assert not queue.claim(waiting, living)


def test_after_a_sleep_of_the_machine_a_job_whose_process_is_gone_stands_in_nobodys_way(living: int) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running, waiting = submitted(1), submitted(2)
    assert queue.claim(running, living)
    assert not queue.claim(waiting, living)
    with connection() as database:
        database.execute("UPDATE jobs SET pid = ? WHERE id = ?", (ended.pid, running))
    everybody_was_silent_for(2 * LOST_AFTER_SECONDS)
    assert not queue.claim(waiting, living)
    assert queue.claim(waiting, living)


def test_a_job_that_hangs_is_taken_over_by_one_that_asked_all_along(living: int) -> None:
    hung, waiting = submitted(1), submitted(2)
    assert queue.claim(hung, living)
    assert not queue.claim(waiting, living)
    silent_for(hung, LOST_AFTER_SECONDS + 1)
    assert queue.claim(waiting, living)
    assert queue.beat(hung)  # should it wake up, it is to stop
