"""Every family of the catalogue, saved as an export is: equal scores here and in the programs that load it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rerank.models import onnx_files
from rerank.models.cross_encoder import load_cross_encoder, save_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.worker.export import settle_tokenizer
from tests.engine.test_packed import PACKED, PADDED, drawn
from tests.models import write_letters_tokenizer

Made = Callable[[str], tuple[Path, np.ndarray, TokenStore]]

FAMILIES = ("roberta", "xlm-roberta", "camembert", "electra", "distilbert", "modernbert", "deberta-v2", "mpnet")
TYPED = ("electra",)  # query and document have types of their own
DOUBLED = ("roberta", "xlm-roberta", "camembert", "mpnet")  # two separators between them
LONGEST = 24
PAIRS = [("apple 1", "the apple"), ("garden 6", "dragon and engine 3"), ("kettle", "k " * 60)]
NAMED = [("0", "0"), ("1", "1"), ("2", "2")]
TOLERANCE = 1e-5


def write_tokenizer(folder: Path, family: str) -> None:
    """Write a tokenizer that sets pairs up as the family does; 60 words, as the models have."""
    special = {"unk": "<unk>", "pad": "<pad>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    middle = "</s> </s>" if family in DOUBLED else "</s>"
    kind = ":1" if family in TYPED else ""
    write_letters_tokenizer(folder, special, f"<s> $A {middle} $B{kind} </s>{kind}", 60)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Write a family's base model, load and save it as a training does; its folder, and the engine's own scores."""
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "home"))

    def make(family: str) -> tuple[Path, np.ndarray, TokenStore]:
        base, folder = tmp_path / "base", tmp_path / "exported"
        write_tokenizer(base, family)
        drawn((PACKED | PADDED)[family]).save_pretrained(str(base), safe_serialization=True)
        source = find_model(str(base))
        tokens = TokenStore(load_tokenizer(source.folder))
        tokens.add("query", ["0", "1", "2"], [query for query, _ in PAIRS])
        tokens.add("document", ["0", "1", "2"], [document for _, document in PAIRS])
        encoder = load_cross_encoder(source.folder, tokens.template, pick_device("cpu"), seed=0)
        save_cross_encoder(encoder.module, source.folder, folder)
        settle_tokenizer(folder, source, LONGEST)
        return folder, encoder.scores(tokens.pairs(NAMED, LONGEST)), tokens

    return make


@pytest.mark.parametrize("family", FAMILIES)
def test_every_program_gives_the_engines_scores(family: str, made: Made) -> None:
    folder, ours, _ = made(family)
    assert len(set(np.round(ours, 3))) == len(PAIRS)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    assert len(tokenizer(*PAIRS[2], truncation=True)["input_ids"]) == LONGEST
    with torch.no_grad():
        plain = [float(model(**tokenizer(*pair, truncation=True, return_tensors="pt")).logits) for pair in PAIRS]
    assert np.allclose(plain, ours, atol=TOLERANCE, rtol=TOLERANCE)
    theirs = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    found = theirs.predict(PAIRS, convert_to_numpy=True, activation_fn=torch.nn.Identity())
    assert np.allclose(found, ours, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("family", ["xlm-roberta", "modernbert", "deberta-v2"])  # seconds each; BERT: test_export.py
def test_the_onnx_file_gives_the_engines_scores(family: str, made: Made) -> None:
    folder, ours, tokens = made(family)
    onnx_files.export_onnx(folder, tokens.template, folder / "model.onnx")
    encoder = onnx_files.OnnxEncoder(folder / "model.onnx", tokens.template, 1)
    assert np.allclose(encoder.scores(tokens.pairs(NAMED, LONGEST)), ours, atol=TOLERANCE, rtol=TOLERANCE)
