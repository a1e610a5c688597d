"""Stages that are trained side by side: the same numbers as one after another, whatever is killed."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.numpy import load_file, save_file

from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.models.devices import pick_device
from rerank.models.weights import n_weights
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.plan import Budget, Plan, Split
from rerank.report.files import read_log
from rerank.store.home import room
from rerank.worker import lanes, meter
from rerank.worker.experiment import ExperimentSpec, prepare, run_experiment
from rerank.worker.lanes import SETTING, lanes_for
from rerank.worker.reporter import Silent
from tests.models import make_tiny_model
from tests.tiny import Shares, pid_of, tiny_plan, wait_for_end, wait_until

STRATEGIES = ("first-stage", "C", "D", "C-then-D")
EVERY_STAGE = 3 * 2  # trained strategies, folds


def plan_of(model: Path, **changes: object) -> Plan:
    """Six stages of a tiny model."""
    split = Split(kind="kfold", folds=2, dev_share=0.25)
    plan = tiny_plan(make_tiny_model(model), seeds=(1,), split=split, strategies=STRATEGIES)
    longer = replace(plan.contrastive, epochs=6)  # long enough to be met in the middle
    plan = replace(plan, contrastive=longer, distillation=replace(longer, loss="kl"))
    return replace(plan, **changes)  # type: ignore[arg-type]


def numbers_of(experiment: str) -> dict[str, bytes]:
    """Everything that was measured but for times."""
    folder = experiment_folder(experiment)
    files = [folder / "per_query_seeds.csv", *sorted((folder / "runs").iterdir())]
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lanes") / "model"


@pytest.fixture(scope="module")
def expected(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the plan gives when one stage follows the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(tmp_path_factory.mktemp("calm")))
        experiment = lock_plan(plan_of(model), name="calm", dataset_name="tiny")
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
        return numbers_of(experiment)


def children_of(pid: int) -> list[int]:
    """The lanes of a worker."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"rerank.worker.lane" in Path(f"/proc/{child}/cmdline").read_bytes():
            found.append(int(child))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def events(experiment: str, kind: str) -> list[dict[str, object]]:
    return [event for event in read_log(experiment_folder(experiment)) if event["event"] == kind]


def begin(experiment: str) -> tuple[str, int, list[int]]:
    """Start the plan in a worker; return job, process and lanes once both lanes are training."""
    before = len(events(experiment, "step"))
    job = start("experiment", {"experiment": experiment, "gate": 2, "device": "cpu"}).id

    def both_train() -> bool:
        steps = events(experiment, "step")[before:]
        return len({(event["strategy"], event["fold"]) for event in steps}) >= 2

    wait_until(both_train)
    found = children_of(pid_of(job))
    assert len(found) == 2
    return job, pid_of(job), found


def test_stages_side_by_side_give_the_same_numbers_each_trained_once(
    model: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "2")
    experiment = lock_plan(plan_of(model), name="lanes", dataset_name="tiny")
    begun = time.monotonic()
    seen: list[str] = []
    told: list[dict[str, object]] = []

    class Listening(Silent):
        def event(self, kind: str, **facts: object) -> None:
            seen.append(kind)

        def progress(self, **facts: object) -> None:
            told.append(facts)

    run_experiment(ExperimentSpec(experiment, device="cpu"), Listening())
    elapsed = time.monotonic() - begun
    assert numbers_of(experiment) == expected
    assert seen.count("stage_started") == seen.count("stage_done") == EVERY_STAGE
    assert "stage_known" not in seen
    at_once = most = 0
    for kind in seen:
        at_once += {"stage_started": 1, "stage_done": -1}.get(kind, 0)
        most = max(most, at_once)
    assert most == 2
    assert [facts["n_stages_done"] for facts in told if facts.get("n_stages_done")] == list(range(1, EVERY_STAGE + 1))
    assert {"n_side_by_side": 2} in told
    result = load_result(experiment)
    assert result is not None
    assert result["device"]["concurrent_stages"] == 2
    # Two stages that share the device are not charged for it twice.
    once = [result["strategies"][name]["cost"]["poc_train_device_seconds"] for name in ("C-then-D", "D")]
    assert sum(once) < elapsed


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes as Linux shows them")
def test_a_stop_a_kill_and_a_lost_lane_cost_time_and_nothing_else(
    model: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "2")
    experiment = lock_plan(plan_of(model), name="lanes", dataset_name="tiny")

    job, pid, lanes_of_it = begin(experiment)
    queue.request_stop(job)
    assert wait_for_end(job).state == "stopped"
    assert not any(map(is_alive, lanes_of_it))

    job, pid, lanes_of_it = begin(experiment)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, lanes_of_it)), 30)
    wait_until(lambda: not queue.job(job).is_live)

    job, pid, lanes_of_it = begin(experiment)
    os.kill(lanes_of_it[0], signal.SIGKILL)
    assert wait_for_end(job).state == "done"
    (lost,) = events(experiment, "lane_lost")
    assert lost["exit_code"] == -signal.SIGKILL
    assert numbers_of(experiment) == expected
    # A stage whose end nobody heard, because the worker was killed in this moment, is known to the next start.
    done = [event["stage"] for event in events(experiment, "stage_done")]
    known = {event["stage"] for event in events(experiment, "stage_known")}
    assert len(done) == len(set(done))
    assert len(set(done) | known) == EVERY_STAGE


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes as Linux shows them")
def test_a_lost_lane_does_not_bring_the_end_nearer(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "2")
    monkeypatch.setattr(meter, "REPORT_SECONDS", 0.0)
    plan = plan_of(model, strategies=("first-stage", "C"))
    plan = replace(plan, contrastive=replace(plan.contrastive, patience=0, epochs=12))
    killed: list[int] = []

    class Killing(Shares):
        def event(self, kind: str, **facts: object) -> None:
            super().event(kind, **facts)
            if kind == "step" and not killed and int(str(facts["step"])) >= 0.7 * int(str(facts["n_steps"])):
                killed.extend(children_of(os.getpid()))
                for lane in killed:
                    os.kill(lane, signal.SIGKILL)

    shares = Killing()
    run_experiment(ExperimentSpec(lock_plan(plan, name="x", dataset_name="x"), device="cpu"), shares)
    assert len(killed) == 2
    shares.check()


class Refused:
    """A lane whose training was refused."""

    def __init__(self, code: str) -> None:
        self.node, self.was_heard, self.ended = None, False, False
        self.process = SimpleNamespace(returncode=0)
        self.connection = SimpleNamespace(recv=lambda: ("refused", {"code": code}))

    def end(self, seconds: float) -> None:
        self.ended = True


@pytest.mark.parametrize("code", ["device_out_of_memory", "model_does_not_fit"])
def test_a_training_that_lacks_memory_beside_others_is_left_for_when_it_is_alone(code: str) -> None:
    lane, heard = Refused(code), []
    bench = SimpleNamespace(reporter=SimpleNamespace(event=lambda kind, **facts: heard.append(kind)))
    running = [lane, Refused("other")]
    assert lanes._listen(bench, lane, running, True) is None  # type: ignore[arg-type]
    assert (lane.ended, heard, lane in running) == (True, ["lane_lost"], False)
    with pytest.raises(RerankError) as caught:
        lanes._listen(bench, running[0], running, True)  # type: ignore[arg-type]
    assert caught.value.code == "other"


def test_what_a_lane_is_refused_for_is_what_the_job_says(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(model)
    short = replace(plan.contrastive, epochs=1)
    plan = replace(plan, contrastive=short, distillation=replace(short, loss="kl"))
    experiment = lock_plan(plan, name="broken", dataset_name="tiny")
    run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Silent())
    for weights in room("stages").glob("*/model/model.safetensors"):
        save_file({name: value * float("nan") for name, value in load_file(weights).items()}, weights)
    monkeypatch.setenv(SETTING, "2")
    with pytest.raises(RerankError) as caught:
        run_experiment(ExperimentSpec(experiment, gate=2, device="cpu"), Silent())
    assert caught.value.code == "training_diverged"
    assert caught.value.facts["step"] == 1


def test_the_budget_counts_for_all_lanes_together(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "2")
    experiment = lock_plan(plan_of(model, budget=Budget(minutes=0.01)), name="poor", dataset_name="tiny")
    with pytest.raises(RerankError) as caught:
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
    assert caught.value.code == "budget_spent"


@pytest.mark.parametrize(
    ("parameters", "gigabytes", "threads", "n"),
    [
        (22_713_216, 24, 2, 2),  # MiniLM on two cores
        (22_713_216, 24, 16, 4),
        (22_713_216, 24, 1, 1),
        (22_713_216, 4, 2, 1),  # two processes with a model need 2 × (1.5 + 0.42) GiB of the half of 4
        (278_000_000, 16, 8, 1),  # XLM-RoBERTa base: 5 × 4 bytes a weight are 5.2 GiB, and 1.5 besides
        (278_000_000, 64, 8, 4),
        (50_000, 24, 2, 1),  # done before other processes have begun
    ],
)
def test_plan_and_machine_decide_how_many(
    model: Path, monkeypatch: pytest.MonkeyPatch, parameters: int, gigabytes: int, threads: int, n: int
) -> None:
    long = plan_of(model)
    training = replace(long.contrastive, epochs=6, group_size=8)
    long = replace(long, contrastive=training, distillation=replace(training, loss="kl"), seeds=(1, 2, 3))
    monkeypatch.setattr(lanes, "n_weights", lambda _: parameters)
    monkeypatch.setattr(lanes, "total_memory", lambda _: gigabytes * 2**30)
    monkeypatch.setattr(lanes, "WORTH", {"cpu": 1e12, "cuda": 1e12})
    bench = prepare(long, long.strategies, replace(pick_device("cpu"), n_threads=threads), Silent()).bench
    assert bench.lanes == n
    assert bench.training_device.n_threads == max(1, threads // n)
    card = replace(bench, device=replace(bench.device, kind="cuda"))
    assert lanes_for(long, card) == n  # one thread launches a training's kernels
    monkeypatch.setenv(SETTING, "3")
    assert lanes_for(long, bench) == 3
    monkeypatch.setenv(SETTING, "two")
    with pytest.raises(RerankError) as caught:
        lanes_for(long, bench)
    assert caught.value.code == "bad_concurrent_stages"


def test_a_models_weights_are_counted_without_loading_it(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    folder = make_tiny_model(tmp_path / "model")
    whole = AutoModelForSequenceClassification.from_pretrained(folder)
    assert n_weights(folder) == sum(value.numel() for value in whole.state_dict().values())
