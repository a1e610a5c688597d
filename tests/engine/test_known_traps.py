"""Bugs that others had, see docs/known-traps.md: those that no other test of the engine stands for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder, save_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.losses import DISTILLATION
from rerank.planning.plan import StageSettings
from rerank.training import step as step_module
from rerank.training.lists import TrainingList
from rerank.training.loop import Hooks, optimizer_of, train
from rerank.training.step import StepGradients
from tests.engine.test_packed import PACKED, PADDED, made
from tests.models import make_tiny_model

LISTS = [
    TrainingList("q0", ("d0", "d1", "d2"), (1.0, 0.0, 0.0)),
    TrainingList("q1", ("d3", "d0"), (2.0, 1.0)),
]
TEXTS = {"d0": "apple pie", "d1": "a bridge", "d2": "x " * 30, "d3": "red red"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny model whose logits are far enough apart to be told apart."""
    folder = make_tiny_model(tmp_path / "model")
    model = BertForSequenceClassification.from_pretrained(str(folder))
    torch.manual_seed(2)
    for name, value in model.named_parameters():
        torch.nn.init.normal_(value, mean=float("norm" in name.lower() and "weight" in name), std=0.2)
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture
def tokens(folder: Path) -> TokenStore:
    store = TokenStore(load_tokenizer(folder))
    store.add("query", ["q0", "q1"], ["red apple", "old bridge 7"])
    store.add("document", list(TEXTS), list(TEXTS.values()))
    return store


def loaded(folder: Path, tokens: TokenStore, dtype: str = "fp32", dropout: float = 0.0) -> CrossEncoder:
    device = replace(pick_device("cpu"), dtype=dtype)
    return load_cross_encoder(folder, tokens.template, device, seed=0, dropout=dropout)


@pytest.mark.parametrize("budget", [10_000, 1], ids=["together", "pair by pair"])
@pytest.mark.parametrize("loss", ["listwise", *DISTILLATION])
def test_with_dropout_the_gradient_is_that_of_the_loss_that_is_reported(
    folder: Path, tokens: TokenStore, loss: str, budget: int
) -> None:
    """Gradient caching runs the model twice: other dropped units the second time give the gradient of nothing.

    Golden: the loss's own slope along the gradient, by central differences at one dropout seed.
    """
    encoder = loaded(folder, tokens, dropout=0.2)
    encoder.module.train()
    step = StepGradients(encoder, loss, StageSettings(loss=loss), tokens, 64, token_budget=budget)
    weights = list(encoder.module.parameters())

    def value() -> float:
        encoder.module.zero_grad()
        return step.add(LISTS, seed=7)[0]

    value()
    gradient = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in weights]
    size = float(torch.stack([part.square().sum() for part in gradient]).sum().sqrt())
    assert size > 1e-2
    reach = 2e-3 / size
    measured = []
    for sign in (1, -2):  # forth, then back beyond where it began
        with torch.no_grad():
            for weight, part in zip(weights, gradient, strict=True):
                weight += sign * reach * part
        measured.append(value())
    slope = (measured[0] - measured[1]) / (2 * reach)
    assert slope == pytest.approx(size**2, rel=0.02)


@pytest.mark.parametrize("packed", [True, False])
def test_losses_are_computed_in_single_precision_whatever_the_products(
    folder: Path, tokens: TokenStore, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bf16 logits have eight bits: the documents of a list tie and a margin of .01 at 4 is lost."""
    encoder = loaded(folder, tokens, dtype="bf16")
    encoder.is_packed = packed
    if not packed:  # as for the architectures that never run packed
        encoder = CrossEncoder(encoder.module, encoder.template, encoder.device, packed=False)
    seen: list[torch.Tensor] = []
    plain = step_module.loss_of

    def loss_of(name: str, logits: torch.Tensor, targets: torch.Tensor, settings: StageSettings) -> torch.Tensor:
        loss = plain(name, logits, targets, settings)
        seen.extend((logits, targets, loss))
        return loss

    monkeypatch.setattr(step_module, "loss_of", loss_of)
    StepGradients(encoder, "adr_mse", StageSettings(loss="adr_mse"), tokens, 64).add(LISTS, seed=0)
    assert {value.dtype for value in seen} == {torch.float32}
    logits = torch.cat([values.detach().reshape(-1) for values in seen[::3]])
    assert not torch.equal(logits, logits.bfloat16().float()), "only rounded to begin with"


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_sure_scores_do_not_tie(folder: Path, tokens: TokenStore, dtype: str) -> None:
    """Beyond 4.5 a sigmoid in bf16 is 1 for every document, beyond 17 in fp32: rankings are made of raw logits."""
    encoder = loaded(folder, tokens, dtype)
    pairs = [tokens.pair("q0", doc, 64) for doc in TEXTS]
    before = encoder.scores(pairs)
    with torch.no_grad():
        encoder.module.classifier.bias += 20
    encoder.changed()
    after = encoder.scores(pairs)
    assert len(set(after)) == len(after)
    assert list(np.argsort(after)) == list(np.argsort(before))
    assert after - 20 == pytest.approx(before, abs=1e-5)
    squashed = torch.sigmoid(torch.tensor(after, dtype=torch.bfloat16))
    assert len(set(squashed.tolist())) == 1, "the trap itself"


def test_a_saved_model_gives_raw_scores_in_sentence_transformers(
    folder: Path, tokens: TokenStore, tmp_path: Path
) -> None:
    """Its CrossEncoder puts a sigmoid behind one logit unless the folder says otherwise."""
    from sentence_transformers import CrossEncoder as PeerCrossEncoder

    encoder = loaded(folder, tokens)
    with torch.no_grad():
        encoder.module.classifier.bias += 20
    encoder.changed()
    save_cross_encoder(encoder.module, folder, tmp_path / "saved")
    peer = PeerCrossEncoder(str(tmp_path / "saved"), device="cpu", max_length=64)
    golden = peer.predict([("red apple", text) for text in TEXTS.values()], show_progress_bar=False)
    found = encoder.scores([tokens.pair("q0", doc, 64) for doc in TEXTS])
    assert found == pytest.approx(golden.astype(np.float64), abs=2e-5)


@pytest.mark.parametrize("freeze", [True, False])
@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_nothing_but_the_word_embeddings_is_ever_frozen(name: str, freeze: bool) -> None:
    """A recipe elsewhere trained adapters under a head that kept its random weights."""
    module: Any = made((PACKED | PADDED)[name]).module
    settings = StageSettings(loss="kl", freeze_word_embeddings=freeze, learning_rate=1e-3)
    optimizer = optimizer_of(module, settings, pick_device("cpu"))
    held = {id(value) for group in optimizer.param_groups for value in group["params"]}
    words = module.get_input_embeddings().weight
    left = {key for key, value in module.named_parameters() if id(value) not in held}
    assert left == ({key for key, value in module.named_parameters() if value is words} if freeze else set())
    assert any(key.startswith("classifier") for key, value in module.named_parameters() if id(value) in held)


def test_a_training_moves_the_head_and_every_layer(folder: Path, tokens: TokenStore, tmp_path: Path) -> None:
    encoder = loaded(folder, tokens)
    before = {name: value.detach().clone() for name, value in encoder.module.named_parameters()}
    settings = StageSettings(loss="kl", epochs=1, learning_rate=1e-3, queries_per_step=1, weight_decay=0.0)
    hooks = Hooks(
        lists_of_epoch=lambda epoch: LISTS,
        dev_score=lambda current: 0.0,
        on_step=lambda *_: None,
        breathe=lambda: None,
    )
    train(encoder, settings, "kl", tokens, 64, 0, tmp_path, hooks)
    still = {name for name, value in encoder.module.named_parameters() if torch.equal(value, before[name])}
    # A key's bias shifts all of a query's products alike, the last one all scores of a list: softmax sees neither,
    # their gradients are 0 but for rounding, which differs between processors.
    unseen = ("key.bias", "classifier.bias")
    assert {name for name in still if not name.endswith(unseen)} == {"bert.embeddings.word_embeddings.weight"}
