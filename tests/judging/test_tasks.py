"""Judging tasks: what is pooled to be judged, and tasks that are made once or refused."""

import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.judging.pool import at_most, bm25_ranking, pool_of, settling
from rerank.judging.tasks import Settings, create_task, load_task, tasks_of
from rerank.store import judging
from tests.judging.tasks import open_pairs, stored_dataset, tiny_task


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
