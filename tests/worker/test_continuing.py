"""What must be the same when an experiment goes on, and what is said where it is not."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rerank.errors import RerankError
from rerank.models.devices import pick_device
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.store.home import room
from rerank.worker import experiment as execution
from rerank.worker import lanes
from rerank.worker.experiment import ExperimentSpec, prepare, run_experiment
from rerank.worker.export import ExportSpec, run_export
from rerank.worker.reporter import Silent
from tests.models import make_tiny_model
from tests.tiny import tiny_plan

STRATEGIES = ("first-stage", "C", "C-then-D")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "model")


@pytest.fixture
def experiment(model: Path) -> str:
    return lock_plan(tiny_plan(model, strategies=STRATEGIES), name="tiny", dataset_name="tiny")


class Written(Silent):
    """Keeps the log as a job does."""

    def __init__(self, experiment: str) -> None:
        self._path = experiment_folder(experiment) / "log.jsonl"

    def event(self, kind: str, **facts: object) -> None:
        with self._path.open("a") as log:
            log.write(json.dumps({"event": kind, **facts}) + "\n")


def change(model: Path) -> None:
    """Write other weights under the same names."""
    path = model / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-4:] = b"\0\0\0\0"
    path.write_bytes(bytes(data))


def result_of(experiment: str) -> dict[str, Any]:
    found = load_result(experiment)
    assert found is not None
    return found


def test_another_base_model_under_the_same_path_is_neither_continued_nor_exported(model: Path, experiment: str) -> None:
    """The plan names a folder: what lay in it when the experiment began was measured, and nothing else."""
    run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Written(experiment))
    change(model)
    with pytest.raises(RerankError) as continued:
        run_experiment(ExperimentSpec(experiment, gate=2, device="cpu"), Written(experiment))
    with pytest.raises(RerankError) as exported:
        run_export(ExportSpec(experiment, "C", device="cpu"), Silent())
    assert [error.value.code for error in (continued, exported)] == ["base_model_changed"] * 2
    assert result_of(experiment)["gate"] == 1


def test_weights_that_change_during_a_run_are_not_kept_under_the_old_name(model: Path, experiment: str) -> None:
    class Meddling(Silent):
        def event(self, kind: str, **facts: object) -> None:
            if kind == "step":
                os.utime(model / "model.safetensors", (1, 1))  # as whoever puts another file there

    with pytest.raises(RerankError) as caught:
        run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Meddling())
    assert caught.value.code == "base_model_changed"
    assert not list(room("stages").glob("*/record.json"))


def test_a_result_that_was_seen_counts_as_a_look_even_if_the_process_dies_behind_it(
    model: Path, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = execution.write_result

    def killed(*given: Any) -> None:
        plain(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(execution, "write_result", killed)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Silent())
    assert result_of(experiment)["looks"]["nth"] == 1
    other = lock_plan(tiny_plan(model, strategies=STRATEGIES[:2], alpha=0.1), name="other", dataset_name="tiny")
    run_experiment(ExperimentSpec(other, device="cpu"), Silent())
    assert result_of(other)["looks"]["nth"] == 2


def test_other_threads_than_before_are_a_deviation(experiment: str) -> None:
    run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Written(experiment))
    assert "computed_otherwise" not in [item["code"] for item in result_of(experiment)["deviations"]]
    threads = f"{torch.get_num_threads()} threads"
    log = experiment_folder(experiment) / "log.jsonl"
    assert threads in log.read_text()
    log.write_text(log.read_text().replace(threads, "64 threads"))  # as on a machine with more cores
    run_experiment(ExperimentSpec(experiment, gate=2, device="cpu"), Written(experiment))
    (told,) = [item for item in result_of(experiment)["deviations"] if item["code"] == "computed_otherwise"]
    before, now = told["facts"]["ways"].split(" → ")
    assert "64 threads" in before
    assert before.replace("64 threads", threads) == now


def test_less_memory_than_before_does_not_train_everything_anew(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tiny_plan(model, strategies=("first-stage", "C", "D"), seeds=(1, 2))
    device = replace(pick_device("cpu"), n_threads=2)
    monkeypatch.setattr(lanes, "WORTH", {"cpu": 0.0})
    found = []
    for gigabytes in (24, 4):
        monkeypatch.setattr(lanes, "total_memory", lambda _, here=gigabytes: here * 2**30)
        found.append(prepare(plan, plan.strategies, device, Silent()))
    begun, later = found
    assert (begun.bench.lanes, later.bench.lanes) == (2, 1)
    event = {
        "base_model": begun.bench.source.digest,
        "concurrent_stages": 2,
        "computed_with": execution._way_of(begun.bench),
    }
    assert execution._as_begun(later, [event]).bench.lanes == 2
    fewer = replace(later, bench=replace(later.bench, device=replace(device, n_threads=1)))
    assert execution._as_begun(fewer, [event | {"computed_with": "fp32, 2 threads"}]).bench.lanes == 1
