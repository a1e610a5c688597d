"""A pilot measures the spread without a look at what is sealed; nor does a forecast look there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rerank.errors import RerankError
from rerank.intake.reading import Source
from rerank.intake.storage import load_dataset
from rerank.planning.experiments import experiment_folder, forecast_path, load_result, lock_plan, pilot_path
from rerank.planning.plan import FirstStage, Plan, Split
from rerank.planning.splits import folds_of
from rerank.report.files import read_seed_scores
from rerank.store.artefacts import read_json
from rerank.worker.experiment import ExperimentSpec, run_experiment, run_forecast
from rerank.worker.pilot import run_pilot, spread_of
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model
from tests.tiny import tiny_plan


def piloted(plan: Plan) -> dict[str, Any]:
    run_pilot({"plan": plan.to_dict(), "device": "cpu"}, Silent())
    found: dict[str, Any] = read_json(pilot_path(plan))
    return found


def with_other_test_judgments(tested: set[str]) -> list[Source]:
    """The tiny sample with the grades of tested queries turned round; every query stays evaluable."""
    queries, documents, judgments = tiny_files()
    head, *rows = judgments.data.decode().splitlines()
    cells = [row.split(",") for row in rows]
    turned = [f"{q},{d},{2 - int(g)}" if q in tested else f"{q},{d},{g}" for q, d, g in cells]
    return [queries, documents, Source("judgments.csv", "\n".join([head, *turned]).encode())]


def test_the_spread_and_its_interval_are_those_of_the_differences() -> None:
    draws = np.random.default_rng(3).normal(0.02, 0.2, 60)
    found = spread_of(draws)
    assert found.sd == pytest.approx(pd.Series(draws).std())
    # The interval of a variance, by definition: chi-square with 59 degrees of freedom (table: 39.66 and 82.12).
    assert (found.sd_low / found.sd) ** 2 == pytest.approx(59 / 82.12, rel=1e-3)
    assert (found.sd_high / found.sd) ** 2 == pytest.approx(59 / 39.66, rel=1e-3)


def test_the_interval_holds_the_true_spread_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    found = [spread_of(rng.normal(0, 0.2, 25)) for _ in range(600)]
    held = np.mean([item.sd_low < 0.2 < item.sd_high for item in found])
    assert held == pytest.approx(0.95, abs=3 * stats.binom.std(600, 0.95) / 600)


def test_nothing_before_the_lock_depends_on_sealed_judgments(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "model")
    plan = tiny_plan(model, strategies=("first-stage", "embedding", "C"))
    tested = set(folds_of(load_dataset(plan.dataset_digest), plan)[0].test)
    other = tiny_plan(model, with_other_test_judgments(tested), strategies=plan.strategies)
    assert other.dataset_digest != plan.dataset_digest
    assert set(folds_of(load_dataset(other.dataset_digest), other)[0].test) == tested
    first, second = piloted(plan), piloted(other)
    assert first == second
    assert not set(first["queries"]) & tested
    assert first["sealed"] is True
    ceilings = []
    for asked in (plan, other):
        run_forecast({"plan": asked.to_dict(), "device": "cpu"}, Silent())
        ceilings.append(read_json(forecast_path(asked, "cpu"))["recall_ceiling"])
    assert ceilings[0] == ceilings[1]


def test_the_pilot_finds_the_spread_that_the_experiment_then_shows(tmp_path: Path) -> None:
    """With folds every query is tested, so that pilot and result are about the same queries."""
    plan = tiny_plan(
        make_tiny_model(tmp_path / "model"),
        strategies=("first-stage", "embedding"),
        split=Split(kind="kfold", folds=2, dev_share=0.25),
    )
    found = piloted(plan)
    identity = lock_plan(plan, name="tiny", dataset_name="tiny")
    run_experiment(ExperimentSpec(identity, device="cpu"), Silent())
    scores = read_seed_scores(experiment_folder(identity))
    kpi = scores[scores["measure"] == "nDCG@10"].pivot(index="query_id", columns="strategy", values="value")
    assert found["sd"] == pytest.approx((kpi["embedding"] - kpi["first-stage"]).std(), abs=1e-9)
    assert (found["n_queries"], found["sealed"]) == (len(kpi), False)
    result = load_result(identity)
    assert result is not None
    assert result["looks"]["nth"] == 1
    again = lock_plan(replace(plan, margin=0.03), name="tiny", dataset_name="tiny")
    run_experiment(ExperimentSpec(again, device="cpu"), Silent())
    second = load_result(again)
    assert second is not None
    assert second["looks"]["nth"] == 2
    assert second["looks"]["earlier"][0]["experiment"] == identity
    assert second["looks"]["earlier"][0]["n_common_queries"] == len(kpi)


def test_where_the_first_stage_is_the_embedding_bm25_is_the_other_order(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path / "model", first_stage=FirstStage(kind="embedding", depth=6))
    assert piloted(plan)["sd"] > 0


def test_too_few_unsealed_queries_are_refused_with_their_number(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path / "model", tiny_files(16))
    with pytest.raises(RerankError) as refused:
        piloted(plan)
    assert refused.value.code == "pilot_too_small"
