"""A model has the weights of its files, or is refused: random ones would be measured as if they were its own."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AlbertConfig, AlbertForSequenceClassification, BertConfig, BertForSequenceClassification

from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import Device
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.models.yes_no import load_yes_no_model
from tests.models import make_tiny_language_model, make_tiny_model

CPU = Device("cpu", "test", "fp32", 1)


def rewritten(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Write a folder's weights anew."""
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})
    return folder


def set_config(folder: Path, **values: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


def load(folder: Path) -> CrossEncoder:
    return load_cross_encoder(folder, TokenStore(load_tokenizer(folder)).template, CPU, seed=0)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model."])
def test_weights_under_a_wrappers_names_are_refused(tmp_path: Path, prefix: str) -> None:
    folder = rewritten(make_tiny_model(tmp_path / "m"), lambda kept: {prefix + name: kept[name] for name in kept})
    with pytest.raises(RerankError) as caught:
        load(folder)
    assert caught.value.code == "model_not_loadable"
    assert "bert.embeddings" in str(caught.value.facts["cause"])


def test_a_config_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = set_config(make_tiny_model(tmp_path / "m"), intermediate_size=48)
    with pytest.raises(RerankError) as caught:
        load(folder)
    assert caught.value.code == "model_not_loadable"


def test_a_head_counts_as_trained_only_where_the_files_hold_it(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m")
    assert find_model(str(folder)).has_head
    rewritten(folder, lambda kept: {name: value for name, value in kept.items() if "classifier" not in name})
    assert not find_model(str(folder)).has_head
    load(folder)  # an encoder like any other
    two = make_tiny_model(tmp_path / "two", trained_head=False)
    set_config(two, id2label={"0": "relevance"}, label2id={"relevance": 0})
    assert not find_model(str(two)).has_head  # one output is promised, the file has two


def test_a_teacher_without_its_weights_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_language_model(tmp_path / "m")
    load_yes_no_model(folder, CPU, "Judge.", ("yes", "no"))
    rewritten(folder, lambda kept: {f"module.{name}": value for name, value in kept.items()})
    with pytest.raises(RerankError) as caught:
        load_yes_no_model(folder, CPU, "Judge.", ("yes", "no"))
    assert caught.value.code == "teacher_not_loadable"


def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"\x08")
    with pytest.raises(RerankError) as caught:
        find_model(str(folder))
    assert caught.value.code == "model_not_loadable"
    assert "model.safetensors" in str(caught.value.facts["cause"])


def test_segments_that_only_the_tokenizer_knows_are_left_out(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m")
    config = BertConfig.from_pretrained(str(folder))
    config.type_vocab_size = 1
    torch.manual_seed(0)
    BertForSequenceClassification(config).save_pretrained(str(folder))
    tokens = TokenStore(load_tokenizer(folder))
    tokens.add("query", ["q"], ["red apple"])
    tokens.add("document", ["d"], ["an apple tree"])
    assert tokens.template.second_type == 1
    encoder = load_cross_encoder(folder, tokens.template, CPU, seed=0)
    assert np.isfinite(encoder.scores([tokens.pair("q", "d", 64)])).all()
    encoder.is_packed = False
    assert np.isfinite(encoder.scores([tokens.pair("q", "d", 64)])).all()


def test_a_family_that_is_padded_uses_attention_that_repeats_itself(tmp_path: Path) -> None:
    """With a mask, the gradient of torch's own attention kernels differs from run to run on CUDA."""
    folder = make_tiny_model(tmp_path / "m")
    config = AlbertConfig(
        vocab_size=80, embedding_size=16, hidden_size=32, num_attention_heads=2, intermediate_size=64, num_labels=1
    )
    AlbertForSequenceClassification(config).save_pretrained(str(folder))
    encoder = load(folder)
    assert not encoder.is_packed
    assert encoder.module.config._attn_implementation == "eager"


def test_only_a_cpus_threads_belong_to_its_numbers() -> None:
    """A resumed job on a machine with the same card and other cores finds what was computed."""
    card = Device("cuda", "NVIDIA H100", "bf16", 16)
    assert card.numerics() == replace(card, n_threads=8).numerics()
    assert CPU.numerics() != replace(CPU, n_threads=8).numerics()
