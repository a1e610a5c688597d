"""Unlabelled queries: from the log and from documents, never a tested one."""

from dataclasses import replace

import pandas as pd
import pytest

from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files
from rerank.planning.plan import Plan, Unlabelled
from rerank.retrieval.unlabelled import unlabelled_queries

LONG = "The blue kettle boils water in two minutes. It has a handle of beech wood. Its cord is one metre long."


@pytest.fixture
def dataset() -> Dataset:
    """Two judged queries, three in the log (one reads like a judged one), and documents of every kind."""
    queries = "query_id,text\nq1,Red shoes\nq2,green hat\nl1,red  SHOES\nl2,warm gloves\nl3,winter scarf\n"
    documents = (
        "doc_id,title,text\n"
        f'd1,Blue kettle,"{LONG}"\n'
        f'd2,,"{LONG.replace("kettle", "pot")}"\n'
        "d3,Shoes,too short\n"
        f'd4,Red shoes,"{LONG.replace("kettle", "shoe")}"\n'
        "d5,,これは青いやかんで、二分で湯を沸かします。取っ手はブナ材でできています。コードの長さは一メートルあります。\n"
    )
    judgments = "query_id,doc_id,grade\nq1,d3,2\nq1,d1,0\nq2,d4,1\n"
    files = [
        Source("queries.csv", queries.encode()),
        Source("documents.csv", documents.encode()),
        Source("judgments.csv", judgments.encode()),
    ]
    return finish(read_files(files), "mixed")


def plan_of(dataset: Dataset, n: int, source: str = "both", **changes: object) -> Plan:
    """A plan with n unlabelled queries."""
    plan = Plan(dataset_digest=dataset.digest, unlabelled=Unlabelled(n, source))  # type: ignore[arg-type]
    return replace(plan, **changes)  # type: ignore[arg-type]


def test_none_are_taken_unless_the_plan_says_so(dataset: Dataset) -> None:
    assert unlabelled_queries(dataset, plan_of(dataset, 0), ["q1", "q2"]) == ()


def test_the_log_comes_first_and_what_reads_like_a_judged_query_is_left_out(dataset: Dataset) -> None:
    found = unlabelled_queries(dataset, plan_of(dataset, 3), ["q1", "q2"])
    assert {item.query_id for item in found[:2]} == {"l2", "l3"}  # l1 is q1 but for case and spaces
    assert [item.is_pseudo for item in found] == [False, False, True]


def test_what_is_nearly_a_judged_query_is_left_out_as_well(dataset: Dataset) -> None:
    texts = dataset.queries["text"].replace(
        {"Red shoes": "Warm soft gloves for winter?", "warm gloves": "warm soft gloves for winter"}
    )
    close = replace(dataset, queries=dataset.queries.assign(text=texts))
    found = unlabelled_queries(close, plan_of(dataset, 9, "log"), ["q1", "q2"])
    assert {item.query_id for item in found} == {"l1", "l3"}  # l2 is now q1 but for a question mark


def test_a_title_asks_for_its_body_and_a_sentence_for_the_others(dataset: Dataset) -> None:
    found = {item.doc_id: item for item in unlabelled_queries(dataset, plan_of(dataset, 9, "documents"), ["q1", "q2"])}
    assert set(found) == {"d1", "d2", "d5"}  # d3 is too short, d4's title is a judged query
    assert (found["d1"].text, found["d1"].rest) == ("Blue kettle", LONG)
    for name in ("d2", "d5"):
        whole = str(dataset.documents.set_index("doc_id").loc[name, "text"])
        assert found[name].text in whole
        assert found[name].text not in found[name].rest
        assert set(found[name].rest.split()) <= set(whole.replace("。", "。 ").split())


def test_the_sample_is_the_same_every_time_and_a_smaller_one_is_its_beginning(dataset: Dataset) -> None:
    one = unlabelled_queries(dataset, plan_of(dataset, 4), ["q1", "q2"])
    assert one == unlabelled_queries(dataset, plan_of(dataset, 4), ["q1", "q2"])
    assert unlabelled_queries(dataset, plan_of(dataset, 2), ["q1", "q2"]) == one[:2]


def test_an_uploaded_teacher_teaches_only_queries_that_it_scored(dataset: Dataset) -> None:
    scores = pd.DataFrame({"query_id": ["l3", "q1"], "doc_id": ["d1", "d1"], "score": [0.5, 0.1]})
    scored = replace(dataset, teacher_scores=scores)
    found = unlabelled_queries(scored, plan_of(dataset, 9, teacher="uploaded"), ["q1", "q2"])
    assert [item.query_id for item in found] == ["l3"]
