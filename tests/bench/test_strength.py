"""The strength benchmark's records, from an experiment on the tiny sample."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rerank.bench.strength import points_of
from rerank.planning.plan import LearningCurve
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan

QUERIES = [f"q{number}" for number in range(20)]
STRATEGIES = ("first-stage", "embedding", "embedding+fusion", "C", "C+fusion")


@pytest.mark.parametrize("shares", [(), (0.5,)])
def test_the_chosen_strategy_is_the_best_on_development_queries_and_is_compared_on_tested_ones(
    tmp_path: Path, shares: tuple[float, ...]
) -> None:
    curve = LearningCurve(shares=shares, strategies=("C", "C+fusion"))
    folder = finished_experiment(
        tmp_path / "home",
        lambda model: tiny_plan(make_tiny_model(model), strategies=STRATEGIES, learning_curve=curve),
    )
    result = json.loads((folder / "result.json").read_text())
    points = points_of(result, folder, 15)
    assert [point["n_train"] for point in points] == ([8, 15] if shares else [15])
    whole = points[-1]
    strategies = result["strategies"]
    assert whole["dev"] == {name: strategies[name]["dev_score"] for name in ("C", "C+fusion")}
    assert whole["dev"][whole["chosen"]] == max(whole["dev"].values())
    table = pd.read_csv(folder / "per_query.csv").query("measure == 'nDCG@10'")
    wide = table.pivot(index="query_id", columns="strategy", values="value")
    assert whole["better_free"] == max(("first-stage", "embedding"), key=lambda name: wide[name].mean())
    differences = wide["C"] - wide[whole["better_free"]]
    low, high = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    found = whole["each_against_better_free"]["C"]
    assert np.allclose([found["delta"], found["ci_low"], found["ci_high"]], [differences.mean(), low, high])


def test_the_chosen_strategy_stands_against_the_better_free_one_and_the_free_fusion(tmp_path: Path) -> None:
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
            {"strategy": "C", "dev_score": 0.31, "mean": 0.2, "lead_of_plain": None},
            {
                "strategy": "C+fusion",
                "dev_score": 0.3,
                "mean": 0.52,
                "lead_of_plain": {"mean": 0.01, "standard_error": 0.02},
            },
        ],
    }
    for record in result["learning_curve"]:
        record |= {"share": 0.5, "n_train_queries": 50, "is_model_alone": False}
    (point,) = points_of(result, tmp_path, 99)
    assert (point["n_train"], point["chosen"]) == (50, "C+fusion"), "the plain form's lead is chance"
    result["learning_curve"][1]["lead_of_plain"]["mean"] = 0.041
    assert points_of(result, tmp_path, 99)[0]["chosen"] == "C"
    assert list(point["against"]) == ["embedding", "embedding+fusion"]
    golden = stats.ttest_rel(trained[("C+fusion", 0.5)], free["embedding"])
    assert point["against"]["embedding"]["p"] == pytest.approx(golden.pvalue)
    assert point["against"]["embedding"]["verdict"] == "better"


def test_a_second_stage_is_told_from_longer_training_which_nobody_chooses(tmp_path: Path) -> None:
    kinds = ("C", "D", "C-then-D", "C-long")
    strategies = ("first-stage", "embedding", "embedding+fusion", *kinds)
    curve = LearningCurve(shares=(0.5,), strategies=kinds)
    folder = finished_experiment(
        tmp_path / "home",
        lambda model: tiny_plan(make_tiny_model(model), strategies=strategies, learning_curve=curve),
    )
    points = points_of(json.loads((folder / "result.json").read_text()), folder, 15)
    assert [point["n_train"] for point in points] == [8, 15]
    for point in points:
        assert point["chosen"] in ("C", "D", "C-then-D")
        parts = {item["part"]: item for item in point["second_stages"]}
        assert list(parts) == ["steps", "signal_and_order"]
        gain = point["trained"]["C-then-D"] - point["trained"]["C"]
        assert sum(item["delta"] for item in parts.values()) == pytest.approx(gain)
