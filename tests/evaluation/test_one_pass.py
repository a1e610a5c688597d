"""Many rankings measured at once, flipped grades, and what nobody judged."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from rerank.evaluation.label_noise import flipped_grades
from rerank.evaluation.measures import cutoff_of, per_query_scores, scores_in_one_pass
from rerank.evaluation.unjudged import depth_of, judged_only, unjudged_among_first
from tests.executed import executed


@pytest.mark.parametrize("measure", ["nDCG@10", "nDCG@5", "RR@10", "Success@1", "P@5", "AP"])
@pytest.mark.parametrize("relevant_grade", [1, 2])
def test_many_at_once_are_the_same_numbers_as_one_by_one(measure: str, relevant_grade: int) -> None:
    ran = executed(n_queries=20)
    other = ran.dataset.judgments.assign(grade=lambda frame: (frame["grade"] + 1) % 3)
    rankings = [ranking for run in ran.runs for ranking in run.rankings.values()]
    rankings.append(rankings[0][rankings[0]["query_id"] != "q3"])  # a query without a ranking scores 0
    cases = [(ranking, judgments) for judgments in (ran.dataset.judgments, other) for ranking in rankings]
    found = scores_in_one_pass(cases, ran.test_queries, measure, relevant_grade)
    for row, (ranking, judgments) in zip(found, cases, strict=True):
        golden = per_query_scores(ranking, judgments, ran.test_queries, [measure], relevant_grade)["value"]
        assert row == pytest.approx(golden.to_numpy())


def test_the_depth_of_a_measure_is_in_its_name() -> None:
    assert [cutoff_of(name) for name in ("nDCG@20", "RR@10", "Success@1", "AP")] == [20, 10, 1, None]
    assert [depth_of(name) for name in ("P@5", "AP")] == [5, 10]


def test_flipped_grades_are_others_that_occur_and_as_many_as_said() -> None:
    judgments = pd.DataFrame({"query_id": "q", "doc_id": [f"d{i}" for i in range(900)], "grade": [0, 1, 3] * 300})
    found, n_flipped = flipped_grades(judgments, 0.1, np.random.default_rng(1))
    changed = found["grade"] != judgments["grade"]
    assert (n_flipped, int(changed.sum())) == (90, 90)
    moves = Counter(zip(judgments["grade"][changed], found["grade"][changed], strict=True))
    assert set(moves) == {(0, 1), (0, 3), (1, 0), (1, 3), (3, 0), (3, 1)}
    assert min(moves.values()) >= 5  # 15 expected of each


def test_where_only_relevant_documents_were_judged_a_flip_makes_them_not_relevant() -> None:
    judgments = pd.DataFrame({"query_id": "q", "doc_id": ["a", "b"], "grade": [1, 1]})
    found, n_flipped = flipped_grades(judgments, 0.05, np.random.default_rng(0))
    assert (n_flipped, sorted(found["grade"])) == (1, [0, 1])


def test_unjudged_documents_are_found_and_left_out() -> None:
    ranking = pd.DataFrame({"query_id": "q", "doc_id": list("abcd"), "rank": [1, 2, 3, 4], "score": [4.0, 3, 2, 1]})
    other = ranking.assign(rank=[4, 3, 2, 1], score=[1.0, 2, 3, 4])
    judgments = pd.DataFrame({"query_id": ["q", "q", "x"], "doc_id": ["b", "c", "a"], "grade": [1, 0, 1]})
    assert unjudged_among_first([ranking], judgments, 2)["doc_id"].tolist() == ["a"]
    assert unjudged_among_first([ranking, other], judgments, 2)["doc_id"].tolist() == ["a", "d"]
    left = judged_only(ranking, judgments)
    assert (left["doc_id"].tolist(), left["rank"].tolist()) == (["b", "c"], [1, 2])
