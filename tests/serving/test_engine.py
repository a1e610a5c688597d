"""The demo's engine: which model answers a typed query, and how many models it keeps."""

from pathlib import Path
from typing import Any

import pytest
import torch

from rerank.intake.storage import load_dataset
from rerank.planning.experiments import load_locked
from rerank.planning.splits import folds_of
from rerank.serving import engine as serving
from rerank.serving.engine import Engine
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan

STRATEGIES = ("first-stage", "base", "C", "D")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished experiment's folder, in a home of its own."""
    home = tmp_path_factory.mktemp("home")
    return finished_experiment(home, lambda model: tiny_plan(make_tiny_model(model), strategies=STRATEGIES))


@pytest.fixture(autouse=True)
def its_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_HOME", str(folder.parents[1]))


@pytest.mark.parametrize("spelling", ["{}", "{}?", "  {}", "ABOUT {}"])
def test_a_query_is_known_however_it_is_typed(folder: Path, spelling: str) -> None:
    plan, _ = load_locked(folder.name)
    dataset = load_dataset(plan.dataset_digest)
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    (fold,) = folds_of(dataset, plan)
    engine = Engine()

    def is_flattered(query_id: str) -> bool:
        text = texts[query_id]
        typed = spelling.format(text.removeprefix("about ") if spelling.startswith("ABOUT") else text)
        answer: dict[str, Any] = engine.answer(folder.name, typed, ["C", "first-stage"], 3)["answers"]
        assert not answer["first-stage"]["trained_on_query"]
        return bool(answer["C"]["trained_on_query"])

    assert all(map(is_flattered, (*fold.train[:2], *fold.dev[:1])))
    assert not any(map(is_flattered, fold.test[:3]))


def test_a_new_query_is_not_flattered(folder: Path) -> None:
    assert not Engine().answer(folder.name, "a harbor far away", ["C"], 3)["answers"]["C"]["trained_on_query"]


def test_no_more_models_are_kept_than_memory_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (folder.parents[1] / "model" / "model.safetensors").stat().st_size
    most = 2.5 * serving.COPIES * size  # two models, not three
    monkeypatch.setattr(serving, "total_memory", lambda _: most / serving.MODELS_SHARE)
    engine = Engine()
    kept = []
    for name in ("base", "C", "D", "C"):
        engine.answer(folder.name, "apple", [name], 3)
        kept.append(len(engine._models))
    assert kept == [1, 2, 2, 2]


def test_a_model_that_does_not_fit_beside_the_others_is_loaded_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    golden = engine.answer(folder.name, "apple", ["C"], 5)["answers"]["C"]["documents"]
    engine = Engine()
    engine.answer(folder.name, "apple", ["base"], 3)
    plain, failed = serving.load_cross_encoder, []

    def full(*given: Any, **named: Any) -> Any:
        if not failed:
            failed.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(*given, **named)

    monkeypatch.setattr(serving, "load_cross_encoder", full)
    assert engine.answer(folder.name, "apple", ["C"], 5)["answers"]["C"]["documents"] == golden
    assert failed
    assert len(engine._models) == 1
