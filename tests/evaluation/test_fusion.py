"""Fusion: standardised scores, mixtures in fifths, weights that lean to balance, and a fair score for the fit."""

import numpy as np
import pandas as pd
import pytest

from rerank.evaluation.fusion import fit_weights, mixed, mixtures, standardised, with_model
from rerank.evaluation.rankings import ranking_of

N_QUERIES, DEPTH = 30, 8


def test_scores_are_standardised_within_each_query() -> None:
    found = standardised(np.array([1.0, 2.0, 3.0, 10.0, 30.0, 7.0, 7.0]), ["a", "a", "a", "b", "b", "c", "c"])
    # By hand: a has mean 2 and deviation √(2/3); b mean 20, deviation 10; c does not vary.
    assert found == pytest.approx([-(1.5**0.5), 0.0, 1.5**0.5, -1.0, 1.0, 0.0, 0.0])


def test_mixtures_are_all_ways_to_share_five_fifths() -> None:
    found = mixtures(("one", "two", "three"))
    assert len(found) == 21  # (5 + 2 over 2)
    assert all(sum(weights.values()) == pytest.approx(1) for weights in found)
    assert len({tuple(weights.values()) for weights in found}) == 21
    assert len(mixtures(("embedding", "first_stage"))) == 6


def test_a_model_takes_its_share_from_what_is_free_and_leaves_its_proportion() -> None:
    found = with_model({"embedding": 0.6, "first_stage": 0.4})
    assert [weights["model"] for weights in found] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert found[2] == pytest.approx({"model": 0.4, "embedding": 0.36, "first_stage": 0.24})


def sample(
    quality: dict[str, float], seed: int = 0
) -> tuple[pd.DataFrame, dict[str, np.ndarray], pd.DataFrame, list[str]]:
    """Candidates with one relevant document each, and sources that point to it with noise."""
    rng = np.random.default_rng(seed)
    queries = [f"q{i}" for i in range(N_QUERIES)]
    rows = pd.DataFrame(
        [(query, f"d{rank}", rank, -float(rank)) for query in queries for rank in range(1, DEPTH + 1)],
        columns=["query_id", "doc_id", "rank", "score"],
    )
    relevant = {query: f"d{rng.integers(1, DEPTH + 1)}" for query in queries}
    judgments = pd.DataFrame(
        {"query_id": queries, "doc_id": [relevant[query] for query in queries], "grade": [1] * N_QUERIES}
    )
    truth = np.array([float(relevant[row.query_id] == row.doc_id) for row in rows.itertuples()])
    names = list(rows["query_id"])
    parts = {
        name: standardised(strength * truth + rng.normal(size=len(truth)), names) for name, strength in quality.items()
    }
    return rows, parts, judgments, queries


def fit(quality: dict[str, float], expected: float = 0.2) -> tuple[dict[str, float], float]:
    rows, parts, judgments, queries = sample(quality)
    free = fit_weights(rows, parts, judgments, queries, "nDCG@10", 1).weights
    found = fit_weights(rows, parts, judgments, queries, "nDCG@10", 1, free, expected)
    return found.weights, found.earned


def test_scores_that_a_model_tied_say_nothing_even_after_a_ranking_parted_them() -> None:
    """A ranking breaks ties by one step of single precision, in the first stage's order: that is no opinion."""
    tied = [np.float32(0.3)]
    for _ in range(3):
        tied.append(np.nextafter(tied[-1], np.float32(-1)))
    assert standardised(np.array(tied, dtype=np.float64), ["q"] * 4).tolist() == [0.0] * 4
    large = np.array([1000.0, 1000.0002])  # a step of single precision at a thousand is 6e-5
    assert standardised(large, ["q"] * 2).tolist() == [0.0] * 2
    assert standardised(np.array([0.3, 0.3001]), ["q"] * 2) == pytest.approx([-1.0, 1.0])


def test_a_source_that_knows_nothing_gets_little_weight() -> None:
    weights, _ = fit({"model": 0.0, "embedding": 4.0, "first_stage": 0.0})
    assert weights["embedding"] >= 0.6


@pytest.mark.parametrize("expected", [0.2, 0.6])
def test_equal_sources_are_mixed_as_the_prior_says(expected: float) -> None:
    weights, _ = fit({"model": 1.5, "embedding": 1.5, "first_stage": 1.5}, expected)
    prior = {"model": expected, "embedding": (1 - expected) / 2, "first_stage": (1 - expected) / 2}
    assert all(abs(weights[name] - prior[name]) <= 0.2 + 1e-9 for name in weights)


def test_a_model_that_knows_far_more_earns_its_weight() -> None:
    weights, _ = fit({"model": 5.0, "embedding": 0.5, "first_stage": 0.0})
    assert weights["model"] >= 0.6


def test_free_weights_do_not_look_at_the_model() -> None:
    rows, parts, judgments, queries = sample({"model": 5.0, "embedding": 4.0, "first_stage": 0.0})
    weights = fit_weights(rows, parts, judgments, queries, "nDCG@10", 1).weights
    assert set(weights) == {"embedding", "first_stage"}
    assert weights["embedding"] >= 0.6


def test_the_fit_reports_what_it_earns_on_queries_it_was_not_fitted_on() -> None:
    """Of pure noise the best mixture looks good on the queries that chose it; cross-fitted, it does not."""
    optimistic, fair = [], []
    for seed in range(8):
        rows, parts, judgments, queries = sample({"model": 0.0, "embedding": 0.0, "first_stage": 0.0}, seed)
        earned = fit_weights(rows, parts, judgments, queries, "RR@10", 1).earned
        scores = []
        for weights in mixtures(("embedding", "first_stage")):
            ranking = ranking_of(rows, mixed(parts, weights)).merge(judgments, on=["query_id", "doc_id"])
            scores.append(float((1 / ranking["rank"]).mean()))
        optimistic.append(max(scores))
        fair.append(earned)
    assert np.mean(optimistic) > np.mean(fair)
    assert np.mean(fair) == pytest.approx(np.mean([1 / rank for rank in range(1, DEPTH + 1)]), abs=0.05)


def test_one_development_query_is_enough_not_to_fail() -> None:
    rows, parts, judgments, _ = sample({"model": 1.0, "embedding": 1.0})
    one = rows["query_id"] == "q0"
    found = fit_weights(
        rows[one].reset_index(drop=True),
        {name: values[one] for name, values in parts.items()},
        judgments,
        ["q0"],
        "AP",
        1,
        {"embedding": 1.0},
    )
    assert sum(found.weights.values()) == pytest.approx(1)
    assert 0 <= found.earned <= 1


def test_one_development_query_does_not_vouch_for_its_own_weights() -> None:
    """With a single query nothing is left to fit on: the score is that of the prior, whatever fits it best."""
    rows = pd.DataFrame([("q", "a", 1, -1.0), ("q", "b", 2, -2.0)], columns=["query_id", "doc_id", "rank", "score"])
    judgments = pd.DataFrame({"query_id": ["q"], "doc_id": ["b"], "grade": [1]})
    parts = {"model": np.array([-1.0, 1.0]), "embedding": np.array([1.0, -1.0]), "first_stage": np.array([1.0, -1.0])}
    free = {"embedding": 0.5, "first_stage": 0.5}
    found = fit_weights(rows, parts, judgments, ["q"], "RR@10", 1, free, 0.2)
    assert found.leads == {"q": 0.5}  # alone, the model would have put it first
    assert found.earned == 0.5  # .2 of the model cannot turn .8 of the others
