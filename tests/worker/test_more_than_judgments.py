"""What a plan can add to plain trainings: unlabelled queries, controls, a search of settings, the learning curve."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from rerank.intake.dataset import Dataset
from rerank.intake.reading import Source
from rerank.intake.storage import load_dataset
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.graph import StageNode
from rerank.planning.plan import FirstStage, LearningCurve, Plan, Unlabelled
from rerank.retrieval import tokens
from rerank.store.home import room
from rerank.worker import experiment as execution
from rerank.worker import meter, teaching
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model
from tests.tiny import Shares, finished_experiment, tiny_plan

STRATEGIES = ("first-stage", "embedding", "C", "C-then-D", "C-long", "C+D", "C+fusion")


def rich_plan(model: Path, **changes: object) -> Plan:
    """A tiny plan with everything that goes beyond the judgments."""
    queries, documents, judgments = tiny_files()
    longer = documents.data.replace(b" number ", b" stand in the shop window with the number ")
    plan = tiny_plan(
        make_tiny_model(model),
        [queries, Source("documents.csv", longer), judgments],
        strategies=STRATEGIES,
        unlabelled=Unlabelled(6, "documents"),
        search_trials=1,
        learning_curve=LearningCurve(shares=(0.25, 0.5), strategies=("C", "C+fusion")),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished experiment."""
    return finished_experiment(tmp_path_factory.mktemp("home"), rich_plan)


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in folder.parents[1].glob("stages/*/record.json")]


def test_controls_have_the_steps_of_two_stages(finished: Path) -> None:
    """The whole number of epochs that comes nearest: within half an epoch of the plan's steps."""
    steps = {item["strategy"]: item["n_steps"] for item in records(finished) if item["n_train_queries"] == 15}
    planned = 8 + 11  # two queries a step, one epoch: 15 lists of C, and at most 15 + 6 of D
    assert abs(steps["C-long"] - planned) <= 4
    assert abs(steps["C+D"] - planned) <= 9
    assert steps["C"] == 8


def test_a_control_is_no_candidate_for_a_decision(finished: Path) -> None:
    result = result_of(finished)
    assert {"C-long", "C+D"} <= set(result["strategies"])
    locked = [item for item in result["comparisons"] if item["confirmatory"]]
    assert not {"C-long", "C+D"} & {item[key] for item in locked for key in ("reference", "challenger")}


def test_the_parts_of_stage_two_add_up_to_its_gain(finished: Path) -> None:
    result = result_of(finished)
    parts = {item["part"]: item["delta"] for item in result["attribution"] if item["strategy"] == "C-then-D"}
    kpi = {name: record["measures"]["nDCG@10"] for name, record in result["strategies"].items()}
    assert list(parts) == ["steps", "signal", "order"]
    assert sum(parts.values()) == pytest.approx(kpi["C-then-D"] - kpi["C"], abs=1e-9)
    assert parts["steps"] == pytest.approx(kpi["C-long"] - kpi["C"], abs=1e-9)


def test_the_learning_curve_ends_where_the_strategy_stands(finished: Path) -> None:
    result = result_of(finished)
    points = [item for item in result["learning_curve"] if item["strategy"] == "C"]
    assert [item["share"] for item in points] == [0.25, 0.5, 1.0]
    assert [item["n_train_queries"] for item in points] == [4, 8, 15]
    assert points[-1]["mean"] == pytest.approx(result["strategies"]["C"]["measures"]["nDCG@10"], abs=1e-9)
    assert [item["share"] for item in result["learning_curve"] if item["strategy"] == "C+fusion"] == [0.25, 0.5, 1.0]


def test_smaller_training_sets_lie_in_larger_ones(finished: Path) -> None:
    configs = [json.loads(path.read_text()) for path in finished.parents[1].glob("stages/*/config.json")]
    trained = sorted({tuple(sorted(config["train"])) for config in configs}, key=len)
    assert [len(part) for part in trained] == [4, 8, 15]
    assert set(trained[0]) < set(trained[1]) < set(trained[2])


def test_unlabelled_queries_are_counted_and_taught(finished: Path) -> None:
    result = result_of(finished)
    assert result["unlabelled_queries"] == {"log": 0, "documents": 6}
    second = next(item for item in records(finished) if item["strategy"] == "C-then-D")
    assert second["n_pairs"] > 15 * 3  # more lists than judged training queries have


def test_the_result_says_what_a_search_chose(finished: Path) -> None:
    chosen = result_of(finished)["search"]
    assert [(item["learns"], item["fold"]) for item in chosen] == [("C", 0)]
    dev = {
        round(item["dev_score"], 12)
        for item in records(finished)
        if item["strategy"] == "C" and item["n_train_queries"] == 15
    }
    assert result_of(finished)["strategies"]["C"]["dev_score"] == pytest.approx(max(dev))


def test_no_choice_depends_on_a_tested_judgment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every tested query's grades turned round, all trainings, choices and weights stay what they were."""
    found = []
    for name in ("as they are", "turned round"):
        monkeypatch.setenv("RERANK_HOME", str(tmp_path / name))
        plan = rich_plan(tmp_path / "model")
        # Which queries are tested follows from the plan alone.
        if name == "turned round":
            turned = _turned(load_dataset(plan.dataset_digest), plan)
            monkeypatch.setattr(execution, "load_dataset", lambda _, data=turned: data)
        experiment = lock_plan(plan, name="x", dataset_name="x")
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
        result = load_result(experiment)
        assert result is not None
        runs = {path.name: path.read_bytes() for path in (experiment_folder(experiment) / "runs").iterdir()}
        weights = {key: record["fusion_weights"] for key, record in result["strategies"].items()}
        kpi = result["strategies"]["embedding"]["measures"]["nDCG@10"]
        found.append((runs, weights, result["search"], kpi))
    assert found[0][:3] == found[1][:3]
    assert found[0][3] != found[1][3]  # the grades did change


def _turned(dataset: Dataset, plan: Plan) -> Dataset:
    from rerank.planning.splits import folds_of

    tested = dataset.judgments["query_id"].isin(list(folds_of(dataset, plan)[0].test))
    grades = dataset.judgments["grade"]
    turned: pd.Series[int] = grades.where(~tested, 2 - grades)
    return replace(dataset, judgments=dataset.judgments.assign(grade=turned))


def test_progress_is_the_whole_jobs_and_a_search_is_counted_apart(tmp_path: Path) -> None:
    """A point of the learning curve must not say its own share, nor a search's trainings count among the stages."""

    class Listening(Silent):
        def progress(self, **facts: object) -> None:
            shown.update(facts)
            heard.append(dict(facts))
            counted.append((shown.get("n_stages_done", 0), shown.get("n_stages", 0)))

    shown: dict[str, Any] = {}
    heard: list[dict[str, object]] = []
    counted: list[tuple[Any, Any]] = []
    plan = rich_plan(tmp_path / "model", strategies=("first-stage", "C"), search_trials=1)
    run_experiment(ExperimentSpec(lock_plan(plan, name="x", dataset_name="x"), device="cpu"), Listening())
    steps = [facts for facts in heard if "step" in facts]
    assert steps
    assert not any("share" in facts for facts in steps)
    assert all(done <= of for done, of in counted)
    wholes = [facts["n_stages"] for facts in heard if "n_stages" in facts]
    assert wholes == [2, 3]  # the plan's own settings and one trial; C, and C at two points of the learning curve
    assert counted[-1] == (3, 3)


def test_nothing_is_called_done_before_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while the encoder works, nor when a search's winner is found on disk, nor at a second start."""
    monkeypatch.setattr(meter, "REPORT_SECONDS", 0.0)
    first_stage = FirstStage(kind="embedding", depth=6)
    plan = rich_plan(tmp_path / "model", seeds=(1, 2), search_trials=2, first_stage=first_stage)
    experiment = lock_plan(plan, name="x", dataset_name="x")
    for start in (1, 2):
        shares = Shares()
        run_experiment(ExperimentSpec(experiment, device="cpu"), shares)
        shares.check()
        if start == 1:
            assert {phase for phase, _, _ in shares.told} >= {"candidates", "encoding", "training", "ranking"}
            shutil.rmtree(room("rankings"))  # what a kill before the ranking leaves


def test_a_stage_of_the_learning_curve_has_its_own_name() -> None:
    assert StageNode(("C",), 0, 1) != StageNode(("C",), 0, 1, share=0.5)


@pytest.mark.parametrize(("kind", "times"), [("bm25", 2), ("rrf", 2), ("run", 2), ("embedding", 1)])
def test_other_tokens_are_another_search_for_unlabelled_queries(
    kind: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pd.DataFrame({"query_id": ["u"], "doc_id": ["d"], "rank": [1], "score": [1.0]})
    bench = SimpleNamespace(
        plan=SimpleNamespace(first_stage=FirstStage(kind=kind, depth=6), teacher="llm-pointwise"),
        dataset=SimpleNamespace(digest="0"),
        unlabelled=(),
        reporter=Silent(),
        texts=lambda queries, documents: ({}, {}),
    )
    searched = []
    monkeypatch.setattr(teaching, "_search", lambda *given: searched.append(given) or found)
    for version in (1, 1, 2, 2):
        monkeypatch.setattr(tokens, "VERSION", version)
        teaching._unlabelled(bench, SimpleNamespace(identity="encoder"))
    assert len(searched) == times
