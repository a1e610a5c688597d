"""What a power failure or a kill leaves behind: it is computed anew or swept away, and the numbers stay."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rerank.intake.reading import Source
from rerank.planning.plan import Plan, Unlabelled
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan


def plan_of(model: Path) -> Plan:
    """Two stages and pseudo-queries: every room of what can be computed again has a file."""
    queries, documents, judgments = tiny_files()
    longer = documents.data.replace(b" number ", b" stand in the shop window with the number ")
    files = [queries, Source("documents.csv", longer), judgments]
    plan = tiny_plan(make_tiny_model(model), files, strategies=("first-stage", "embedding", "C", "C-then-D"))
    return replace(plan, unlabelled=Unlabelled(6, "documents"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished experiment."""
    return finished_experiment(tmp_path_factory.mktemp("home"), plan_of)


@pytest.fixture
def again(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the experiment in a home of its own."""
    home = tmp_path / "copy"
    shutil.copytree(finished.parents[1], home)
    monkeypatch.setenv("RERANK_HOME", str(home))
    return home / "experiments" / finished.name


def numbers(folder: Path) -> tuple[bytes, dict[str, bytes], Any]:
    """What an experiment found: scores, runs, verdicts."""
    runs = {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}
    comparisons = json.loads((folder / "result.json").read_text())["comparisons"]
    return (folder / "per_query_seeds.csv").read_bytes(), runs, comparisons


def test_a_finished_stage_holds_nothing_that_a_kill_left(again: Path) -> None:
    """Each killed write of a checkpoint is as large as three models."""
    home = again.parents[1]
    known = sorted(home.glob("stages/*"))
    new = known[0]
    (new / "record.json").unlink()  # killed in its training; the other ones right after their last line was written
    for folder in known:
        (folder / ".checkpoint.safetensors.k1ll3d.part").write_bytes(b"weights")
        (folder / "model.part").mkdir()
        if folder != new:
            (folder / "checkpoint.safetensors").write_bytes(b"weights")
    run_experiment(ExperimentSpec(again.name, device="cpu"), Silent())
    for folder in known:
        names = {path.name for path in folder.iterdir()}
        assert names == {"model", "record.json", "config.json", "environment.json"}


ROOMS = (
    "rankings/*.parquet",
    "rankings/*.json",
    "embeddings/*.parquet",
    "embeddings/*.json",
    "candidates/*.parquet",
    "candidates/*.json",
    "stages/*/record.json",
    "audits/*.json",
    "calibrations/*.json",
    "experiments/*/spent.json",
)


def test_an_experiment_recovers_from_cut_files_with_identical_numbers(finished: Path, again: Path) -> None:
    home = again.parents[1]
    cut = [path for pattern in ROOMS for path in home.glob(pattern)]
    assert all(list(home.glob(pattern)) for pattern in ROOMS)
    for path in cut:
        path.write_bytes(b"")
    run_experiment(ExperimentSpec(again.name, device="cpu"), Silent())
    assert numbers(again) == numbers(finished)
    assert all(path.stat().st_size for path in cut)
