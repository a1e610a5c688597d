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
    DistilBertConfig,
    DistilBertForSequenceClassification,
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

from rerank.models.batches import collate, token_batches
from rerank.models.cross_encoder import CrossEncoder
from rerank.models.devices import pick_device
from rerank.models.families import family_of
from rerank.models.packed import grouped
from rerank.models.pairs import Pair
from rerank.models.products import Rows, linears_of
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


def modern_bert(**changes: Any) -> ModernBertForSequenceClassification:
    special = {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    return ModernBertForSequenceClassification(ModernBertConfig(**SIZES | special | {"local_attention": 8} | changes))


PACKED = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SIZES)),
    "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SIZES, type_vocab_size=1)),
    "xlm-roberta": lambda: XLMRobertaForSequenceClassification(XLMRobertaConfig(**SIZES, type_vocab_size=1)),
    "camembert": lambda: CamembertForSequenceClassification(CamembertConfig(**SIZES, type_vocab_size=1)),
    "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SIZES, embedding_size=16)),
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=60,
            dim=32,
            n_layers=3,
            n_heads=4,
            hidden_dim=48,
            max_position_embeddings=64,
            num_labels=1,
            pad_token_id=1,
        )
    ),
    # A query reaches 4 tokens each way, most pairs are longer; the last layer reads everything, or its window.
    "modernbert": lambda: modern_bert(num_hidden_layers=4),
    "modernbert, window last": lambda: modern_bert(num_hidden_layers=3),
    "modernbert, mean": lambda: modern_bert(num_hidden_layers=3, classifier_pooling="mean"),
    "modernbert, every bias, ReLU": lambda: modern_bert(
        num_hidden_layers=4,
        attention_bias=True,
        mlp_bias=True,
        norm_bias=True,
        classifier_bias=True,
        hidden_activation="relu",
        classifier_activation="silu",
    ),
}
PADDED = {
    "deberta-v2": lambda: DebertaV2ForSequenceClassification(DebertaV2Config(**SIZES, type_vocab_size=0)),
    "mpnet": lambda: MPNetForSequenceClassification(MPNetConfig(**SIZES)),
}
LENGTHS = (40, 7, 22, 23, 40, 3, 12, 39)
TOLERANCE = 2e-6  # of logits around 1 in fp32: another order of the same additions


def template_of(model: Any) -> PairTemplate:
    uses_types = model.config.model_type in ("bert", "electra")
    return PairTemplate((2,), (3,), (3,), int(uses_types), pad_id=1, uses_types=uses_types)


def some_pairs() -> list[Pair]:
    rng = np.random.default_rng(0)
    return [(rng.integers(4, 60, length).astype(np.int32), max(1, length // 3)) for length in LENGTHS]


def drawn(make: Any) -> Any:
    torch.manual_seed(0)
    model = make().eval()
    for name, value in model.named_parameters():  # the usual initial weights are too small to tell errors from rounding
        torch.nn.init.normal_(value, mean=float("norm" in name.lower() and "weight" in name), std=0.2)
    return model


def made(make: Any) -> CrossEncoder:
    model = drawn(make)
    return CrossEncoder(model, template_of(model), replace(pick_device("cpu"), dtype="fp32"))


def gradients_of(model: Any, logits: torch.Tensor) -> dict[str, torch.Tensor]:
    (logits * torch.linspace(-1, 1, len(logits))).sum().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("name", [*PACKED, *PADDED])
def test_packed_equals_padded_in_logits_and_gradients(name: str) -> None:
    """Logits within 2e-6 + 1e-5 of their size, gradients within 1e-5 of the largest one + 1e-4 of their size."""
    pairs = some_pairs()
    encoder, plain = made((PACKED | PADDED)[name]), drawn((PACKED | PADDED)[name])
    assert encoder.is_packed == (name in PACKED)
    logits = encoder.logits(pairs)
    expected = plain(**collate(pairs, template_of(plain), torch.device("cpu"))).logits.reshape(-1)
    gradients, expected_gradients = gradients_of(encoder.module, logits), gradients_of(plain, expected)
    assert float(expected.detach().std()) > 0.1
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


@pytest.mark.parametrize("name", ["bert", "distilbert", "modernbert", "modernbert, mean"])
def test_bf16_is_as_close_to_fp32_as_autocast_is_and_ties_no_two_pairs(name: str) -> None:
    """bf16 has eight bits: products round by up to 0.4 %; the logits of a list must still differ."""
    exact = made(PACKED[name])
    device = replace(exact.device, dtype="bf16")
    golden = exact.scores(some_pairs())
    ours, peer = (
        CrossEncoder(exact.module, exact.template, device, packed=packed).scores(some_pairs())
        for packed in (True, False)
    )
    assert np.abs(ours - golden).mean() < 2 * np.abs(peer - golden).mean()
    assert len(set(ours)) == len(ours)


def test_what_was_not_shown_to_be_equal_is_not_packed() -> None:
    assert family_of(BertConfig(**SIZES)) is not None
    assert family_of(BertConfig(**SIZES, is_decoder=True)) is None
    linear = {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}
    assert family_of(ModernBertConfig(rope_parameters={"full_attention": linear})) is None


def test_changed_weights_are_seen_after_the_word() -> None:
    encoder = made(PACKED["bert"])
    before = encoder.scores(some_pairs())
    with torch.no_grad():
        encoder.module.bert.encoder.layer[0].output.dense.weight.mul_(2)
    encoder.changed()
    after = encoder.scores(some_pairs())
    padded = CrossEncoder(encoder.module, encoder.template, encoder.device, packed=False)
    assert not np.allclose(before, after)
    assert after == pytest.approx(padded.scores(some_pairs()), abs=2e-5)


def test_weights_in_the_cpus_own_order_give_the_same_products() -> None:
    if pick_device("cpu").dtype != "bf16":
        pytest.skip("this processor has no bf16 products")
    torch.manual_seed(0)
    rows, weight, bias = torch.randn(70, 32).bfloat16(), torch.randn(48, 32), torch.randn(48)
    for given in (bias, None):
        alone = [Rows((weight,), () if given is None else (given,))]
        (plain,) = linears_of(alone, torch.bfloat16, fixed=False)
        (fixed,) = linears_of(alone, torch.bfloat16, fixed=True)
        assert fixed.is_laid_out
        for n in (1, 7, 70):
            assert torch.equal(fixed(rows[:n]), plain(rows[:n]))
            exact = torch.nn.functional.gelu(
                torch.nn.functional.linear(
                    rows[:n].float(), plain.weight.float(), None if given is None else given.bfloat16().float()
                )
            )
            assert (fixed.gelu(rows[:n]) - exact).abs().max() <= (plain.gelu(rows[:n]) - exact).abs().max()


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
