"""A whole plan of every strategy against doing each of them separately: what sharing stages saves."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.storage import save_dataset
from rerank.models.devices import Device
from rerank.planning.experiments import lock_plan
from rerank.planning.plan import PLAIN, FirstStage, Plan, Split, StageSettings
from rerank.store.home import bundled
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent

SEEDS = (1, 2, 3)
QUICK_SEEDS = (1,)
QUICK_STRATEGIES = ("first-stage", "C", "C-then-D")  # one shared stage is enough to see that it is shared


@contextmanager
def _empty_home() -> Iterator[None]:
    before = os.environ.get("RERANK_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RERANK_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["RERANK_HOME"]
            else:
                os.environ["RERANK_HOME"] = before


def _seconds(strategies: Sequence[str], device: Device, *, quick: bool) -> float:
    """Return the wall time of a plan with these strategies in an empty home: nothing is cached."""
    with _empty_home():
        dataset = finish(read_folder(bundled("sample")), "sample")
        save_dataset(dataset)
        short: dict[str, Any] = {"epochs": 1, "group_size": 4}
        plan = Plan(
            dataset_digest=dataset.digest,
            strategies=tuple(strategies),
            seeds=QUICK_SEEDS if quick else SEEDS,
            split=Split(kind="holdout", test_share=0.5),
            first_stage=FirstStage(depth=8),
            max_length=96,
            max_queries=16 if quick else 40,
            contrastive=StageSettings(loss="listwise", **short),
            distillation=StageSettings(loss="kl", **short),
        )
        begun = time.perf_counter()
        experiment = lock_plan(plan, name="bench", dataset_name="sample")
        run_experiment(ExperimentSpec(experiment, device=device.kind), Silent())
        return time.perf_counter() - begun


def bench_plan(device: Device, *, quick: bool) -> dict[str, Any]:
    """Return the wall time of all seven strategies as one plan (quick: of three), and of a plan for each.

    Every plan holds the first stage, with which the others are compared: by itself it is none.
    """
    strategies = QUICK_STRATEGIES if quick else PLAIN
    whole = _seconds(strategies, device, quick=quick)
    separate = {
        name: _seconds(("first-stage", name), device, quick=quick) for name in strategies if name != "first-stage"
    }
    return {
        "strategies": list(strategies),
        "n_seeds": len(QUICK_SEEDS if quick else SEEDS),
        "seconds": whole,
        "separate_seconds": separate,
        "vs_separate": sum(separate.values()) / whole,
    }
