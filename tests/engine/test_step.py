"""A step's gradients do not depend on how it is cut into micro-batches, nor on how much memory there is."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.plan import StageSettings
from rerank.training import step
from rerank.training.lists import TrainingList
from rerank.training.step import StepGradients
from tests.models import make_tiny_model

LISTS = [
    TrainingList("q0", ("d0", "d1", "d2"), (1.0, 0.0, 0.0)),
    TrainingList("q1", ("d3", "d0"), (2.0, 1.0)),
    TrainingList("q0", ("d4", "d2", "d1", "d3"), (3.0, 0.0, 1.0, 0.0)),
]


@pytest.fixture
def encoder(tmp_path: Path) -> CrossEncoder:
    folder = make_tiny_model(tmp_path / "model")
    tokens = TokenStore(load_tokenizer(folder))
    device = replace(pick_device("cpu"), dtype="fp32")
    return load_cross_encoder(folder, tokens.template, device, seed=0, dropout=0.2)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenStore:
    store = TokenStore(load_tokenizer(make_tiny_model(tmp_path / "again")))
    store.add("query", ["q0", "q1"], ["red apple", "old bridge 7"])
    store.add("document", [f"d{i}" for i in range(5)], ["apple pie", "a bridge", "x " * 30, "red red", "seven words"])
    return store


def gradients(
    encoder: CrossEncoder, tokens: TokenStore, budget: int, train: bool = False
) -> tuple[float, list[torch.Tensor]]:
    encoder.module.train(train)
    encoder.module.zero_grad()
    whole = StepGradients(encoder, "listwise", StageSettings(loss="listwise"), tokens, 64, token_budget=budget)
    loss, n_pairs, n_tokens = whole.add(LISTS, seed=3)
    assert n_pairs == 9
    assert n_tokens > 9
    return loss, [value.grad.clone() for value in encoder.module.parameters() if value.grad is not None]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(
        torch.allclose(a, b, atol=1e-7, rtol=1e-4) for a, b in zip(one, other, strict=True)
    )


def test_micro_batches_of_whole_lists_add_up_to_the_step(encoder: CrossEncoder, tokens: TokenStore) -> None:
    whole_loss, whole = gradients(encoder, tokens, 10_000)
    parts_loss, parts = gradients(encoder, tokens, 1)
    assert parts_loss == pytest.approx(whole_loss, abs=1e-6)
    assert same(whole, parts)


def test_the_mean_over_lists_is_the_loss_and_no_padding_enters_it(encoder: CrossEncoder, tokens: TokenStore) -> None:
    """Lists of three, two and four documents: each is normalised over its own documents only."""
    loss, _ = gradients(encoder, tokens, 10_000)
    golden = 0.0
    for item in LISTS:
        logits = torch.tensor(encoder.scores([tokens.pair(item.query_id, doc, 64) for doc in item.doc_ids]))
        gains = torch.tensor(item.targets, dtype=torch.float64)
        golden += float(torch.nn.functional.cross_entropy(logits, gains / gains.sum())) / len(LISTS)
    assert loss == pytest.approx(golden, abs=1e-6)


def test_the_same_seed_drops_the_same_units(encoder: CrossEncoder, tokens: TokenStore) -> None:
    assert same(gradients(encoder, tokens, 40, train=True)[1], gradients(encoder, tokens, 40, train=True)[1])


class Small:
    """A device that holds few tokens at once: everything above runs out of memory."""

    def __init__(
        self, encoder: CrossEncoder, most: int, monkeypatch: pytest.MonkeyPatch, said: RuntimeError | None = None
    ) -> None:
        self.n_failed = 0
        error = said or torch.OutOfMemoryError("no room")
        plain = encoder.logits

        def logits(pairs: list) -> torch.Tensor:  # type: ignore[type-arg]
            if torch.is_grad_enabled() and sum(len(ids) for ids, _ in pairs) > most:
                self.n_failed += 1
                raise error
            return plain(pairs)

        monkeypatch.setattr(encoder, "logits", logits)


def test_a_backward_pass_that_runs_out_of_memory_leaves_nothing_behind(
    encoder: CrossEncoder, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head's gradients are there already when the lower layers fail: they must not count twice."""
    loss, golden = gradients(encoder, tokens, 10_000)
    plain = torch.Tensor.backward
    failed: list[bool] = []

    def backward(self: torch.Tensor, *given: object, **named: object) -> None:
        plain(self, *given, **named)  # type: ignore[arg-type]
        if not failed:
            failed.append(True)
            raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    found_loss, found = gradients(encoder, tokens, 10_000)
    assert failed
    assert found_loss == pytest.approx(loss, abs=1e-6)
    assert same(golden, found)


def test_a_pair_that_no_memory_holds_is_said(
    encoder: CrossEncoder, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Small(encoder, 5, monkeypatch)
    with pytest.raises(RerankError) as caught:
        gradients(encoder, tokens, 10_000)
    assert caught.value.code == "device_out_of_memory"


def test_pairs_longer_than_a_usual_batch_are_tried_one_by_one_before_it_gives_up(
    encoder: CrossEncoder, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, golden = gradients(encoder, tokens, 10_000)
    monkeypatch.setitem(step.TRAINING_TOKENS, "cpu", 16)
    longest = max(len(tokens.pair("q0", f"d{place}", 64)[0]) for place in range(5))
    Small(encoder, longest, monkeypatch)
    assert longest > 16
    encoder.module.zero_grad()
    whole = StepGradients(encoder, "listwise", StageSettings(loss="listwise"), tokens, 64)
    found_loss, _, _ = whole.add(LISTS, seed=3)
    found = [value.grad.clone() for value in encoder.module.parameters() if value.grad is not None]
    assert found_loss == pytest.approx(loss, abs=1e-6)
    assert same(golden, found)


@pytest.mark.parametrize("said", [None, RuntimeError("MPS backend out of memory (MPS allocated: 17.6 GB, ...)")])
@pytest.mark.parametrize("most", [120, 70])
def test_running_out_of_memory_changes_the_batches_and_not_the_gradient(
    encoder: CrossEncoder, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch, most: int, said: RuntimeError | None
) -> None:
    loss, golden = gradients(encoder, tokens, 10_000)
    small = Small(encoder, most, monkeypatch, said)
    found_loss, found = gradients(encoder, tokens, 10_000)
    assert 0 < small.n_failed < 6, "halved from the step's size, not from what the device may hold"
    assert found_loss == pytest.approx(loss, abs=1e-6)
    assert same(golden, found)


def test_any_other_failure_of_the_device_is_not_tried_again(
    encoder: CrossEncoder, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Small(encoder, 5, monkeypatch, RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(RuntimeError, match="device-side"):
        gradients(encoder, tokens, 10_000)
    assert small.n_failed == 1
