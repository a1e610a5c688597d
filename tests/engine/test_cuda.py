"""What only a CUDA card can show: its kernels are used, compute the same, and give the same bits twice."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rerank.bench.training import own_step
from rerank.bench.work import make_work
from rerank.models import attention, fused
from rerank.models.batches import collate
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import Device, pick_device
from rerank.models.flash import flash
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.plan import StageSettings
from rerank.training.lists import TrainingList
from rerank.training.loop import Hooks, train
from rerank.training.step import StepGradients
from tests.engine.test_packed import PACKED, PADDED, drawn, gradients_of, some_pairs, template_of
from tests.models import make_tiny_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

EMBEDDED_BF16 = 0.03  # of the logits' size: what bf16 products leave of the embedded MiniLM's precision


@pytest.fixture
def card() -> Device:
    return pick_device("cuda")


@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_fp32_on_the_card_equals_the_padded_model_on_the_cpu(card: Device, name: str) -> None:
    """Logits within 1e-5, gradients within 1e-4 of the largest: the same additions in other orders."""
    pairs, plain = some_pairs(), drawn((PACKED | PADDED)[name])
    expected = plain(**collate(pairs, template_of(plain), torch.device("cpu"))).logits.reshape(-1)
    golden = gradients_of(plain, expected)
    ours = drawn((PACKED | PADDED)[name]).to("cuda")
    encoder = CrossEncoder(ours, template_of(ours), replace(card, dtype="fp32"))
    logits = encoder.logits(pairs)
    assert torch.allclose(logits.detach().cpu(), expected, atol=1e-5, rtol=1e-4)
    (logits * torch.linspace(-1, 1, len(logits), device="cuda")).sum().backward()
    largest = max(float(value.abs().max()) for value in golden.values())
    found = {key: value.grad for key, value in ours.named_parameters() if value.grad is not None}
    assert set(found) == set(golden)
    for key, value in golden.items():
        assert torch.allclose(found[key].cpu(), value, atol=1e-4 * largest, rtol=1e-3), key


@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_bf16_on_the_card_is_as_near_to_fp32_as_transformers_own(card: Device, name: str) -> None:
    """Weights this large amplify rounding: what transformers' padded model loses under autocast is the measure."""
    if card.dtype != "bf16":
        pytest.skip("this card has no bf16 products")
    pairs, runs = some_pairs(), []
    for kind in ("exact", "peer", "ours"):
        model = drawn((PACKED | PADDED)[name]).to("cuda")
        inputs = collate(pairs, template_of(model), torch.device("cuda"))
        if kind == "ours":
            logits = CrossEncoder(model, template_of(model), card).logits(pairs)
        else:
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=kind == "peer"):
                logits = model(**inputs).logits.float().reshape(-1)
        (logits * torch.linspace(-1, 1, len(logits), device="cuda")).sum().backward()
        found = {key: value.grad for key, value in model.named_parameters() if value.grad is not None}
        runs.append((logits.detach(), torch.cat([found[key].reshape(-1) for key in sorted(found)])))
    for exact, peer, ours in zip(*runs, strict=True):
        assert (ours - exact).norm() <= 1.5 * (peer - exact).norm() + 1e-3 * exact.norm()


def test_the_kernels_are_used(card: Device) -> None:
    """Every one of them runs on cards from the Ampere generation on with torch 2.11; without them it is only slower."""
    if card.dtype != "bf16":
        pytest.skip("kernels compute in bf16")
    pytest.importorskip("triton")
    for asked in itertools.product((8, 32, 64), *[(False, True)] * 3):
        assert attention.kernel_that_works(*asked) is flash, asked
    for width in (32, 384, 768, 1024, 1536, 4096):
        assert fused.norm_kernel(width) is not None, width
        assert fused.gelu_kernel(width) is not None, width


def test_the_embedded_model_scores_as_on_the_cpu(card: Device) -> None:
    work = make_work(8)
    cpu = replace(pick_device("cpu"), dtype="fp32")
    golden = load_cross_encoder(work.source.folder, work.tokens.template, cpu, seed=0).scores(work.pairs())
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, card, seed=0)
    found = encoder.scores(work.pairs())
    assert abs(found - golden).max() <= EMBEDDED_BF16 * abs(golden).max()
    assert (encoder.scores(work.pairs()) == found).all()


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_equal_seeds_give_equal_weights(card: Device, dropout: float) -> None:
    work = make_work(16)
    runs = []
    for _ in range(2):
        step, encoder = own_step(work, card, dropout, 8)
        losses = [step() for _ in range(4)]
        runs.append((losses, {key: value.cpu() for key, value in encoder.module.state_dict().items()}))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(value, runs[1][1][key]) for key, value in runs[0][1].items())


@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_every_family_has_the_same_gradients_twice(card: Device, name: str) -> None:
    pairs, runs = some_pairs(), []
    for _ in range(2):
        model = drawn((PACKED | PADDED)[name]).to("cuda").train()
        torch.manual_seed(1)
        logits = CrossEncoder(model, template_of(model), card).logits(pairs)
        (logits * torch.linspace(-1, 1, len(logits), device="cuda")).sum().backward()
        runs.append({key: value.grad for key, value in model.named_parameters() if value.grad is not None})
    assert all(torch.equal(value, runs[1][key]) for key, value in runs[0].items())


def test_a_killed_training_ends_as_an_uninterrupted_one(
    card: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank.training.loop.CHECKPOINT_SECONDS", -1.0)
    folder = make_tiny_model(tmp_path / "model")
    tokens = TokenStore(load_tokenizer(folder))
    names = [f"q{number}" for number in range(12)]
    tokens.add("query", names, [f"apple {name}" for name in names])
    tokens.add("document", ["d0", "d1", "d2"], ["apple pie", "a bridge", "seven words"])
    lists = [TrainingList(name, ("d0", "d1", "d2"), (1.0, 0.0, -1.0)) for name in names]
    settings = StageSettings(loss="kl", epochs=3, learning_rate=1e-3, dropout=0.1, queries_per_step=4)

    def run(stage: Path, last: int | None) -> dict[str, torch.Tensor]:
        encoder = load_cross_encoder(folder, tokens.template, card, seed=0, dropout=0.1)

        def on_step(step: int, *_: float) -> None:
            if step == last:
                raise KeyboardInterrupt

        hooks = Hooks(lambda epoch: lists, lambda current: 0.0, on_step, lambda: None)
        train(encoder, settings, "kl", tokens, 64, 0, stage, hooks)
        return {key: value.cpu() for key, value in encoder.module.state_dict().items()}

    whole = run(tmp_path / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", 5)
    again = run(tmp_path / "killed", None)
    assert all(torch.equal(value, again[key]) for key, value in whole.items())


def test_a_full_card_scores_and_trains_in_smaller_parts(card: Device) -> None:
    work = make_work(320)
    settings = StageSettings(loss="listwise", learning_rate=1e-4)
    lists = [TrainingList(query, docs, (3.0, 1.0, *[0.0] * (len(docs) - 2))) for query, docs in work.lists[:128]]

    def run() -> tuple[NDArray[np.float64], float, dict[str, torch.Tensor], tuple[int, int]]:
        torch.cuda.empty_cache()
        encoder = load_cross_encoder(work.source.folder, work.tokens.template, card, seed=0)
        scores = encoder.scores(work.pairs())
        gradients = StepGradients(encoder, "listwise", settings, work.tokens, work.max_length)
        encoder.module.train()
        loss, _, _ = gradients.add(lists, 0)
        found = {key: value.grad.cpu() for key, value in encoder.module.named_parameters() if value.grad is not None}
        return scores, loss, found, (encoder.budget.tokens, gradients.token_budget)

    scores, loss, golden, budgets = run()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 500 * 2**20) / total)
    try:
        again, other, found, smaller = run()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert smaller[0] < budgets[0], "scoring never ran out of memory"
    assert smaller[1] < budgets[1], "training never ran out of memory"
    assert abs(again - scores).max() <= EMBEDDED_BF16 * abs(scores).max()
    assert other == pytest.approx(loss, rel=1e-3)
    for key, value in golden.items():
        assert (found[key] - value).norm() <= 0.05 * value.norm() + 1e-6, key
