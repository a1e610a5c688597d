"""Words for BM25, in Latin script and in Chinese, Japanese and Korean."""

import unicodedata
from pathlib import Path

import bm25s
import numpy as np
import pandas as pd
import pytest

from rerank.evaluation.measures import per_query_scores
from rerank.intake.dataset import Dataset
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.retrieval.bm25 import Bm25
from rerank.retrieval.candidates import document_texts, top
from rerank.retrieval.tokens import tokens_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The Red SHOES, 42 cm", ["red", "shoes", "42", "cm"]),
        ("赤い靴", ["赤い", "い靴", "赤", "靴"]),
        ("靴", ["靴"]),
        ("ｻｲｽﾞ４２", ["サイ", "イズ", "42"]),  # half-width katakana, full-width digits
        ("iPhone用ケース", ["iphone", "用ケ", "ケー", "ース", "用"]),
        ("時々。〆切", ["時々", "時", "々", "〆切", "〆", "切"]),
        ("한국어 검색", ["한국", "국어", "검색"]),
        ("красные туфли", ["красные", "туфли"]),
        ("Ⅳ ①", ["iv", "1"]),
        ("", []),
    ],
)
def test_texts_become_tokens(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


@pytest.mark.parametrize(
    ("one", "other"), [("ﾊﾟｽﾜｰﾄﾞ", "パスワード"), ("ＡＢＣ１２３", "abc123"), ("㈱山田", "(株)山田")]
)
def test_width_and_composition_do_not_matter(one: str, other: str) -> None:
    assert tokens_of(one) == tokens_of(other) == tokens_of(unicodedata.normalize("NFD", other))


def ndcg(dataset: Dataset, query_ids: list[str], scores_of: object) -> float:
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    doc_ids = dataset.documents["doc_id"].to_numpy()
    rows = []
    for query_id in query_ids:
        scores = scores_of(texts[query_id])  # type: ignore[operator]
        places = [place for place in top(scores, 10) if scores[place] > 0]
        rows += [(query_id, doc_ids[place], rank, float(scores[place])) for rank, place in enumerate(places, 1)]
    ranking = pd.DataFrame(rows, columns=["query_id", "doc_id", "rank", "score"])
    found = per_query_scores(ranking, dataset.judgments, query_ids, ["nDCG@10"], 1)
    return float(found["value"].mean())


@pytest.mark.parametrize(("name", "least"), [("jsquad_sample", 0.9), ("lawqa_jp", 0.6)])
def test_japanese_is_found_where_words_between_spaces_find_nothing(collections: Path, name: str, least: float) -> None:
    """The same BM25 over words between spaces finds under .1; nothing but the tokens differs."""
    folder = collections / name
    if not folder.is_dir():
        pytest.skip(f"no {name}")
    dataset = finish(read_folder(folder), name, keep_good_rows=True)
    judged = set(dataset.judgments["query_id"])
    query_ids = [query_id for query_id in dataset.queries["query_id"] if query_id in judged][:150]
    texts = document_texts(dataset.documents)
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in text.lower().split()] for text in texts]
    spaced = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    spaced.index((ids, vocabulary), show_progress=False)

    def by_spaces(query: str) -> np.ndarray:
        known = [vocabulary[word] for word in query.lower().split() if word in vocabulary]
        return spaced.get_scores_from_ids(known) if known else np.zeros(len(texts), dtype=np.float32)

    ours = ndcg(dataset, query_ids, Bm25(texts).scores)
    assert ours > least
    assert ndcg(dataset, query_ids, by_spaces) < 0.1
