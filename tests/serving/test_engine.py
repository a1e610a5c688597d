"""The demo's engine: which model answers a typed query, what it reads from disk, and how many models it keeps."""

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from rerank.errors import RerankError
from rerank.intake.storage import load_dataset
from rerank.models.devices import pick_device
from rerank.models.encoder import Encoder
from rerank.models.vectors import vectors_path
from rerank.planning.experiments import load_locked
from rerank.planning.plan import FirstStage
from rerank.planning.splits import folds_of
from rerank.retrieval.candidates import document_texts
from rerank.serving import engine as serving
from rerank.serving.engine import Engine
from rerank.store.artefacts import read_parquet, write_parquet
from rerank.store.home import room
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


@pytest.fixture
def away(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """The base model's folder, to be changed or removed; it is put back."""
    model = folder.parents[1] / "model"
    kept = shutil.copytree(model, tmp_path / "kept")
    yield model
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(kept, model)


def orders(engine: Engine, experiment: Path, *strategies: str) -> list[list[str]]:
    """The documents that each strategy puts first for "apple"."""
    answers = engine.answer(experiment.name, "apple", strategies, 6)["answers"]
    return [answers[name]["documents"] for name in strategies]


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
    plain, failed = torch.nn.Module.to, []

    def full(*given: Any, **named: Any) -> Any:
        if not failed:
            failed.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(*given, **named)

    monkeypatch.setattr(torch.nn.Module, "to", full)
    assert engine.answer(folder.name, "apple", ["C"], 5)["answers"]["C"]["documents"] == golden
    assert failed
    assert len(engine._models) == 1


def test_a_base_model_that_was_replaced_is_refused_and_what_was_trained_from_it_is_shown(
    folder: Path, away: Path
) -> None:
    golden = orders(Engine(), folder, "base", "C")
    weights = away / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    for asked in (["base"], ["C", "base"]):
        with pytest.raises(RerankError) as caught:
            Engine().answer(folder.name, "apple", asked, 6)
        assert caught.value.code == "base_model_changed"
    assert orders(Engine(), folder, "C") == [golden[1]]


def test_trained_strategies_need_no_base_model(folder: Path, away: Path) -> None:
    golden = orders(Engine(), folder, "C", "D", "first-stage")
    tokenizers = sorted(room("tokens").iterdir())
    shutil.rmtree(away)
    engine = Engine()
    assert orders(engine, folder, "C", "D", "first-stage") == golden
    assert sorted(room("tokens").iterdir()) == tokenizers  # the stages' tokenizer is the base model's
    with pytest.raises(RerankError) as caught:
        engine.answer(folder.name, "apple", ["base"], 6)
    assert caught.value.code == "model_not_found"


def test_a_model_in_memory_is_not_taken_for_another_that_came_to_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(tmp_path))
    model = tmp_path / "model"

    def measured(seed: int) -> Path:
        make_tiny_model(model, seed=seed)
        return finished_experiment(tmp_path, lambda _: tiny_plan(model, strategies=("first-stage", "base")))

    engine = Engine()
    earlier = orders(engine, measured(0), "base")
    newer = measured(1)
    assert orders(engine, newer, "base") == orders(Engine(), newer, "base") != earlier


@pytest.fixture(scope="module", params=["embedding", "rrf"])
def searched_by_vectors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished experiment's folder whose first stage compares the query's vector with every document's."""
    first_stage = FirstStage(kind=request.param, depth=6)
    return finished_experiment(
        tmp_path_factory.mktemp("home"),
        lambda model: tiny_plan(
            make_tiny_model(model), strategies=("first-stage", "embedding", "base"), first_stage=first_stage
        ),
    )


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that an encoder reads, on the device of the experiment."""
    monkeypatch.setattr(serving, "pick_device", lambda _: pick_device("cpu"))
    texts: list[str] = []
    plain = Encoder.encode

    def watched(encoder: Encoder, given: Sequence[str], *rest: Any, **named: Any) -> Any:
        texts.extend(given)
        return plain(encoder, given, *rest, **named)

    monkeypatch.setattr(Encoder, "encode", watched)
    return texts


def texts_of(experiment: Path) -> list[str]:
    """The texts of all documents of an experiment's dataset."""
    plan, _ = load_locked(experiment.name)
    return document_texts(load_dataset(plan.dataset_digest).documents)


def test_documents_whose_vectors_are_stored_are_not_encoded_again(
    searched_by_vectors: Path, monkeypatch: pytest.MonkeyPatch, encoded: list[str]
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(searched_by_vectors.parents[1]))
    orders(Engine(), searched_by_vectors, "first-stage", "embedding")
    assert not set(encoded) & set(texts_of(searched_by_vectors))
    assert encoded[0] != "apple" == encoded[-1]  # the encoder is loaded by then: that is not the query's time


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def shorten(path: Path) -> None:
    write_parquet(path, read_parquet(path).iloc[1:])


def narrow(path: Path) -> None:
    frame = read_parquet(path)
    write_parquet(path, frame.assign(vector=[vector[1:] for vector in frame["vector"]]))


@pytest.mark.parametrize("damage", [Path.unlink, cut, shorten, narrow])
def test_lost_or_damaged_vectors_are_encoded_again_once_and_rank_the_same(
    searched_by_vectors: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoded: list[str],
    damage: Callable[[Path], None],
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(searched_by_vectors.parents[1], copy)
    monkeypatch.setenv("RERANK_HOME", str(copy))
    golden = orders(Engine(), searched_by_vectors, "first-stage", "embedding")
    documents = texts_of(searched_by_vectors)
    path = vectors_path(documents, pick_device("cpu"))
    seconds = path.with_suffix(".json").read_bytes()
    damage(path)
    encoded.clear()
    assert orders(Engine(), searched_by_vectors, "first-stage", "embedding") == golden
    assert set(encoded) >= set(documents)
    assert path.with_suffix(".json").read_bytes() == seconds  # what an experiment measured stays its cost
    encoded.clear()
    assert orders(Engine(), searched_by_vectors, "first-stage", "embedding") == golden
    assert not set(encoded) & set(documents)


def test_vectors_that_cannot_be_written_are_used_all_the_same(
    searched_by_vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(searched_by_vectors.parents[1]))
    golden = orders(Engine(), searched_by_vectors, "embedding")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(serving, "read_vectors", lambda *_: None)
    monkeypatch.setattr(serving, "write_vectors", full)
    assert orders(Engine(), searched_by_vectors, "embedding") == golden
