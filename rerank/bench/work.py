"""What both sides compute: pairs of the bundled sample, as texts and as token ids."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from rerank.models.pairs import Pairs
from rerank.models.sources import ModelSource, find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.retrieval.candidates import document_text
from rerank.store.home import bundled

LIST_LENGTH = 8


@dataclass(frozen=True)
class Work:
    """Queries with lists of documents, as names into `tokens` and as texts."""

    source: ModelSource
    tokens: TokenStore
    max_length: int
    lists: tuple[tuple[str, tuple[str, ...]], ...]  # query id, document ids
    texts: dict[str, str]  # of queries and documents by id

    @property
    def named(self) -> list[tuple[str, str]]:
        """Return every (query id, document id) in order."""
        return [(query, doc) for query, docs in self.lists for doc in docs]

    def pairs(self) -> Pairs:
        """Return every pair's token ids, put together anew."""
        return self.tokens.pairs(self.named, self.max_length)

    def texts_of_pairs(self) -> list[tuple[str, str]]:
        """Return every pair's texts."""
        return [(self.texts[query], self.texts[doc]) for query, doc in self.named]

    @property
    def lengths(self) -> list[int]:
        """Return every pair's number of tokens."""
        return self.pairs().lengths


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (bundled("sample") / name).read_text(encoding="utf-8").splitlines()]


def make_work(n_lists: int, *, list_length: int = LIST_LENGTH, max_length: int = 192, seed: int = 0) -> Work:
    """Return lists of documents, `list_length` each, drawn from the bundled sample."""
    source = find_model("embedded")
    tokens = TokenStore(load_tokenizer(source.folder))
    documents, queries = _rows("corpus.jsonl"), _rows("queries.jsonl")
    texts = {row["_id"]: document_text(row["title"], row["text"]) for row in documents}
    texts |= {row["_id"]: row["text"] for row in queries}
    tokens.add("document", [row["_id"] for row in documents], [texts[row["_id"]] for row in documents])
    tokens.add("query", [row["_id"] for row in queries], [row["text"] for row in queries])
    rng = np.random.default_rng(seed)
    lists = []
    for number in range(n_lists):
        chosen = rng.choice(len(documents), list_length, replace=False)
        query = queries[number % len(queries)]["_id"]
        lists.append((query, tuple(documents[int(place)]["_id"] for place in chosen)))
    return Work(source, tokens, max_length, tuple(lists), texts)
