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
