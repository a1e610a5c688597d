"""The ceiling: what re-ranking could reach, what was taken of it, and what is left to retrieval."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rerank.report.ceiling import ceiling_record
from rerank.report.per_query import seed_scores
from rerank.stats.captured import captured_share
from rerank.stats.compare import Scores
from tests.executed import executed


def scores(values: np.ndarray, *, trained: bool = False) -> Scores:
    table = np.atleast_2d(values)
    return Scores("s", tuple(f"q{i}" for i in range(table.shape[1])), table, "c", trained)


def test_a_perfect_order_takes_everything_and_todays_order_nothing() -> None:
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 0.8, 40)
    oracle = first + rng.uniform(0, 0.2, 40)
    for values, share in ((oracle, 1.0), (first, 0.0), (2 * first - oracle, -1.0)):
        found = captured_share(scores(first), scores(values), oracle)
        assert found is not None
        # The same share of every query's room: nothing varies.
        assert (found.share, found.low, found.high) == pytest.approx((share,) * 3)


def test_the_interval_is_that_of_a_bootstrap_of_the_ratio() -> None:
    rng = np.random.default_rng(4)
    n = 300
    first = rng.uniform(0, 0.6, n)
    oracle = first + rng.uniform(0.1, 0.4, n)
    strategy = first + 0.4 * (oracle - first) + rng.normal(0, 0.1, n)
    found = captured_share(scores(first), scores(strategy), oracle)
    golden = stats.bootstrap(
        (strategy - first, oracle - first),
        lambda gain, room, axis: gain.mean(axis=axis) / room.mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((golden.low, golden.high), abs=0.006)


def test_training_luck_widens_the_interval() -> None:
    rng = np.random.default_rng(5)
    first = rng.uniform(0, 0.5, 60)
    oracle = first + 0.4
    seeds = first + 0.2 + rng.normal(0, 0.05, (3, 60))
    lucky = seeds + np.array([[-0.1], [0.0], [0.1]])
    narrow = captured_share(scores(first), scores(seeds, trained=True), oracle)
    wide = captured_share(scores(first), scores(lucky, trained=True), oracle)
    assert narrow is not None
    assert wide is not None
    assert wide.share == pytest.approx(narrow.share)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_without_room_there_is_no_share() -> None:
    first = np.full(30, 0.5)
    assert captured_share(scores(first), scores(first), first) is None
    one = first.copy()
    one[0] = 0.9  # one query with room: its interval holds 0
    assert captured_share(scores(first), scores(first), one) is None


def test_few_queries_have_a_share_without_an_interval() -> None:
    found = captured_share(scores(np.zeros(5)), scores(np.full(5, 0.25)), np.full(5, 0.5))
    assert found is not None
    assert (found.share, found.low, found.high) == (0.5, None, None)


def test_what_was_not_found_is_left_to_retrieval() -> None:
    """By hand, Success@1: a query whose relevant document is no candidate keeps a perfect order at 0."""
    ran = executed(judged=1.0, primary_measure="Success@1")
    lost = ran.test_queries[:15]  # of 60
    relevant = ran.dataset.judgments[ran.dataset.judgments["grade"] > 0]
    gone = pd.MultiIndex.from_frame(relevant[relevant["query_id"].isin(lost)][["query_id", "doc_id"]])

    def without(ranking: pd.DataFrame) -> pd.DataFrame:
        kept = ranking[~pd.MultiIndex.from_frame(ranking[["query_id", "doc_id"]]).isin(gone)]
        return kept.assign(rank=kept.groupby("query_id").cumcount() + 1)

    runs = tuple(replace(run, rankings={s: without(r) for s, r in run.rankings.items()}) for run in ran.runs)
    poorer = replace(ran, runs=runs, candidates=without(ran.candidates))
    found = ceiling_record(poorer, seed_scores(poorer))
    assert found["oracle"] == pytest.approx(0.75)
    assert found["ideal"] == 1.0
    first, c = (
        np.mean([r[(r["rank"] == 1)].merge(relevant)["query_id"].nunique() / 60 for r in run.rankings.values()])
        for run in runs
        if run.name in ("first-stage", "C")
    )
    assert found["first_stage"] == pytest.approx(first)
    assert found["captured"]["C"]["share"] == pytest.approx((c - first) / (0.75 - first))
    assert "first-stage" not in found["captured"]
