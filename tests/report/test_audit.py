"""The teacher is audited on what it scored: a silence is neither praise nor blame."""

from dataclasses import replace

import numpy as np
import pytest

from rerank.evaluation.rankings import ranking_of
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.planning.plan import Plan
from rerank.report.audit import audit_teacher
from rerank.report.ran import Ran
from tests.conftest import tiny_files


@pytest.fixture
def ran() -> Ran:
    """Forty queries with eight candidates each; the embedding ranks well, the first stage badly."""
    dataset = finish(read_files(tiny_files()), "tiny")
    grades = {(row.query_id, row.doc_id): row.grade for row in dataset.judgments.itertuples(index=False)}
    rows = dataset.judgments[["query_id", "doc_id"]].copy()
    value = np.array([float(grades[pair]) for pair in zip(rows["query_id"], rows["doc_id"], strict=True)])
    candidates = ranking_of(rows.assign(rank=range(1, len(rows) + 1)), -value)
    better = ranking_of(rows.assign(rank=range(1, len(rows) + 1)), value)
    return Ran(
        experiment="x",
        gate=2,
        plan=Plan(dataset_digest=dataset.digest, teacher="uploaded", strategies=("first-stage", "D")),
        locked={},
        dataset=dataset,
        device_kind="cpu",
        device_name="",
        numerics={},
        base_model="",
        has_head=False,
        test_queries=tuple(dataset.queries["query_id"]),
        dev_queries=(),
        candidates=candidates,
        candidates_digest="c",
        teacher_scores={pair: float(grade) for pair, grade in grades.items()},
        embedding_scores=better,
        truncation={},
        encoder_seconds=0.0,
        forecast={},
        job_seconds=0.0,
        job_usd=0.0,
        runs=(),
    )


def some(ran: Ran, queries: set[str]) -> dict[tuple[str, str], float]:
    return {pair: score for pair, score in ran.teacher_scores.items() if pair[0] in queries}


def test_queries_that_the_teacher_did_not_score_are_not_held_against_it(ran: Ran) -> None:
    queries = {f"q{number}" for number in range(20)}
    audit = audit_teacher(replace(ran, teacher_scores=some(ran, queries)))
    assert audit is not None
    assert (audit["baseline"], audit["n_queries"], audit["colour"]) == ("embedding", 20, "amber")
    assert audit["delta"] == pytest.approx(0)
    assert audit["n_pairs_without_score"] == 100


def test_documents_that_the_teacher_did_not_score_are_left_out_of_both_sides(ran: Ran) -> None:
    known = {pair: score for pair, score in ran.teacher_scores.items() if not pair[1].endswith("_0")}
    audit = audit_teacher(replace(ran, teacher_scores=known))
    assert audit is not None
    assert audit["teacher_mean"] == pytest.approx(audit["baseline_mean"])


def test_a_teacher_that_scored_nothing_is_amber_without_numbers(ran: Ran) -> None:
    audit = audit_teacher(replace(ran, teacher_scores={}))
    assert audit is not None
    assert (audit["colour"], audit["n_queries"], audit["delta"], audit["teacher_mean"]) == ("amber", 0, None, None)


def test_a_teacher_worse_than_what_is_free_is_red(ran: Ran) -> None:
    worse = {pair: -score for pair, score in ran.teacher_scores.items()}
    audit = audit_teacher(replace(ran, teacher_scores=worse))
    assert audit is not None
    assert audit["colour"] == "red"
