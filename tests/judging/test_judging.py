"""Judging: each rater's own order, marks that survive a kill, undo, agreement, and what comes of it."""

import dataclasses
import json
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.intake.reading import Source, read_files
from rerank.intake.storage import delete_dataset, lineage_of, load_dataset, load_findings
from rerank.judging.exchange import import_ratings, quepid_book, quepid_ratings, ratings_table
from rerank.judging.order import N_SHARED, desk_of, order_of
from rerank.judging.pool import at_most, bm25_ranking, pool_of, settling
from rerank.judging.ratings import (
    agreement_among,
    by_rater,
    disagreements,
    judgments_from,
    n_tied,
    pace_of,
    ratings_of,
)
from rerank.judging.tasks import Settings, Task, create_task, load_task, tasks_of
from rerank.judging.version import judged_version
from rerank.planning.looks import earlier_looks, record_look
from rerank.report.files import qrels_text
from rerank.report.spreadsheets import csv_bytes
from rerank.store import judging
from rerank.store.columns import ColumnWriter
from rerank.store.home import room
from rerank.store.judging import Pair
from tests.conftest import ROOT, tiny_files
from tests.judging.tasks import open_pairs, stored_dataset, tiny_task


def desk(task: Task, rater: str):
    return desk_of(task, judging.read_pairs(task.id), judging.read_marks(task.id), rater)


def judge(task: Task, rater: str, grade: int | None, seconds: float = 2.0) -> Pair:
    pair = desk(task, rater).pair
    assert pair is not None
    judging.add_mark(task.id, rater, pair, grade, seconds)
    return pair


# --- order


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


# --- marks


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


# --- tasks


def test_a_task_is_made_once_and_its_guideline_can_change() -> None:
    dataset = stored_dataset()
    task = tiny_task(dataset)
    assert tiny_task(dataset) == task
    assert [found.id for found in tasks_of([dataset.digest])] == [task.id]
    judging.save_guideline(task.id, "Be kind.")
    assert load_task(task.id).guideline == "Be kind."
    assert load_task(task.id).settings.meanings == ("not relevant", "partly", "relevant")


@pytest.mark.parametrize(
    ("n", "meanings", "code"),
    [
        (0, ("no", "yes"), "nothing_to_judge"),
        (3, ("no",), "judging_scale_unusable"),
        (3, tuple("abcdefghijk"), "judging_scale_unusable"),
    ],
)
def test_a_task_that_cannot_be_judged_is_refused(n: int, meanings: tuple[str, ...], code: str) -> None:
    pairs = open_pairs(stored_dataset(), 60).head(n)
    with pytest.raises(RerankError) as caught:
        create_task("d" * 64, pairs, name="x", guideline="", settings=Settings(meanings))
    assert caught.value.code == code


def test_too_many_pairs_are_refused() -> None:
    pairs = pd.DataFrame({"query_id": "q", "doc_id": [str(n) for n in range(20_001)], "priority": 0.0})
    with pytest.raises(RerankError) as caught:
        create_task("d" * 64, pairs, name="x", guideline="", settings=Settings(("no", "yes")))
    assert caught.value.code == "too_many_pairs_to_judge"


# --- what to judge


def test_the_pool_is_what_the_first_ranks_hold_and_nobody_judged() -> None:
    """BM25 finds the 4 documents about a query's word first; they are judged, so depth 4 leaves nothing of its own."""
    dataset = stored_dataset()
    ranking = bm25_ranking(dataset, 8)
    assert ranking["rank"].max() <= 8
    pairs = pool_of(dataset, [ranking], 8)
    judged = set(zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True))
    assert not judged & set(zip(pairs["query_id"], pairs["doc_id"], strict=True))
    listed = set(zip(ranking["query_id"], ranking["doc_id"], strict=True))
    assert set(zip(pairs["query_id"], pairs["doc_id"], strict=True)) == listed - judged
    first = ranking[(ranking["query_id"] == "q0") & (ranking["rank"] <= 8)]
    n_judged = len({("q0", doc_id) for doc_id in first["doc_id"]} & judged)
    assert set(pairs.loc[pairs["query_id"] == "q0", "priority"]) == {-float(n_judged)}


def test_two_sources_are_pooled_without_saying_which() -> None:
    dataset = stored_dataset()
    own = pd.DataFrame({"query_id": ["q0", "q0", "gone"], "doc_id": ["d5_0", "d0_0", "d1_1"], "rank": [1, 2, 1]})
    other = pd.DataFrame({"query_id": ["q0", "q0"], "doc_id": ["d5_0", "d6_0"], "rank": [1, 9]})
    pairs = pool_of(dataset, [own, other], 5)
    assert pairs.to_dict("list") == {"query_id": ["q0"], "doc_id": ["d5_0"], "priority": [-1.0]}
    assert pool_of(dataset, [], 5).empty


def test_judgments_that_would_settle_a_verdict_come_by_their_influence() -> None:
    dataset = stored_dataset()
    rows = pd.DataFrame(
        {"query_id": ["q0", "q1", "q0"], "doc_id": ["d5_0", "d6_0", "d0_0"], "influence": [0.2, 0.1, 9]}
    )
    assert settling(dataset, rows).to_dict("list") == {
        "query_id": ["q0", "q1"],
        "doc_id": ["d5_0", "d6_0"],
        "priority": [0.2, 0.1],
    }


def test_a_part_of_the_pool_holds_whole_queries() -> None:
    pairs = open_pairs(stored_dataset(), 200)
    part = at_most(pairs, 70, by_priority=False)
    assert 0 < len(part) <= 70
    sizes = pairs["query_id"].value_counts()
    assert all(sizes[query_id] == size for query_id, size in part["query_id"].value_counts().items())
    assert set(at_most(pairs, 30, by_priority=True)["query_id"]) == {"q0"}
    assert len(at_most(pairs, 5, by_priority=True)) == 5
    assert at_most(pairs, 200, by_priority=False) is pairs


# --- agreement and judgments


def ratings(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["rater", "query_id", "doc_id", "grade"])


FOUR = ratings(
    ("Ann", "q", "a", 2), ("Bob", "q", "a", 2), ("Ann", "q", "b", 0), ("Bob", "q", "b", 2),
    ("Ann", "q", "c", 1), ("Bob", "q", "c", 2), ("Ann", "q", "d", 0),
)  # fmt: skip


def test_agreement_is_krippendorffs_alpha_over_shared_pairs() -> None:
    found = agreement_among(FOUR)
    expected = krippendorff.alpha(reliability_data=np.array([[2, 0, 1], [2, 2, 2]]), level_of_measurement="interval")
    assert found.alpha == pytest.approx(expected)
    assert found.n_pairs == 3
    assert found.share_equal == pytest.approx(1 / 3)
    assert agreement_among(FOUR[FOUR["rater"] == "Ann"]).alpha is None


def test_disagreements_are_listed_with_the_widest_first() -> None:
    found = disagreements(FOUR)
    assert list(found["doc_id"]) == ["b", "c"]
    assert list(found["spread"]) == [2, 1]
    assert found[["Ann", "Bob"]].to_numpy().tolist() == [[0, 2], [1, 2]]


def test_the_median_counts_and_ties_go_where_it_is_said() -> None:
    """Medians by hand: a 2, b 1, c 1.5, d 0; of 0, 3, 3 it is 3 where the mean would be 2."""
    up, down = judgments_from(FOUR, "up"), judgments_from(FOUR, "down")
    assert dict(zip(up["doc_id"], up["grade"], strict=True)) == {"a": 2, "b": 1, "c": 2, "d": 0}
    assert dict(zip(down["doc_id"], down["grade"], strict=True)) == {"a": 2, "b": 1, "c": 1, "d": 0}
    assert n_tied(FOUR) == 1
    assert list(judgments_from(FOUR, "up", min_raters=2)["doc_id"]) == ["a", "b", "c"]
    three = ratings(("Ann", "q", "a", 0), ("Bob", "q", "a", 3), ("Cy", "q", "a", 3))
    assert list(judgments_from(three, "down")["grade"]) == [3]


def test_time_per_judgment_is_the_median_of_timed_ones() -> None:
    mark = {"rater": "Ann", "query_id": "q", "grade": 1}
    marks = [{**mark, "doc_id": str(n), "seconds": float(n)} for n in range(10)]
    noise = [{**mark, "doc_id": "x", "seconds": None}, {**mark, "doc_id": "y", "grade": None, "seconds": 1e6}]
    pace = pace_of([*marks, *noise])
    assert pace is not None
    assert (pace.seconds, pace.n_timed) == (4.5, 10)
    assert pace_of(marks[:9]) is None
    table = by_rater([*marks, *noise], ["Ann", "Bob"])
    assert list(table["n_judged"]) == [11, 0]


# --- in and out


def two_raters(n: int = 12) -> Task:
    """Two raters judge all pairs of a small task; Bob is stricter on every third."""
    task = tiny_task(stored_dataset(), n=n)
    for rater in ("Ann", "Bob"):
        for _ in range(n):
            pair = desk(task, rater).pair
            assert pair is not None
            strict = rater == "Bob" and int(pair[1][1]) % 3 == 0
            judging.add_mark(task.id, rater, pair, 0 if strict else 2, 3.0)
    return task


def texts_beside() -> list[Source]:
    queries, documents, _ = tiny_files()
    return [queries, documents]


def test_the_own_table_comes_back_through_the_intake() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    said = ratings_of(judging.read_marks(task.id))
    data = csv_bytes(ratings_table(dataset, said))
    draft = read_files([*texts_beside(), Source("ratings.csv", data)])
    back = draft.frames["ratings"][["rater", "query_id", "doc_id", "grade"]].astype({"grade": "int64"})
    assert sorted(map(tuple, back.to_numpy().tolist())) == sorted(map(tuple, said.to_numpy().tolist()))
    assert {file.layout for file in draft.files} >= {"raters_long"}


def test_trec_and_quepid_ratings_come_back_through_the_intake() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    made = judgments_from(ratings_of(judging.read_marks(task.id)), "down")
    wanted = sorted(map(tuple, made.to_numpy().tolist()))
    for source, layout in (
        (Source("judged.qrels", qrels_text(made).encode()), "trec_qrels"),
        (Source("ratings.csv", csv_bytes(quepid_ratings(dataset, made))), "quepid_ratings"),
    ):
        draft = read_files([*texts_beside(), source])
        back = draft.frames["judgments"][["query_id", "doc_id", "grade"]].astype({"grade": "int64"})
        assert sorted(map(tuple, back.to_numpy().tolist())) == wanted
        assert draft.files[-1].layout == layout


def test_a_quepid_book_comes_back_with_every_rater_and_unjudged_pairs() -> None:
    dataset = stored_dataset()
    task = tiny_task(dataset, n=12)
    for _ in range(5):
        judge(task, "Ann", 2)
    judge(task, "Bob", 1)
    said = ratings_of(judging.read_marks(task.id))
    book = json.dumps(quepid_book(dataset, task, said)).encode()
    assert len(json.loads(book)["query_doc_pairs"]) == 12
    draft = read_files([*texts_beside(), Source("book.json", book)])
    back = draft.frames["ratings"][["rater", "query_id", "doc_id", "grade"]].astype({"grade": "int64"})
    assert sorted(map(tuple, back.to_numpy().tolist())) == sorted(map(tuple, said.to_numpy().tolist()))


def test_ratings_of_a_file_join_the_task_and_the_same_file_again_changes_nothing() -> None:
    dataset = stored_dataset()
    task = tiny_task(dataset, n=12)
    inside, outside = open_pairs(dataset, 40).iloc[0], open_pairs(dataset, 40).iloc[30]
    data = (
        "query_id,doc_id,rater,rating\n"
        f"{inside.query_id},{inside.doc_id},Cy,2\n"
        f"{outside.query_id},{outside.doc_id},Cy,1\n"
        "q0,d0_0,Cy,2\n"  # judged in the dataset
        f"{inside.query_id},{inside.doc_id},Di,9\n"  # above the scale
        "q0,nowhere,Cy,1\n"
    ).encode()
    found = import_ratings(task, dataset, [Source("ratings.csv", data)], "me")
    assert (found.n_marks, found.n_new_pairs, found.n_known, found.n_off_scale) == (2, 1, 1, 1)
    assert [row.code for row in found.rejected] == ["orphan_rating"]
    assert load_task(task.id).n_pairs == 13
    assert desk(task, "Cy").n_done == 2
    again = import_ratings(task, dataset, [Source("ratings.csv", data)], "me")
    assert again.n_marks == 0
    assert len(judging.read_marks(task.id)) == 2
    assert judging.undo_mark(task.id, "Cy") is None  # what a file said is not taken back by a key


def test_judgments_without_a_rater_are_those_of_the_name_that_is_given() -> None:
    dataset = stored_dataset()
    task = tiny_task(dataset, n=12)
    pair = open_pairs(dataset, 1).iloc[0]
    found = import_ratings(task, dataset, [Source("x.qrels", f"{pair.query_id} 0 {pair.doc_id} 2\n".encode())], "Old")
    assert found.n_marks == 1
    assert judging.read_marks(task.id)[0]["rater"] == "Old"
    with pytest.raises(RerankError) as caught:
        import_ratings(task, dataset, [Source("y.qrels", b"q0 0 nowhere 2\n")], "Old")
    assert caught.value.code == "nothing_to_import"


# --- a new version


def test_a_version_holds_old_and_new_judgments_and_says_where_they_are_from() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    stored = load_dataset(version.digest)
    assert len(stored.judgments) == len(dataset.judgments) + 12
    assert not stored.judgments.duplicated(["query_id", "doc_id"]).any()
    assert stored.ratings is not None
    assert len(stored.ratings) == 24
    said = stored.manifest["judging"]
    assert {name: said[name] for name in ("dataset", "root", "task", "n_judged", "n_raters", "resolution", "ties")} == {
        "dataset": dataset.digest,
        "root": dataset.digest,
        "task": task.id,
        "n_judged": 12,
        "n_raters": 2,
        "resolution": "median",
        "ties": "up",
    }
    assert said["guideline"] == "Be strict."
    assert said["seconds_per_judgment"] == 3.0
    assert load_dataset(dataset.digest).judgments.equals(dataset.judgments)
    findings = {finding.code: finding for finding in load_findings(version.digest)}
    assert findings["judged_in_task"].facts == {"n_judgments": 12, "n_raters": 2}
    counts = stored.judgments["grade"].value_counts()
    assert findings["grade_histogram"].facts["counts"] == {str(grade): int(counts[grade]) for grade in (0, 1, 2)}
    second = tiny_task(stored, n=10)
    judge(second, "Ann", 1)
    third = judged_version(stored, second, judging.read_marks(second.id), name="more", ties="up")
    assert lineage_of(third.digest) == [third.digest, version.digest, dataset.digest]
    assert third.manifest["judging"]["root"] == dataset.digest


def test_versions_share_one_ledger_of_looks() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    texts = {"q1": "one", "q2": "two"}
    record_look(dataset.digest, "a" * 12, ["q1", "q2"], texts)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    assert [look["experiment"] for look in earlier_looks(version.digest, "b" * 12, ["q2"], texts)] == ["a" * 12]
    record_look(version.digest, "b" * 12, ["q2"], texts)
    assert [look["experiment"] for look in earlier_looks(dataset.digest, "c" * 12, ["q2"], texts)] == [
        "a" * 12,
        "b" * 12,
    ]


def test_clicks_and_people_are_not_mixed() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    clicked = dataclasses.replace(dataset, manifest={**dataset.manifest, "implicit": True})
    version = judged_version(clicked, task, judging.read_marks(task.id), name="judged", ties="up")
    assert len(version.judgments) == 12
    assert version.manifest["implicit"] is False


def test_addresses_of_raters_do_not_reach_the_dataset() -> None:
    task = tiny_task(stored_dataset(), n=12)
    judge(task, "jo@example.org", 2)
    version = judged_version(load_dataset(task.dataset), task, judging.read_marks(task.id), name="x", ties="up")
    assert version.ratings is not None
    assert list(version.ratings["rater"]) == ["rater 1"]


def test_without_judgments_there_is_no_version() -> None:
    task = tiny_task(stored_dataset(), n=12)
    judge(task, "Ann", 2)
    with pytest.raises(RerankError) as caught:
        judged_version(load_dataset(task.dataset), task, judging.read_marks(task.id), name="x", ties="up", min_raters=2)
    assert caught.value.code == "no_judgments_yet"


def test_a_large_task_answers_quickly() -> None:
    """One judgment of 5,000 pairs: reading, ordering and writing stay well below what a person notices."""
    pairs = pd.DataFrame(
        {"query_id": [f"q{n % 100}" for n in range(5_000)], "doc_id": [f"d{n}" for n in range(5_000)], "priority": 0.0}
    )
    task = create_task("d" * 64, pairs, name="x", guideline="", settings=Settings(("no", "yes")))
    begun = time.perf_counter()
    judge(task, "Ann", 1)
    assert time.perf_counter() - begun < 1.0


def test_a_version_of_a_large_dataset_shares_the_files_of_its_documents() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    columns = room("datasets") / dataset.digest / "documents"
    with ColumnWriter(columns, ["doc_id", "title", "text"]) as written:
        written.write(dataset.documents)
    (room("datasets") / dataset.digest / "documents.parquet").unlink()
    delete_dataset(version.digest)
    large = load_dataset(dataset.digest)
    assert large.documents_at == columns
    again = judged_version(large, task, judging.read_marks(task.id), name="judged", ties="up")
    assert again.digest == version.digest
    shared = room("datasets") / again.digest / "documents" / "text.bytes"
    assert shared.stat().st_ino == (columns / "text.bytes").stat().st_ino
    assert load_dataset(again.digest).documents["text"].tolist() == dataset.documents["text"].tolist()
