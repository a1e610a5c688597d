"""Pairs are put together and scored as plain transformers does it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, XLMRobertaConfig

from rerank.models.batches import token_batches
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer, pair_template
from tests.models import make_tiny_model

QUERY = "red apple 7"
# No empty text: for transformers that is no pair at all, for us an empty document.
DOCUMENTS = ["the apple tree", "x", "a very long text " * 20, "?", "zebra 9 and more words"]


@pytest.mark.parametrize("which", ["tiny", "embedded"])
def test_scores_equal_plain_transformers_one_pair_at_a_time(tmp_path: Path, which: str) -> None:
    folder = make_tiny_model(tmp_path / "model") if which == "tiny" else find_model("embedded").folder
    device = replace(pick_device("cpu"), dtype="fp32")  # equality is shown in full precision, on any processor
    tokens = TokenStore(load_tokenizer(folder))
    tokens.add("query", ["q"], [QUERY])
    tokens.add("document", [str(i) for i in range(5)], DOCUMENTS)
    encoder = load_cross_encoder(folder, tokens.template, device, seed=3)
    pairs = [tokens.pair("q", str(i), 64) for i in range(5)]
    found = encoder.scores(pairs)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    golden = []
    with torch.inference_mode():
        for text in DOCUMENTS:
            inputs = tokenizer(QUERY, text, truncation="only_second", max_length=64, return_tensors="pt")
            golden.append(float(encoder.module(**inputs).logits))
    assert found == pytest.approx(golden, abs=2e-5)


def test_batches_hold_every_pair_once_and_keep_the_budget() -> None:
    lengths = list(np.random.default_rng(0).integers(5, 200, 300))
    batches = token_batches(lengths, 1000)
    assert sorted(position for batch in batches for position in batch) == list(range(300))
    assert all(max(lengths[p] for p in batch) * len(batch) <= 1000 for batch in batches)
    assert token_batches([5000], 1000) == [[0]]


def test_a_missing_head_is_drawn_from_the_seed(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m", trained_head=False)
    device = pick_device("cpu")
    template = pair_template(load_tokenizer(folder))
    weights = [
        load_cross_encoder(folder, template, device, seed=seed).module.classifier.weight.detach() for seed in (1, 1, 2)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_saved_model_loads_in_plain_transformers(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m")
    assert AutoModelForSequenceClassification.from_pretrained(str(folder)).config.num_labels == 1
    assert find_model(str(folder)).has_head is True
    assert find_model("embedded").has_head is False


def test_a_model_says_how_many_tokens_it_can_tell_apart(tmp_path: Path) -> None:
    assert find_model(str(make_tiny_model(tmp_path / "m"))).max_length == 128
    assert find_model("embedded").max_length == 512
    XLMRobertaConfig(max_position_embeddings=514, pad_token_id=1).save_pretrained(str(tmp_path / "m"))
    assert find_model(str(tmp_path / "m")).max_length == 512
