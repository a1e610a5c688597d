"""Rankings in bulk and query by query are the same, a known one stays; a control waits as long as it trains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rerank.models.devices import pick_device
from rerank.planning.graph import StageNode
from rerank.planning.plan import Plan
from rerank.worker import ranking
from rerank.worker.experiment import prepare
from rerank.worker.material import settings_of
from rerank.worker.reporter import Silent
from rerank.worker.workbench import Workbench
from tests.models import make_tiny_model
from tests.tiny import tiny_plan


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "home"))
    return tiny_plan(make_tiny_model(tmp_path / "model"), strategies=("first-stage", "C", "C-then-D", "C-long"))


def bench_of(plan: Plan) -> Workbench:
    return prepare(plan, plan.strategies, pick_device("cpu"), Silent()).bench


def test_in_bulk_and_query_by_query_scores_are_the_same(plan: Plan) -> None:
    bench = bench_of(plan)
    queries, folder = bench.folds[0].test, bench.source.folder
    bulk = ranking.rank_queries(bench, folder, "in bulk", queries)
    timed, latencies = ranking.timed_ranking(bench, folder, "one by one", queries)
    assert len(latencies) == len(queries)
    assert min(latencies) > 0
    key = ["query_id", "doc_id"]
    both = bulk.merge(timed, on=key)
    assert len(both) == len(bulk) == len(timed)
    assert np.allclose(both["score_x"], both["score_y"], atol=1e-5)
    assert bulk["score"].nunique() > 1


def test_a_known_ranking_stays_and_is_timed_where_it_was_not(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of(plan)
    queries, folder = bench.folds[0].test, bench.source.folder
    first = ranking.rank_queries(bench, folder, "model", queries)
    other = make_tiny_model(folder.parent / "other", seed=5)  # what would be ranked now looks different
    found, latencies = ranking.timed_ranking(bench, other, "model", queries)
    assert found.equals(first)
    assert len(latencies) == len(queries)
    monkeypatch.setattr(ranking, "load_cross_encoder", lambda *_, **__: pytest.fail("all of it is known"))
    assert ranking.timed_ranking(bench, other, "model", queries)[1] == latencies
    assert ranking.rank_queries(bench, other, "model", queries).equals(first)


def test_a_control_may_pass_a_third_of_its_own_epochs_without_getting_better(plan: Plan) -> None:
    six = replace(plan.contrastive, epochs=6)
    bench = bench_of(replace(plan, contrastive=six, distillation=replace(six, loss="kl")))
    nodes = [StageNode(path, 0, 1) for path in (("C",), ("C", "D"), ("C-long",))]  # type: ignore[arg-type]
    found = [settings_of(bench, node)[0] for node in nodes]
    assert [(item.epochs, item.patience) for item in found] == [(6, 2), (6, 2), (12, 4)]
    given = replace(bench, plan=replace(bench.plan, contrastive=replace(six, patience=0)))
    assert settings_of(given, nodes[2])[0].patience == 0
