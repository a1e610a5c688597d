"""BM25 over our own tokens (bm25s, method lucene, k1 1.5, b 0.75)."""

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

from rerank.retrieval.tokens import tokens_of

METHOD, K1, B = "lucene", 1.5, 0.75


class Bm25:
    """A BM25 index over document texts; positions are those of the texts it was built from."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.n_documents = len(texts)
        self._words: dict[str, int] = {}
        ids = [[self._words.setdefault(word, len(self._words)) for word in tokens_of(text)] for text in texts]
        self._index: bm25s.BM25 | None = None
        if self._words:
            self._index = bm25s.BM25(method=METHOD, k1=K1, b=B)
            self._index.index((ids, self._words), show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every document for one query; zero where no word matches."""
        known = [self._words[word] for word in tokens_of(query) if word in self._words]
        if not known or self._index is None:
            return np.zeros(self.n_documents, dtype=np.float32)
        return np.asarray(self._index.get_scores_from_ids(known), dtype=np.float32)
