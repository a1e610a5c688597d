"""Packed batches compute what transformers' own padded modules compute: logits and gradients, every relative."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    CamembertConfig,
    CamembertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from rerank.models.attention import packed_attention
from rerank.models.batches import token_batches
from rerank.models.bert_family import is_packable
from rerank.models.cross_encoder import CrossEncoder
from rerank.models.devices import pick_device
from rerank.models.packed import Pair, grouped, layout_of
from rerank.models.token_store import PairTemplate

SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "num_labels": 1,
    "pad_token_id": 1,
}
PACKED = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SIZES)),
    "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SIZES, type_vocab_size=1)),
    "xlm-roberta": lambda: XLMRobertaForSequenceClassification(XLMRobertaConfig(**SIZES, type_vocab_size=1)),
    "camembert": lambda: CamembertForSequenceClassification(CamembertConfig(**SIZES, type_vocab_size=1)),
    "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SIZES, embedding_size=16)),
}
PADDED = {
    "deberta-v2": lambda: DebertaV2ForSequenceClassification(DebertaV2Config(**SIZES, type_vocab_size=0)),
    "mpnet": lambda: MPNetForSequenceClassification(MPNetConfig(**SIZES)),
    "modernbert": lambda: ModernBertForSequenceClassification(
        ModernBertConfig(**SIZES, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3)
    ),
}
LENGTHS = (40, 7, 22, 23, 40, 3, 12, 39)
TOLERANCE = 2e-6  # of logits around 1 in fp32: another order of the same additions


def template_of(model: Any) -> PairTemplate:
    uses_types = model.config.model_type in ("bert", "electra")
    return PairTemplate((2,), (3,), (3,), int(uses_types), pad_id=1, uses_types=uses_types)


def some_pairs() -> list[Pair]:
    rng = np.random.default_rng(0)
    return [(rng.integers(4, 60, length).astype(np.int32), max(1, length // 3)) for length in LENGTHS]


def made(make: Any, *, packed: bool | None = None) -> CrossEncoder:
    torch.manual_seed(0)
    model = make().eval()
    for name, value in model.named_parameters():  # the usual initial weights are too small to tell errors from rounding
        torch.nn.init.normal_(value, mean=float("norm" in name.lower() and "weight" in name), std=0.4)
    device = replace(pick_device("cpu"), dtype="fp32")
    return CrossEncoder(model, template_of(model), device, packed=packed)


def logits_and_gradients(encoder: CrossEncoder, pairs: list[Pair]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    encoder.module.zero_grad()
    encoder.changed()
    logits = encoder.logits(pairs)
    (logits * torch.linspace(-1, 1, len(pairs))).sum().backward()
    return logits.detach(), {
        name: value.grad.clone() for name, value in encoder.module.named_parameters() if value.grad is not None
    }


@pytest.mark.parametrize("name", PACKED)
def test_packed_equals_padded_in_logits_and_gradients(name: str) -> None:
    pairs = some_pairs()
    packed, golden = made(PACKED[name]), made(PACKED[name], packed=False)
    assert packed.is_packed
    logits, gradients = logits_and_gradients(packed, pairs)
    expected, expected_gradients = logits_and_gradients(golden, pairs)
    assert float(expected.std()) > 0.1
    assert torch.allclose(logits, expected, atol=TOLERANCE, rtol=1e-5)
    assert set(gradients) == set(expected_gradients)
    largest = max(float(value.abs().max()) for value in expected_gradients.values())
    for key, value in expected_gradients.items():
        assert torch.allclose(gradients[key], value, atol=1e-5 * largest, rtol=1e-4), key


@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_a_batch_scores_every_pair_as_transformers_scores_it_alone(name: str) -> None:
    encoder = made((PACKED | PADDED)[name])
    assert encoder.is_packed == (name in PACKED)
    found = encoder.scores(some_pairs())
    golden = []
    with torch.no_grad():
        for ids, second in some_pairs():
            inputs = {"input_ids": torch.from_numpy(ids.astype(np.int64)).unsqueeze(0)}
            if encoder.template.uses_types:
                types = torch.zeros_like(inputs["input_ids"])
                types[:, second:] = encoder.template.second_type
                inputs["token_type_ids"] = types
            golden.append(float(encoder.module(**inputs).logits))
    assert found == pytest.approx(golden, abs=2e-5)


def test_bf16_is_as_close_to_fp32_as_autocast_is_and_ties_no_two_pairs() -> None:
    """bf16 has eight bits: products round by up to 0.4 %; the logits of a list must still differ."""
    exact = made(PACKED["bert"])
    device = replace(exact.device, dtype="bf16")
    golden = exact.scores(some_pairs())
    ours, peer = (
        CrossEncoder(exact.module, exact.template, device, packed=packed).scores(some_pairs())
        for packed in (True, False)
    )
    assert np.abs(ours - golden).mean() < 2 * np.abs(peer - golden).mean()
    assert len(set(ours)) == len(ours)


def test_a_decoder_is_not_packed() -> None:
    assert not is_packable(BertConfig(**SIZES, is_decoder=True))


def test_changed_weights_are_seen_after_the_word() -> None:
    encoder = made(PACKED["bert"])
    before = encoder.scores(some_pairs())
    with torch.no_grad():
        encoder.module.bert.encoder.layer[0].output.dense.weight.mul_(2)
    encoder.changed()
    after = encoder.scores(some_pairs())
    encoder.is_packed = False
    assert not np.allclose(before, after)
    assert after == pytest.approx(encoder.scores(some_pairs()), abs=2e-5)


@pytest.mark.parametrize("first_only", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_attention_by_hand_has_the_gradient_of_finite_differences(first_only: bool, dropout: float) -> None:
    layout = layout_of([4, 4, 3, 1], torch.device("cpu"))
    torch.manual_seed(0)
    stacked = torch.randn(12, 2 if first_only else 3, 2, 3, dtype=torch.float64, requires_grad=True)
    first = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True) if first_only else None

    def attend(*given: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)  # the same units are dropped in every evaluation
        head = given[1] if first_only else None
        return packed_attention(head, given[0], layout, scale=0.6, dropout=dropout)

    given = (stacked,) if first is None else (stacked, first)
    assert torch.autograd.gradcheck(attend, given)


def test_groups_hold_neighbours_and_waste_little() -> None:
    lengths = sorted(np.random.default_rng(1).integers(3, 200, 60).tolist(), reverse=True)
    groups = grouped(lengths)
    assert [length for group in groups for length in group.lengths] == lengths
    assert all(group.first == sum(len(item.lengths) for item in groups[:place]) for place, group in enumerate(groups))
    for group in groups:
        used = sum(group.lengths)
        assert group.longest * len(group.lengths) - used <= 0.125 * used
    assert len(groups) < 20


def test_unpadded_batches_count_real_tokens() -> None:
    lengths = [100, 10, 10, 10]
    assert token_batches(lengths, 130, padded=False) == [[0, 1, 2, 3]]
    assert token_batches(lengths, 130, padded=True) == [[0], [1, 2, 3]]


@pytest.mark.parametrize("name", PADDED)
def test_the_padded_path_keeps_single_precision_in_the_head(name: str) -> None:
    """A head in bf16 has 256 steps per power of two: a list of documents would tie."""
    exact = made(PADDED[name])
    rough = CrossEncoder(exact.module, exact.template, replace(exact.device, dtype="bf16"))
    found = torch.tensor(rough.scores(some_pairs()), dtype=torch.float32)
    assert not torch.equal(found, found.bfloat16().float())
