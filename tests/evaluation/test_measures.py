"""Measures follow trec_eval; rankings have no ties; nothing that was dropped disappears."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from rerank.errors import RerankError
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import kendall_tau, oracle_ranking, ranking_of, strictly_decreasing

JUDGMENTS = pd.DataFrame(
    {
        "query_id": ["q1", "q1", "q1", "q2"],
        "doc_id": ["a", "b", "c", "a"],
        "grade": [3, 0, 1, 1],
    }
)


def ranked(**lists: str) -> pd.DataFrame:
    rows = [
        (query, doc, rank, -float(rank))
        for query, docs in lists.items()
        for rank, doc in enumerate(docs.split(), start=1)
    ]
    return pd.DataFrame(rows, columns=["query_id", "doc_id", "rank", "score"])


def score(ranking: pd.DataFrame, measure: str, relevant_grade: int = 1) -> dict[str, float]:
    found = per_query_scores(ranking, JUDGMENTS, ["q1", "q2"], [measure], relevant_grade)
    assert list(found["query_id"]) == ["q1", "q2"]
    return dict(zip(found["query_id"], found["value"], strict=True))


def test_ndcg_has_linear_gain_and_a_log_discount() -> None:
    # c, b, a: 1/log2(2) + 0 + 3/log2(4) = 2.5; ideal: 3/log2(2) + 1/log2(3) = 3.6309
    assert score(ranked(q1="c b a"), "nDCG@10")["q1"] == pytest.approx(2.5 / (3 + 1 / np.log2(3)))


def test_a_query_that_a_system_dropped_scores_zero() -> None:
    assert score(ranked(q1="a"), "RR@10") == {"q1": 1.0, "q2": 0.0}


def test_binary_measures_count_from_the_relevant_grade_on() -> None:
    assert score(ranked(q1="c a", q2="a"), "Success@1", 1) == {"q1": 1.0, "q2": 1.0}
    assert score(ranked(q1="c a", q2="a"), "Success@1", 2) == {"q1": 0.0, "q2": 0.0}
    assert score(ranked(q1="c a", q2="a"), "RR@10", 2)["q1"] == 0.5


def test_unjudged_documents_are_not_relevant_and_are_counted_as_unjudged() -> None:
    assert score(ranked(q1="x a"), "P@5")["q1"] == pytest.approx(1 / 5)
    assert score(ranked(q1="x a"), "Judged@10")["q1"] == pytest.approx(0.5)


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(RerankError) as caught:
        score(ranked(q1="a"), "nDGC@10")
    assert (caught.value.code, caught.value.facts["measure"]) == ("unknown_measure", "nDGC@10")


def test_ties_keep_the_first_stage_order_and_leave_no_tie_behind() -> None:
    found = ranking_of(ranked(q1="z y x w"), np.array([0.5, 0.5, 0.9, 0.5]))
    assert list(found["doc_id"]) == ["x", "z", "y", "w"]
    assert (np.diff(found["score"].astype(np.float32)) < 0).all()


def test_parting_ties_moves_scores_by_the_least_step_only() -> None:
    found = strictly_decreasing(np.array([1.0, 1.0, 1.0, 0.2]))
    assert found[0] == 1.0
    assert float(found[0] - found[2]) < 3e-7
    assert found[3] == np.float32(0.2)


EXTREMES = (np.inf, 3.4e38, 1.0, 1e-45, 0.0, -0.0, -1e-45, -1.0, -3.4e38, -np.inf)


@given(st.lists(st.lists(st.sampled_from(EXTREMES) | st.floats(-1, 1, width=32), max_size=12), max_size=5))
def test_every_score_is_its_own_or_the_next_below_the_one_before_it(lists: list[list[float]]) -> None:
    sorted_lists = [sorted(scores, reverse=True) for scores in lists]
    golden = []
    for scores in sorted_lists:
        below = np.float32(np.inf)
        for place, score in enumerate(scores):
            value = np.float32(score) if place == 0 else min(np.float32(score), below)
            below = np.nextafter(value, np.float32(-np.inf))
            golden.append(value)
    numbers = np.repeat(np.arange(len(lists)), [len(scores) for scores in lists])
    found = strictly_decreasing(np.array([score for scores in sorted_lists for score in scores]), numbers)
    assert found.tolist() == golden


def test_the_oracle_puts_grades_in_order_and_unjudged_last() -> None:
    assert list(oracle_ranking(ranked(q1="x b c a"), JUDGMENTS)["doc_id"]) == ["a", "c", "x", "b"]


def test_kendall_tau_is_the_mean_over_queries() -> None:
    before, after = ranked(q1="a b c d", q2="a b"), ranked(q1="b a c d", q2="b a")
    golden = kendalltau([1, 2, 3, 4], [2, 1, 3, 4]).statistic
    assert kendall_tau(before, after) == pytest.approx((golden - 1) / 2)
    assert kendall_tau(ranked(q1="a"), ranked(q1="a")) is None
