"""Fusions of a fold: whose queries weigh what, and how much a model's training counts."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rerank.planning.splits import Fold
from rerank.worker.fusing import Fuser

DEPTH = 6
FOLD = Fold(
    index=0,
    train=tuple(f"t{n}" for n in range(30)),
    dev=tuple(f"d{n}" for n in range(12)),
    test=tuple(f"q{n}" for n in range(8)),
)


def bench_of(model_knows: float) -> tuple[Any, Any, pd.DataFrame]:
    """Return a workbench with one fold, its candidates' similarities and a model's ranking of them."""
    rng = np.random.default_rng(1)
    queries = FOLD.train + FOLD.dev + FOLD.test
    rows = [(query, f"{query}-{rank}", rank, -float(rank)) for query in queries for rank in range(1, DEPTH + 1)]
    candidates = pd.DataFrame(rows, columns=["query_id", "doc_id", "rank", "score"])
    relevant = {query: f"{query}-{rng.integers(1, DEPTH + 1)}" for query in queries}
    truth = np.array([float(relevant[query] == doc) for query, doc, *_ in rows])
    bench = SimpleNamespace(
        plan=SimpleNamespace(primary_measure="nDCG@10", relevant_grade=1),
        dataset=SimpleNamespace(
            judgments=pd.DataFrame({"query_id": queries, "doc_id": list(relevant.values()), "grade": 1})
        ),
        candidates=candidates,
        candidates_of=lambda ids: candidates[candidates["query_id"].isin(list(ids))].reset_index(drop=True),
    )
    ranking = candidates.assign(score=model_knows * truth + rng.normal(size=len(rows)))
    return bench, truth + rng.normal(size=len(rows)), ranking


@pytest.mark.parametrize(("n_train", "least", "most"), [(0, 0.2, 0.2), (150, 0.2, 0.2), (600, 0.6, 0.6)])
def test_where_development_queries_cannot_tell_a_model_weighs_what_its_training_promises(
    n_train: int, least: float, most: float
) -> None:
    bench, embedding, ranking = bench_of(model_knows=1.0)
    fused = Fuser(bench, embedding).fuse(FOLD, ranking, ranking, n_train=n_train)
    assert least <= fused.weights["model"] <= most
    assert sum(fused.weights.values()) == pytest.approx(1)


def test_development_queries_overrule_what_training_promises() -> None:
    good, embedding, knowing = bench_of(model_knows=9.0)
    assert Fuser(good, embedding).fuse(FOLD, knowing, knowing, n_train=10).weights["model"] >= 0.6
    poor, embedding, misled = bench_of(model_knows=-9.0)
    assert Fuser(poor, embedding).fuse(FOLD, misled, misled, n_train=600).weights["model"] <= 0.2


def test_the_free_scores_are_weighed_on_every_query_that_is_not_tested_and_never_on_tested_ones() -> None:
    bench, embedding, _ = bench_of(model_knows=0.0)
    plain = Fuser(bench, embedding).fuse(FOLD)
    assert set(plain.weights) == {"embedding", "first_stage"}
    judgments = bench.dataset.judgments
    turned = judgments.assign(
        grade=[
            0 if query in FOLD.test else grade for query, grade in zip(judgments.query_id, judgments.grade, strict=True)
        ]
    )
    bench.dataset = SimpleNamespace(judgments=turned)
    again = Fuser(bench, embedding).fuse(FOLD)
    assert (again.weights, again.dev_score) == (plain.weights, plain.dev_score)
    assert set(again.ranking["query_id"]) == set(FOLD.test)
