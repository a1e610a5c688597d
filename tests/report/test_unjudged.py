"""Unjudged documents: three views, and the judgments that would settle what depends on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rerank.evaluation.measures import per_query_scores
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files
from rerank.report.comparisons import all_comparisons
from rerank.report.per_query import seed_scores
from rerank.report.ran import Ran, StrategyRun
from rerank.report.spreadsheets import csv_bytes
from rerank.report.stability import locked_questions, rules_of
from rerank.report.unjudged import judgments_to_settle, stamped, unjudged_record
from rerank.stats.comparison import Comparison
from rerank.stats.stability import answers
from tests.executed import executed, sample

BASE = executed()


def hidden_gain() -> Ran:
    """C puts an unjudged document first on every query, the first stage the one judged to be relevant."""
    queries = [f"q{number}" for number in range(30)]
    orders = {"first-stage": ["r", "n", "u"], "C": ["u", "r", "n"]}
    rankings = {
        name: pd.DataFrame(
            {
                "query_id": np.repeat(queries, 3),
                "doc_id": docs * 30,
                "rank": [1, 2, 3] * 30,
                "score": [3.0, 2.0, 1.0] * 30,
            }
        )
        for name, docs in orders.items()
    }
    judgments = pd.DataFrame({"query_id": np.repeat(queries, 2), "doc_id": ["r", "n"] * 30, "grade": [1, 0] * 30})
    dataset = Dataset(
        name="x",
        digest="d",
        queries=pd.DataFrame({"query_id": queries, "text": "a query", "segment": ""}),
        documents=pd.DataFrame({"doc_id": ["r", "n", "u"], "title": "=1+1", "text": "some text"}),
        judgments=judgments,
        candidates=None,
        teacher_scores=None,
        manifest={},
    )
    runs = (
        StrategyRun("first-stage", {0: rankings["first-stage"]}, None, None, 0.0, 0.0),
        StrategyRun("C", {1: rankings["C"]}, 0.5, None, 0.0, 0.0, stages=("s",)),
    )
    plan = replace(BASE.plan, strategies=("first-stage", "C"), seeds=(1,), primary_measure="RR@10")
    return replace(BASE, dataset=dataset, test_queries=tuple(queries), runs=runs, plan=plan)


def locked(ran: Ran) -> list[Comparison]:
    return answers(locked_questions(ran, seed_scores(ran), ran.plan.primary_measure), rules_of(ran.plan))


def test_a_verdict_that_depends_on_unjudged_documents_is_stamped() -> None:
    # RR by hand. Main: first stage 1, C 1/2 (its first is unjudged). Left out: 1 and 1. Relevant: 1 and 1.
    ran = hidden_gain()
    main = all_comparisons(ran, seed_scores(ran))
    record = unjudged_record(ran, main)
    (found,) = record["comparisons"]
    views = {view: (found[view]["delta"], found[view]["verdict"]) for view in ("not_relevant", "left_out", "relevant")}
    assert views == {"not_relevant": (-0.5, "worse"), "left_out": (0.0, "identical"), "relevant": (0.0, "identical")}
    assert (found["flips"], found["n_unjudged"]) == (True, 30)
    marked = [item for item in stamped(main, record) if "depends_on_unjudged" in item.reasons]
    assert [(item.challenger, item.measure) for item in marked] == [("C", "RR@10")]
    assert marked[0].delta == -0.5  # the stamp is a reservation: the result stays


def test_the_judgments_that_would_settle_it_are_listed_with_texts_ranks_and_influence() -> None:
    ran = hidden_gain()
    rows = judgments_to_settle(ran, unjudged_record(ran, locked(ran)))
    assert list(rows.columns) == [
        "query_id", "doc_id", "grade", "query", "title", "text", "influence", "rank_first-stage", "rank_C"
    ]  # fmt: skip
    assert set(rows["doc_id"]) == {"u"}
    assert len(rows) == 30
    assert set(rows["grade"]) == {""}
    assert (rows["rank_first-stage"].iloc[0], rows["rank_C"].iloc[0]) == (3.0, 1.0)
    # One document judged relevant takes C from 1/2 to 1 on one query of 30; the first stage keeps its 1.
    assert rows["influence"].tolist() == pytest.approx([0.5 / 30] * 30, abs=1e-6)
    assert b",'=1+1," in csv_bytes(rows)


def test_judging_the_whole_list_settles_the_verdict() -> None:
    ran = BASE
    record = unjudged_record(ran, locked(ran))
    for item in record["comparisons"]:
        item["flips"] = True  # list all of them, whatever the verdicts are
    rows = judgments_to_settle(ran, record)
    truth = sample(60, 0.5)[1].set_index(["query_id", "doc_id"])["grade"]
    grades = truth.reindex(pd.MultiIndex.from_frame(rows[["query_id", "doc_id"]])).to_numpy()
    more = pd.concat([ran.dataset.judgments, rows[["query_id", "doc_id"]].assign(grade=grades)], ignore_index=True)
    judged = replace(ran, dataset=replace(ran.dataset, judgments=more))
    for item in unjudged_record(judged, locked(judged))["comparisons"]:
        assert item["n_unjudged"] == 0
        assert item["flips"] is False
        assert item["left_out"] == pytest.approx(item["not_relevant"])
        assert item["relevant"] == pytest.approx(item["not_relevant"])


def test_influence_is_the_change_of_the_difference_when_one_judgment_is_added() -> None:
    ran = BASE
    record = unjudged_record(ran, locked(ran))
    record["comparisons"][1]["flips"], record["comparisons"][0]["flips"] = True, False
    rows = judgments_to_settle(ran, record)
    assert rows["influence"].is_monotonic_decreasing

    def difference(judgments: pd.DataFrame) -> float:
        means = {}
        for run in ran.runs:
            scores = [per_query_scores(r, judgments, ran.test_queries, ["nDCG@10"], 1) for r in run.rankings.values()]
            means[run.name] = np.mean([frame["value"].mean() for frame in scores])
        return float(means["C-then-D"] - means["C"])

    before = difference(ran.dataset.judgments)
    for place in (0, len(rows) // 2):
        one = rows.iloc[[place]][["query_id", "doc_id"]].assign(grade=2)
        after = difference(pd.concat([ran.dataset.judgments, one], ignore_index=True))
        assert rows["influence"].iloc[place] == pytest.approx(abs(after - before), abs=1e-6)


def test_nothing_is_to_be_judged_where_no_verdict_depends_on_it() -> None:
    ran = executed(judged=1.0)
    record = unjudged_record(ran, locked(ran))
    assert [(item["flips"], item["n_unjudged"]) for item in record["comparisons"]] == [(False, 0)] * 2
    assert judgments_to_settle(ran, record).empty
    for views in record["strategies"].values():
        assert views["left_out"] == pytest.approx(views["not_relevant"])
        assert views["relevant"] == pytest.approx(views["not_relevant"])


def test_more_trainings_are_not_held_against_a_strategy() -> None:
    """Over all seeds together more unjudged documents are seen; each training is looked at by itself."""
    two = BASE
    once = [
        replace(
            two,
            runs=tuple(
                replace(run, rankings={s: run.rankings[s] for s in run.rankings if s in (0, seed)}) for run in two.runs
            ),
        )
        for seed in (1, 2)
    ]
    both = unjudged_record(two, locked(two))["strategies"]["C"]["relevant"]
    alone = [unjudged_record(ran, locked(ran))["strategies"]["C"]["relevant"] for ran in once]
    assert both == pytest.approx(np.mean(alone))


def test_left_out_documents_make_room_for_the_next_ones() -> None:
    ran = BASE
    record = unjudged_record(ran, locked(ran))
    run = next(run for run in ran.runs if run.name == "embedding")
    judged = run.rankings[0].merge(ran.dataset.judgments, on=["query_id", "doc_id"])
    golden = per_query_scores(judged, ran.dataset.judgments, ran.test_queries, ["nDCG@10"], 1)["value"].mean()
    assert record["strategies"]["embedding"]["left_out"] == pytest.approx(golden)


def test_the_list_can_be_filled_in_and_uploaded_beside_the_judgments() -> None:
    ran = BASE
    record = unjudged_record(ran, locked(ran))
    for item in record["comparisons"]:
        item["flips"] = True
    rows = judgments_to_settle(ran, record)
    data = ran.dataset
    files = {"queries.csv": data.queries, "documents.csv": data.documents, "judgments.csv": data.judgments}
    sources = [Source(name, frame.to_csv(index=False).encode()) for name, frame in files.items()]
    sources.append(Source("to_judge.csv", csv_bytes(rows.assign(grade=1))))
    judged = finish(read_files(sources), "judged").judgments
    assert len(judged) == len(data.judgments) + len(rows)
