"""A whole plan against doing each of its strategies separately: what sharing stages saves."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rerank.intake.finish import finish
from rerank.intake.reading import read_folder
from rerank.intake.storage import save_dataset
from rerank.models.devices import Device
from rerank.planning.experiments import lock_plan
from rerank.planning.plan import FirstStage, Plan, Split, StageSettings
from rerank.store.home import bundled
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent

STRATEGIES = ("first-stage", "embedding", "C", "D", "C-then-D", "D-then-C")
TRAINED = STRATEGIES[2:]


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
            seeds=(1,) if quick else (1, 2, 3),
            split=Split(kind="holdout", test_share=0.5),
            first_stage=FirstStage(depth=8),
            max_length=96,
            max_queries=24 if quick else 40,
            contrastive=StageSettings(loss="listwise", **short),
            distillation=StageSettings(loss="kl", **short),
        )
        begun = time.perf_counter()
        experiment = lock_plan(plan, name="bench", dataset_name="sample")
        run_experiment(ExperimentSpec(experiment, device=device.kind), Silent())
        return time.perf_counter() - begun


def bench_plan(device: Device, *, quick: bool) -> dict[str, Any]:
    """Return the wall time of all strategies as one plan and the sum of a plan for each trained strategy."""
    whole = _seconds(STRATEGIES, device, quick=quick)
    separate = {name: _seconds(("first-stage", name), device, quick=quick) for name in TRAINED}
    return {
        "seconds": whole,
        "separate_seconds": separate,
        "vs_separate": sum(separate.values()) / whole,
    }
