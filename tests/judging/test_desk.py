"""A rater's desk: an order of one's own, marks that survive a kill, undo and skipping."""

import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from rerank.judging.order import N_SHARED, order_of
from rerank.store import judging
from tests.conftest import ROOT
from tests.judging.tasks import desk, judge, stored_dataset, tiny_task


def test_each_rater_has_an_order_of_their_own_that_stays() -> None:
    task = tiny_task(stored_dataset())
    pairs = judging.read_pairs(task.id)
    ann, bob = order_of(task, pairs, "Ann"), order_of(task, pairs, "Bob")
    assert sorted(ann) == sorted(bob) == sorted((query_id, doc_id) for query_id, doc_id, _ in pairs)
    assert ann != bob
    assert ann == order_of(task, list(reversed(pairs)), "Ann")
    assert set(ann[:N_SHARED]) == set(bob[:N_SHARED])
    assert ann[:N_SHARED] != bob[:N_SHARED]


def test_the_order_mixes_the_queries() -> None:
    """60 pairs of 3 queries in the order of a file would change the query twice; by chance about 40 times."""
    task = tiny_task(stored_dataset())
    queries = [query_id for query_id, _ in order_of(task, judging.read_pairs(task.id), "Ann")]
    assert sum(one != two for one, two in pairwise(queries)) > 20


def test_by_priority_the_most_telling_pairs_come_first() -> None:
    task = tiny_task(stored_dataset(), order="priority")
    ranks = {(query_id, doc_id): priority for query_id, doc_id, priority in judging.read_pairs(task.id)}
    shown = [ranks[pair] for pair in order_of(task, judging.read_pairs(task.id), "Ann")]
    assert shown == sorted(shown, reverse=True)


def test_a_pair_that_joins_later_changes_no_order() -> None:
    task = tiny_task(stored_dataset())
    pairs = judging.read_pairs(task.id)
    before, after = order_of(task, pairs[:50], "Ann"), order_of(task, pairs, "Ann")
    rest = set(before) - set(before[:N_SHARED]) - set(after[:N_SHARED])
    assert len(rest) > 20
    assert [pair for pair in before if pair in rest] == [pair for pair in after if pair in rest]


def test_judging_goes_on_where_one_was_and_raters_do_not_disturb_each_other() -> None:
    task = tiny_task(stored_dataset())
    first = judge(task, "Ann", 2)
    second = judge(task, "Ann", 0)
    assert first != second
    assert desk(task, "Ann").n_done == 2
    assert desk(task, "Ann").pair == order_of(task, judging.read_pairs(task.id), "Ann")[2]
    assert desk(task, "Bob").n_done == 0
    assert desk(task, "Bob").n_left == 60
    assert judging.read_raters(task.id) == ["Ann"]


def test_undo_brings_the_pair_back_and_keeps_what_was_said_on_disk(home: Path) -> None:
    task = tiny_task(stored_dataset())
    judge(task, "Ann", 1)
    pair = judge(task, "Ann", 2)
    judge(task, "Bob", 0)
    assert judging.undo_mark(task.id, "Ann") == pair
    assert desk(task, "Ann").pair == pair
    assert desk(task, "Ann").n_done == 1
    assert desk(task, "Bob").n_done == 1
    assert judging.undo_mark(task.id, "Ann") is not None
    assert judging.undo_mark(task.id, "Ann") is None
    with sqlite3.connect(home / "judging.sqlite") as database:
        assert database.execute("SELECT COUNT(*) FROM marks WHERE undone_at IS NOT NULL").fetchone() == (2,)


def test_a_skipped_pair_comes_again_at_the_end() -> None:
    task = tiny_task(stored_dataset(), n=3)
    first = judge(task, "Ann", None)
    judge(task, "Ann", 1)
    assert judging.undo_mark(task.id, "Ann") is not None
    second = judge(task, "Ann", None)
    third = judge(task, "Ann", 2)
    assert [desk(task, "Ann").n_left, desk(task, "Ann").n_skipped] == [2, 2]
    assert judge(task, "Ann", 0) == first
    assert judge(task, "Ann", 0) == second
    assert len({first, second, third}) == 3
    assert desk(task, "Ann").pair is None
    assert desk(task, "Ann").n_done == 3


def test_a_key_that_is_pressed_twice_counts_once() -> None:
    task = tiny_task(stored_dataset())
    pair = desk(task, "Ann").pair
    assert pair is not None
    judging.add_mark(task.id, "Ann", pair, 2, 1.0)
    judging.add_mark(task.id, "Ann", pair, 2, 1.0)
    assert len(judging.read_marks(task.id)) == 1


def test_with_one_rating_per_pair_the_work_is_divided_after_the_shared_pairs() -> None:
    task = tiny_task(stored_dataset(), n=24, ratings_per_pair=1)
    for _ in range(24):
        judge(task, "Ann", 1)
    assert desk(task, "Ann").pair is None
    assert desk(task, "Bob").n_left == N_SHARED
    everybody = tiny_task(stored_dataset(), n=24)
    assert desk(everybody, "Bob").n_left == 24


KILLED = """
import itertools, sys
from rerank.store import judging
from rerank.judging.order import desk_of
from rerank.judging.tasks import load_task
task = load_task(sys.argv[1])
for place in itertools.count():
    pair = desk_of(task, judging.read_pairs(task.id), judging.read_marks(task.id), "Ann").pair
    judging.add_mark(task.id, "Ann", pair, place % 3, 1.0)
    print(*pair, place % 3, flush=True)
"""


def test_every_judgment_that_was_confirmed_survives_a_kill() -> None:
    dataset = stored_dataset()
    task = tiny_task(dataset, n=400)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, task.id], cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(15)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    confirmed = [line.split() for line in said if line.endswith("\n")]
    kept = [(mark["query_id"], mark["doc_id"], str(mark["grade"])) for mark in judging.read_marks(task.id)]
    assert kept[: len(confirmed)] == [tuple(line) for line in confirmed]
    assert len(kept) <= len(confirmed) + 1  # one may be written and not yet confirmed
    assert desk(task, "Ann").n_done == len(kept)
    judge(task, "Ann", 2)
    assert desk(task, "Ann").n_done == len(kept) + 1


def test_two_processes_judge_at_the_same_time() -> None:
    task = tiny_task(stored_dataset(), n=12)
    code = KILLED.replace("itertools.count()", "range(12)")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code.replace('"Ann"', f'"{name}"'), task.id], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        for name in ("Ann", "Bob")
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert desk(task, "Ann").pair is None
    assert desk(task, "Bob").pair is None
    assert len(judging.read_marks(task.id)) == 24
