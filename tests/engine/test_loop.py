"""A training learns what its loss asks for; one that diverges stops before it spoils the weights and says so."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.losses import DISTILLATION
from rerank.planning.plan import StageSettings
from rerank.training import loop
from rerank.training.checkpoint import weights_of
from rerank.training.lists import TrainingList
from rerank.training.loop import NAMED_QUERIES, Hooks, Trained, train
from rerank.wording.errors import error_sentence
from rerank.wording.language import LANGUAGES, speaker
from tests.models import make_tiny_model

LISTS = [TrainingList(f"q{number}", ("d0", "d1", "d2"), (1.0, 0.0, -1.0)) for number in range(24)]


@pytest.fixture
def tokens(tmp_path: Path) -> TokenStore:
    store = TokenStore(load_tokenizer(make_tiny_model(tmp_path / "model")))
    store.add("query", [item.query_id for item in LISTS], [f"apple {item.query_id}" for item in LISTS])
    store.add("document", ["d0", "d1", "d2"], ["apple pie", "a bridge", "seven words"])
    return store


@pytest.mark.parametrize("loss", DISTILLATION)
def test_every_loss_of_d_teaches_the_teachers_order(tmp_path: Path, tokens: TokenStore, loss: str) -> None:
    device = replace(pick_device("cpu"), dtype="fp32")
    encoder = load_cross_encoder(tmp_path / "model", tokens.template, device, seed=0)
    settings = StageSettings(loss=loss, epochs=4, learning_rate=3e-3)
    rising = itertools.count()  # each epoch is better than the one before: the last one is kept
    hooks = Hooks(
        lists_of_epoch=lambda epoch: LISTS,
        dev_score=lambda current: float(next(rising)),
        on_step=lambda *_: None,
        breathe=lambda: None,
    )
    progress = train(encoder, settings, loss, tokens, 64, 0, tmp_path / "stage", hooks).progress
    assert progress.losses[-1] < progress.losses[0]
    for item in LISTS:
        scores = encoder.scores([tokens.pair(item.query_id, doc, 64) for doc in item.doc_ids])
        assert list(scores) == sorted(scores, reverse=True)  # as the teacher has them


def test_quick_epochs_are_not_written_down_one_by_one(
    tmp_path: Path, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint has four times the model's size: only work that is worth it is saved."""
    saved: list[int] = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda *given: saved.append(given[-1].step))
    device = replace(pick_device("cpu"), dtype="fp32")
    encoder = load_cross_encoder(tmp_path / "model", tokens.template, device, seed=0)
    settings = StageSettings(loss="kl", epochs=3, learning_rate=1e-3)
    hooks = Hooks(
        lists_of_epoch=lambda epoch: LISTS,
        dev_score=lambda current: 0.0,
        on_step=lambda *_: None,
        breathe=lambda: None,
    )
    train(encoder, settings, "kl", tokens, 64, 0, tmp_path / "stage", hooks)
    assert saved == []
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    train(encoder, settings, "kl", tokens, 64, 0, tmp_path / "stage", hooks)
    assert len(saved) == 9 + 3  # steps and epochs


@dataclass(frozen=True)
class Scored:
    """A training, the weights that it left, and those after every epoch that this start trained."""

    trained: Trained
    weights: dict[str, torch.Tensor]
    by_epoch: list[dict[str, torch.Tensor]]


def scored(folder: Path, tokens: TokenStore, scores: list[float], settings: StageSettings, stage: str) -> Scored:
    """Train with the development scores given for the first epochs, falling ones after them; keep every epoch."""
    encoder = load_cross_encoder(folder / "model", tokens.template, replace(pick_device("cpu"), dtype="fp32"), seed=0)
    by_epoch: list[dict[str, torch.Tensor]] = []

    def dev_score(current: CrossEncoder) -> float:
        by_epoch.append(weights_of(current.module))
        return scores[len(by_epoch) - 1]

    hooks = Hooks(
        lists_of_epoch=lambda epoch: LISTS, dev_score=dev_score, on_step=lambda *_: None, breathe=lambda: None
    )
    found = train(encoder, settings, "kl", tokens, 64, 0, folder / stage, hooks)
    return Scored(found, weights_of(encoder.module), by_epoch)


def alike(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


KL = StageSettings(loss="kl", epochs=6, patience=2, learning_rate=1e-3)


@pytest.mark.parametrize(
    ("scores", "patience", "n_epochs", "best"),
    [
        ([0.1, 0.9, 0.5, 0.4, 0.3, 0.2], 2, 4, 2),
        ([0.1, 0.9, 0.5, 0.9, 0.3, 0.2], 2, 4, 2),  # as good is not better
        ([0.1, 0.9, 0.5, 0.95, 0.3, 0.2], 2, 6, 4),
        ([0.9, 0.5, 0.4, 0.3, 0.2, 0.1], 1, 2, 1),
        ([0.1, 0.9, 0.5, 0.4, 0.3, 0.2], 0, 6, 2),  # never ends early, and keeps the best all the same
    ],
)
def test_a_training_ends_when_nothing_gets_better_and_keeps_its_best_epoch(
    tmp_path: Path, tokens: TokenStore, scores: list[float], patience: int, n_epochs: int, best: int
) -> None:
    found = scored(tmp_path, tokens, scores, replace(KL, patience=patience), "stage")
    assert (found.trained.n_epochs, found.trained.progress.best_epoch) == (n_epochs, best)
    assert len(found.by_epoch) == n_epochs
    assert alike(found.weights, found.by_epoch[best - 1])
    assert not alike(found.weights, found.by_epoch[best - 2 if best > 1 else 1])


def test_a_resumed_training_knows_its_best_epoch_and_its_patience(
    tmp_path: Path, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout, too: every step draws its own, whether it is the first one of a process or not."""
    settings = replace(KL, dropout=0.1)
    whole = scored(tmp_path, tokens, [0.1, 0.9, 0.5, 0.4], settings, "whole")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(IndexError):  # ends in the third epoch's development test
        scored(tmp_path, tokens, [0.1, 0.9], settings, "killed")
    again = scored(tmp_path, tokens, [0.5, 0.4], settings, "killed")
    assert len(again.by_epoch) == 2
    assert again.trained.progress.dev_scores == [0.1, 0.9, 0.5, 0.4]
    assert alike(again.weights, whole.weights)
    assert alike(again.by_epoch[-1], whole.by_epoch[-1])


def test_a_step_that_the_memory_does_not_hold_is_said(
    tmp_path: Path, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no room for the moments")

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    with pytest.raises(RerankError) as caught:
        scored(tmp_path, tokens, [0.1], KL, "stage")
    assert caught.value.code == "model_does_not_fit"


def diverged(tmp_path: Path, tokens: TokenStore, settings: StageSettings) -> tuple[RerankError, CrossEncoder, int]:
    """Train until it fails; return the error, the model and how many steps were reported."""
    device = replace(pick_device("cpu"), dtype="fp32")
    encoder = load_cross_encoder(tmp_path / "model", tokens.template, device, seed=0)
    steps: list[int] = []
    hooks = Hooks(
        lists_of_epoch=lambda epoch: LISTS,
        dev_score=lambda current: 0.0,
        on_step=lambda step, n_steps, loss: steps.append(step),
        breathe=lambda: None,
    )
    with pytest.raises(RerankError) as caught:
        train(encoder, settings, settings.loss, tokens, 64, 0, tmp_path / "stage", hooks)
    return caught.value, encoder, len(steps)


HUGE = StageSettings(loss="margin_mse", epochs=2, queries_per_step=12, learning_rate=1e30)


def test_the_step_and_its_queries_are_named(tmp_path: Path, tokens: TokenStore) -> None:
    error, encoder, n_done = diverged(tmp_path, tokens, HUGE)
    assert error.code == "training_diverged"
    assert (error.facts["step"], error.facts["n_steps"], n_done) == (2, 4, 1)  # counted as the progress counts
    assert error.facts["n_queries"] == 12
    assert error.facts["queries"] == ", ".join(item.query_id for item in LISTS[12 : 12 + NAMED_QUERIES])
    assert all(torch.isfinite(value).all() for value in encoder.module.parameters())


def test_a_gradient_that_is_not_finite_stops_even_where_the_loss_is(
    tmp_path: Path, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("nan")))
    error, _, n_done = diverged(tmp_path, tokens, replace(HUGE, learning_rate=1e-3))
    assert (error.code, error.facts["step"], n_done) == ("training_diverged", 1, 0)
    assert float(str(error.facts["loss"])) < 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_has_step_queries_and_advice(tmp_path: Path, tokens: TokenStore, language: str) -> None:
    error, _, _ = diverged(tmp_path, tokens, HUGE)
    said = error_sentence(speaker(language), error.code, error.facts)
    assert all(f"({name})" not in said for name in error.facts), "a fact is missing"
    assert {"en": "Lower the learning rate", "ja": "学習率を下げて"}[language] in said
    for fact in ("2", "4", "q12, q13"):
        assert fact in said
