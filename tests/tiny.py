"""A plan that trains in seconds on a model that the tests make themselves."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files
from rerank.intake.storage import save_dataset
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.jobs.records import Job
from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.planning.plan import PLAIN, FirstStage, Plan, Split, StageSettings
from rerank.store.database import connection
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model

TRAINING = {"epochs": 1, "queries_per_step": 2, "group_size": 3, "learning_rate": 1e-3}


def tiny_plan(model: Path, files: list[Source] | None = None, **changes: object) -> Plan:
    """Save the tiny dataset, or the one that `files` make, and return a plan for it: one seed, one split."""
    dataset = finish(read_files(files or tiny_files()), "tiny")
    save_dataset(dataset)
    plan = Plan(
        dataset_digest=dataset.digest,
        seeds=(1,),
        split=Split(kind="holdout", test_share=0.5, dev_share=0.25),
        first_stage=FirstStage(depth=6),
        strategies=(*PLAIN, "embedding+fusion", "C+fusion", "C-then-D+fusion"),
        base_model=str(model),
        max_length=48,
        contrastive=StageSettings(loss="auto", **TRAINING),  # type: ignore[arg-type]
        distillation=StageSettings(loss="kl", **TRAINING),  # type: ignore[arg-type]
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


class Shares(Silent):
    """A reporter that keeps every share it is told, with the phase and the number of stages done at that time."""

    def __init__(self) -> None:
        self.phase = ""
        self.n_done = 0
        self.told: list[tuple[str, int, float]] = []

    def progress(self, **facts: object) -> None:
        self.phase = str(facts.get("phase", self.phase))
        if "share" in facts and self.phase != "done":
            self.told.append((self.phase, self.n_done, float(str(facts["share"]))))

    def event(self, kind: str, **facts: object) -> None:
        self.n_done += kind in ("stage_done", "stage_known")

    def check(self) -> None:
        """Say that nothing was called done before it was, and all of it in the end."""
        early = [told for told in self.told if told[0] not in ("ranking", "comparing")]
        assert early
        assert [told for told in early if told[2] >= 1] == []
        ranking = [share for phase, _, share in self.told if phase == "ranking"]
        assert all(share < 1 for share in ranking[:-1])
        assert self.told[-1][2] == 1


def wait_until(condition: Callable[[], object], seconds: float = 90.0) -> None:
    """Wait for what another process does: longer looks apart miss the moment, shorter ones take its core."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come so far"
        time.sleep(0.03)


def wait_for_end(identity: str, seconds: float = 200.0) -> Job:
    """Wait until a job has ended, and return it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        job = queue.job(identity)
        if not job.is_live:
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def pid_of(identity: str, seconds: float = 30.0) -> int:
    """Return the process of a job, as soon as it has one."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with connection() as database:
            pid = database.execute("SELECT pid FROM jobs WHERE id = ?", (identity,)).fetchone()["pid"]
        if pid is not None:
            return int(pid)
        time.sleep(0.05)
    raise AssertionError("no process claimed the job")


def run_job(experiment: str, gate: int = 2) -> Job:
    """Run an experiment in a worker process, as the dashboard does."""
    return wait_for_end(start("experiment", {"experiment": experiment, "gate": gate, "device": "cpu"}).id)


def finished_experiment(home: Path, plan_of: Callable[[Path], Plan] | None = None) -> Path:
    """Run a plan, the tiny one unless told otherwise, in a home of its own; return the experiment's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(home))
        plan = (plan_of or (lambda model: tiny_plan(make_tiny_model(model))))(home / "model")
        experiment = lock_plan(plan, name="tiny", dataset_name="tiny")
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
        return experiment_folder(experiment)
