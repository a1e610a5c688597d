"""Ratings of several people: agreement, the grade that counts, and files in and out."""

import json

import krippendorff
import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.intake.reading import Source, read_files
from rerank.intake.storage import load_dataset
from rerank.judging.exchange import import_ratings, quepid_book, quepid_ratings, ratings_table
from rerank.judging.ratings import (
    agreement_among,
    by_rater,
    disagreements,
    judgments_from,
    n_tied,
    pace_of,
    ratings_of,
)
from rerank.judging.tasks import load_task
from rerank.report.files import qrels_text
from rerank.report.spreadsheets import csv_bytes
from rerank.store import judging
from tests.conftest import tiny_files
from tests.judging.tasks import desk, judge, open_pairs, stored_dataset, tiny_task, two_raters


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
