"""The table of strength: who is chosen, and against what."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from rerank.bench.strength import points_of

QUERIES = [f"q{number}" for number in range(20)]


def test_the_chosen_strategy_is_the_best_in_development_and_stands_against_the_better_free_one(tmp_path: Path) -> None:
    free = {
        "first-stage": [0.3] * 20,
        "embedding": [0.4 + 0.01 * (n % 3) for n in range(20)],
        "embedding+fusion": [0.45] * 20,
    }
    rows = [
        (name, query, "nDCG@10", value)
        for name, values in free.items()
        for query, value in zip(QUERIES, values, strict=True)
    ]
    pd.DataFrame(rows, columns=["strategy", "query_id", "measure", "value"]).to_csv(
        tmp_path / "per_query.csv", index=False
    )
    trained = {("C", 0.5): [0.2] * 20, ("C+fusion", 0.5): [0.5 + 0.01 * (n % 5) for n in range(20)]}
    curve = [
        (name, share, 1, query, value)
        for (name, share), values in trained.items()
        for query, value in zip(QUERIES, values, strict=True)
    ]
    pd.DataFrame(curve, columns=["strategy", "share", "seed", "query_id", "value"]).to_csv(
        tmp_path / "learning_curve.csv", index=False
    )
    result = {
        "plan": {"primary_measure": "nDCG@10"},
        "learning_curve": [
            {"strategy": "C", "share": 0.5, "n_train_queries": 50, "dev_score": 0.1, "mean": 0.2},
            {"strategy": "C+fusion", "share": 0.5, "n_train_queries": 50, "dev_score": 0.3, "mean": 0.52},
        ],
    }
    (point,) = points_of(result, tmp_path)
    assert (point["n_train"], point["chosen"]) == (50, "C+fusion")
    assert list(point["against"]) == ["embedding", "embedding+fusion"]
    golden = stats.ttest_rel(trained[("C+fusion", 0.5)], free["embedding"])
    assert point["against"]["embedding"]["p"] == pytest.approx(golden.pvalue)
    assert point["against"]["embedding"]["verdict"] == "better"
