"""A whole plan of every strategy against doing each of them separately: what sharing stages saves."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.storage import save_dataset
from rerank.models.cross_encoder import load_cross_encoder, save_cross_encoder
from rerank.models.devices import Device
from rerank.models.sources import EMBEDDED, find_model
from rerank.models.token_store import load_tokenizer, pair_template
from rerank.planning.experiments import load_result, lock_plan
from rerank.planning.plan import PLAIN, FirstStage, Plan, Split, StageSettings
from rerank.store.home import bundled, room
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


def _with_head(device: Device) -> Path:
    """Save the embedded model with a drawn head in the home: a base model without one ranks nothing."""
    source, folder = find_model(EMBEDDED), room("base_model")
    template = pair_template(load_tokenizer(source.folder))
    save_cross_encoder(load_cross_encoder(source.folder, template, device, seed=0).module, source.folder, folder)
    return folder


def _check_all_ran(plan: Plan, result: Mapping[str, Any] | None) -> None:
    """Raise ValueError where a planned strategy is missing from a result: its time would be that of no work."""
    missing = set(plan.strategies).difference(result["strategies"] if result else ())
    if missing:
        raise ValueError(f"planned and left out: {', '.join(sorted(missing))}")


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
            base_model=str(_with_head(device)),
            max_length=96,
            max_queries=16 if quick else 40,
            contrastive=StageSettings(loss="listwise", **short),
            distillation=StageSettings(loss="kl", **short),
        )
        begun = time.perf_counter()
        experiment = lock_plan(plan, name="bench", dataset_name="sample")
        run_experiment(ExperimentSpec(experiment, device=device.kind), Silent())
        seconds = time.perf_counter() - begun
        _check_all_ran(plan, load_result(experiment))
        return seconds


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
