"""What stands at the end of a long document is found with passages, and missed and counted without."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from rerank.intake.reading import Source
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.passages import MAX_PASSAGES, Reading, truncation_of
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.plan import FirstStage, Plan, StageSettings
from rerank.serving.engine import Engine
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.truncation import truncation_sentence
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan
from tests.ui.conftest import open_page

LENGTH = 32
QUERY = "find me"  # 6 tokens: beside the 3 special ones a document has room for 23
END = "a b c " * 20 + "z " * 10  # 70 tokens, the last 10 of which matter
SHORT = "z " + "b " * 10


def make_reader_of_z(folder: Path) -> Path:
    """Write a BERT whose logit grows with the share of the letter z, and with nothing else."""
    make_tiny_model(folder)
    model = AutoModelForSequenceClassification.from_pretrained(str(folder))
    words = load_tokenizer(folder).get_vocab()
    eye = torch.eye(32)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.fill_(1.0 if "LayerNorm.weight" in name else 0.0)
        model.bert.embeddings.word_embeddings.weight[:, 1] = 1.0
        for word in ("z", "##z"):
            model.bert.embeddings.word_embeddings.weight[words[word]] = eye[0]
        for layer in model.bert.encoder.layer:  # no query and no key: every token looks at all alike
            layer.attention.self.value.weight.copy_(eye)
            layer.attention.output.dense.weight.copy_(eye)
        model.bert.pooler.dense.weight.copy_(eye)
        model.classifier.weight[0, 0] = 1.0
    model.save_pretrained(str(folder), safe_serialization=True)
    return folder


def files(n_queries: int = 16) -> list[Source]:
    documents, queries, judgments = ["doc_id,text"], ["query_id,query"], ["query_id,doc_id,grade"]
    for number in range(n_queries):
        queries.append(f"q{number},{QUERY} {chr(97 + number)}")
        documents += [f"long{number},{END}", f"one{number},{SHORT}", f"two{number},{SHORT} c"]
        judgments += [f"q{number},long{number},1", f"q{number},one{number},0", f"q{number},two{number},0"]
    named = {"queries": queries, "documents": documents, "judgments": judgments}
    return [Source(f"{name}.csv", "\n".join(lines).encode()) for name, lines in named.items()]


def plan_of(model: Path, passages: str) -> Plan:
    still: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-12, "group_size": 2}
    return tiny_plan(
        make_reader_of_z(model),
        files(),
        strategies=("first-stage", "base", "C"),
        first_stage=FirstStage(pool="judged", depth=48),
        max_length=LENGTH,
        passages=passages,
        contrastive=StageSettings(loss="lce", **still),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Home and folder of an experiment for each way of reading."""
    homes = {passages: tmp_path_factory.mktemp(passages) for passages in ("first", "max")}
    return {
        passages: (home, finished_experiment(home, lambda model: plan_of(model, passages)))  # noqa: B023
        for passages, home in homes.items()
    }


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def test_the_end_of_a_document_decides_with_passages_only(finished: dict[str, tuple[Path, Path]]) -> None:
    found = {passages: result(folder)["strategies"] for passages, (_, folder) in finished.items()}
    for strategy in ("base", "C"):
        assert found["max"][strategy]["measures"]["RR@10"] == 1.0
        assert found["first"][strategy]["measures"]["RR@10"] == pytest.approx(1 / 3)  # below both short ones
    assert found["max"]["C"]["dev_score"] == 1.0
    assert found["first"]["C"]["dev_score"] == pytest.approx(1 / np.log2(4))
    assert found["max"]["C"]["stages"] != found["first"]["C"]["stages"], "other development scores, another stage"


def test_every_passage_is_forecast_and_what_is_not_read_is_counted(finished: dict[str, tuple[Path, Path]]) -> None:
    found = {passages: result(folder) for passages, (_, folder) in finished.items()}
    expected = {"n_pairs": 48, "n_documents": 48, "max_passages": 1, "n_scored_pairs": 48}
    cut = {"n_truncated_pairs": 16, "n_truncated_documents": 16, "share_of_pairs": 1 / 3, "share_of_documents": 1 / 3}
    assert found["first"]["truncation"] == {**expected, **cut}
    # 70 tokens in passages of 22 (these queries have 7 tokens) that begin at 0, 16, 32 and 48: 4, and 2 short ones
    whole = {**expected, **dict.fromkeys(cut, 0), "max_passages": MAX_PASSAGES, "n_scored_pairs": 16 * 6}
    assert found["max"]["truncation"] == whole
    scored = {passages: item["cost"]["forecast"]["scored_pairs"] for passages, item in found.items()}
    assert scored["max"] == 2 * scored["first"] > 0


def test_the_demo_reads_as_the_plan_says(
    finished: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for passages, (home, folder) in finished.items():
        monkeypatch.setenv("RERANK_HOME", str(home))
        n_files = len(list((home / "tokens").rglob("*.ids")))
        answer = Engine().answer(folder.name, "find b", ["base"], 48)["answers"]["base"]["documents"]
        assert answer[0].startswith("long") == (passages == "max")
        assert len(list((home / "tokens").rglob("*.ids"))) == n_files, "nothing was tokenised but what was typed"


def test_the_page_says_what_was_not_read(
    finished: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = []
    for passages, (home, folder) in finished.items():
        monkeypatch.setenv("RERANK_HOME", str(home))
        told = [item.value for item in open_page("results", experiment=folder.name).warning]
        expected = truncation_sentence(speaker("en"), result(folder))
        assert (expected is not None) == (passages == "first")
        assert expected is None or expected in told
        sentences += told
    assert "33% of the candidates (16 of 48)" in "".join(sentences)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_share_that_is_small_is_not_spoken_of(language: str) -> None:
    counts = {"n_truncated_pairs": 7, "n_pairs": 100, "max_passages": 8}
    plan = {"max_length": 256, "passages": "max"}
    say = speaker(language)
    assert truncation_sentence(say, {"truncation": {**counts, "share_of_pairs": 0.049}, "plan": plan}) is None
    told = truncation_sentence(say, {"truncation": {**counts, "share_of_pairs": 0.05}, "plan": plan})
    assert told is not None
    assert all(word in told for word in ("5%", "7", "100", "256", "8"))


@pytest.mark.parametrize("n_tokens", [1, 22, 23, 24, 40, 70, 142, 143, 500])
def test_passages_cover_a_document_up_to_the_limit(n_tokens: int) -> None:
    starts = Reading(LENGTH, "max").starts(n_tokens, 23)
    stride = 17  # three quarters of 23
    read = {token for start in starts for token in range(start, min(start + 23, n_tokens))}
    assert len(starts) <= MAX_PASSAGES
    assert read == set(range(min(n_tokens, 23 + 7 * stride)))
    assert all(later - earlier <= stride for earlier, later in pairwise(starts))
    assert Reading(LENGTH, "first").starts(n_tokens, 23) == [0]


def test_a_documents_score_is_the_best_of_its_passages_scored_by_hand(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "model")  # random weights: its passages differ in every token
    texts = {"short": "one", "long": END, "longer": "abc def " * 60, "empty": "", "turned": "q " * 40 + "z " * 40}
    tokens = TokenStore(load_tokenizer(folder))
    tokens.add("query", ["q"], [QUERY])
    tokens.add("document", list(texts), list(texts.values()))
    encoder = load_cross_encoder(folder, tokens.template, replace(pick_device("cpu"), dtype="fp32"), seed=0)
    with torch.no_grad():
        for value in encoder.module.parameters():
            value.mul_(5)  # so that logits differ by far more than the tolerance
    encoder.changed()
    tokenizer = load_tokenizer(folder)
    query = tokenizer(QUERY, add_special_tokens=False)["input_ids"]
    golden = []
    with torch.no_grad():
        for text in texts.values():
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            begins = [0] if len(ids) <= 23 else [*range(0, len(ids) - 23, 17), len(ids) - 23][:8]
            passages = [[2, *query, 3, *ids[begin : begin + 23], 3] for begin in begins]
            logits = [
                encoder.module(
                    input_ids=torch.tensor([passage]),
                    token_type_ids=torch.tensor([[0] * (len(query) + 2) + [1] * (len(passage) - len(query) - 2)]),
                ).logits
                for passage in passages
            ]
            golden.append(max(map(float, logits)))
    named = [("q", name) for name in texts]
    heard: list[int] = []
    found = Reading(LENGTH, "max").scores(encoder, tokens, named, heard.append)
    assert found == pytest.approx(golden, abs=2e-5)
    assert sum(heard) == 1 + 4 + 8 + 1 + 5  # "longer" has 360 tokens: the limit
    counted = truncation_of(Reading(LENGTH, "max"), tokens, named)
    assert (counted.n_truncated_pairs, counted.n_scored_pairs) == (1, 19)
    first = Reading(LENGTH, "first").scores(encoder, tokens, named)
    assert first == pytest.approx(encoder.scores([tokens.pair("q", name, LENGTH) for name in texts]), abs=0)
    assert np.abs(found - first).max() > 0.01
