"""Scoring and encoding that run out of memory go on in smaller batches, with the same numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rerank.models.encoder as encoder_module
from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.encoder import Encoder
from rerank.models.memory import TokenBudget, is_out_of_memory
from rerank.models.packed import pack
from rerank.models.pairs import Pair
from rerank.models.token_store import TokenStore, load_tokenizer
from tests.models import make_tiny_model

MPS = "MPS backend out of memory (MPS allocated: 17.6 GB, other allocations: 384.0 KB, max allowed: 18.1 GB). Tried ..."
FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError(MPS),
    RuntimeError("Invalid buffer size: 24.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory"),
]


@pytest.fixture
def encoder(tmp_path: Path) -> CrossEncoder:
    folder = make_tiny_model(tmp_path / "model")
    tokens = TokenStore(load_tokenizer(folder))
    device = replace(pick_device("cpu"), dtype="fp32")
    return load_cross_encoder(folder, tokens.template, device, seed=0)


def some_pairs(n: int = 40) -> list[Pair]:
    rng = np.random.default_rng(0)
    return [(rng.integers(5, 60, int(length)).astype(np.int32), 4) for length in rng.integers(6, 60, n)]


class Small:
    """A model whose device holds few tokens at once."""

    def __init__(self, encoder: CrossEncoder, most: int, error: RuntimeError, patch: pytest.MonkeyPatch) -> None:
        self.n_failed = 0
        plain = encoder.logits

        def logits(pairs: list[Pair]) -> torch.Tensor:
            if sum(len(ids) for ids, _ in pairs) > most:
                self.n_failed += 1
                raise error
            return plain(pairs)

        patch.setattr(encoder, "logits", logits)


@pytest.mark.parametrize("error", FULL, ids=str)
def test_a_full_memory_is_recognised_by_its_words(error: RuntimeError) -> None:
    assert is_out_of_memory(error)


def test_any_other_failure_is_no_full_memory(encoder: CrossEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Small(encoder, 100, RuntimeError("CUDA error: device-side assert triggered"), monkeypatch)
    with pytest.raises(RuntimeError, match="device-side"):
        encoder.scores(some_pairs())
    assert small.n_failed == 1


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("error", FULL[:2], ids=["cuda", "mps"])
def test_scores_are_the_same_and_every_pair_is_counted_once(
    encoder: CrossEncoder, error: RuntimeError, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder.is_packed = packed
    pairs, golden = some_pairs(), encoder.scores(some_pairs())
    small = Small(encoder, 150, error, monkeypatch)
    counted: list[int] = []
    found = encoder.scores(pairs, counted.append)
    assert small.n_failed > 1
    assert found == pytest.approx(golden, abs=1e-6)  # fp32: other batches add up in another order
    assert sum(counted) == len(pairs)
    assert 60 <= encoder.budget.tokens <= 150


def test_what_fits_is_remembered(encoder: CrossEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Small(encoder, 150, FULL[0], monkeypatch)
    encoder.scores(some_pairs())
    n_failed = small.n_failed
    encoder.scores(some_pairs())
    assert small.n_failed == n_failed


def test_what_was_scored_before_memory_was_full_is_kept(encoder: CrossEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest pairs come first; when a later batch fails, only it and those after it are done again."""
    encoder.budget.tokens = 300
    plain, asked = encoder.logits, []

    def logits(pairs: list[Pair]) -> torch.Tensor:
        asked.append(len(pairs))
        if len(asked) == 3:
            raise FULL[0]
        return plain(pairs)

    golden = encoder.scores(some_pairs())
    monkeypatch.setattr(encoder, "logits", logits)
    assert encoder.scores(some_pairs()) == pytest.approx(golden, abs=1e-6)
    assert sum(asked) == len(some_pairs()) + asked[2]


def test_a_pair_that_no_memory_holds_is_said(encoder: CrossEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    Small(encoder, 20, FULL[1], monkeypatch)
    with pytest.raises(RerankError) as caught:
        encoder.scores(some_pairs())
    assert caught.value.code == "device_out_of_memory"
    assert caught.value.facts["n_tokens"] == max(len(ids) for ids, _ in some_pairs())


def test_a_model_that_no_memory_holds_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny_model(tmp_path / "model")
    template = TokenStore(load_tokenizer(folder)).template

    def to(*_: object, **__: object) -> None:
        raise FULL[0]

    monkeypatch.setattr(torch.nn.Module, "to", to)
    with pytest.raises(RerankError) as caught:
        load_cross_encoder(folder, template, pick_device("cpu"), seed=0)
    assert caught.value.code == "model_does_not_fit"


def test_few_short_texts_do_not_take_many_tries() -> None:
    """On a card a pass may hold 65,536 tokens: halving starts from what failed, not from there."""
    budget, tries = TokenBudget(65_536, "cpu"), []

    def compute(batch: list[int]) -> None:
        tries.append(len(batch))
        if len(batch) > 4:
            raise FULL[0]

    budget.in_batches([10] * 16, compute)
    assert tries == [16, 8, 4, 4, 4, 4]
    assert budget.tokens == 40


def test_the_padded_path_pads_within_what_fits(encoder: CrossEncoder) -> None:
    encoder.is_packed = False
    seen: list[int] = []
    forward = encoder.module.forward
    encoder.module.forward = lambda **inputs: (seen.append(inputs["input_ids"].numel()), forward(**inputs))[1]
    encoder.budget.tokens = 128
    encoder.scores(some_pairs())
    assert max(seen) <= 128


def test_embeddings_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text {number} " + "and more " * (number % 7) for number in range(30)]
    encoder = Encoder(replace(pick_device("cpu"), dtype="fp32"))
    golden = encoder.encode(texts)
    failed: list[int] = []

    def small(pairs: list[Pair], *rest: Any) -> Any:
        if (size := sum(len(ids) for ids, _ in pairs)) > 80:
            failed.append(size)
            raise FULL[1]
        return pack(pairs, *rest)

    monkeypatch.setattr(encoder_module, "pack", small)
    counted: list[int] = []
    found = encoder.encode(texts, counted.append)
    assert failed
    assert np.allclose(found, golden, atol=1e-6)
    assert sum(counted) == len(texts)
