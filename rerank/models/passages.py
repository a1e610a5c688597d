"""Documents longer than the room in a pair: read from their beginning, or as passages of which the best counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rerank.models.pairs import Pair, Pairs
from rerank.models.token_store import TokenStore

# Neighbours share a quarter of the room, some 60 tokens of 240: two or three sentences, so that none is only seen cut.
# Half, as in Dai and Callan (2019), costs half as much again.
STRIDE_SHARE = 0.75
MAX_PASSAGES = 8  # six and a quarter times the room; what comes after it is not read

Named = Sequence[tuple[str, str]]  # (query id, document id)


class PairScorer(Protocol):
    """A model that scores pairs, wherever it runs."""

    def scores(self, pairs: Sequence[Pair], on_batch: Callable[[int], None] | None = None) -> NDArray[np.float64]:
        """Return the logit of every pair; `on_batch` hears each batch's number of pairs and may raise to stop."""


@dataclass(frozen=True)
class Reading:
    """How documents are read: in pairs of `max_length` tokens; `passages` "first" or "max"."""

    max_length: int
    passages: str

    def starts(self, n_tokens: int, room: int) -> list[int]:
        """Return where the passages of a document of n_tokens begin; the last one ends with the document.

        room: tokens of a document that fit beside the query.
        """
        if self.passages == "first" or n_tokens <= room or room < 1:
            return [0]
        last = n_tokens - room
        return [*range(0, last, max(1, int(room * STRIDE_SHARE))), last][:MAX_PASSAGES]

    def pairs(self, tokens: TokenStore, named: Named) -> tuple[Pairs, NDArray[np.int64]]:
        """Return the pairs to score, passage by passage, and where each document's begin."""
        if self.passages == "first":
            return tokens.pairs(named, self.max_length), np.arange(len(named))
        each: list[tuple[str, str]] = []
        starts: list[int] = []
        firsts = np.empty(len(named), dtype=np.int64)
        for place, (query, document) in enumerate(named):
            firsts[place] = len(starts)
            starts += self.starts(tokens.n_tokens(document), tokens.room(query, self.max_length))
            each += [(query, document)] * (len(starts) - len(each))
        return tokens.pairs(each, self.max_length, starts), firsts

    def scores(
        self,
        encoder: PairScorer,
        tokens: TokenStore,
        named: Named,
        on_batch: Callable[[int], None] | None = None,
    ) -> NDArray[np.float64]:
        """Return every document's score, the highest of its passages; `on_batch` hears numbers of passages."""
        pairs, firsts = self.pairs(tokens, named)
        found = encoder.scores(pairs, on_batch)
        return np.maximum.reduceat(found, firsts) if len(pairs) > len(named) else found

    def lengths(self, tokens: TokenStore, named: Named) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return how many passages each document is scored as, and whether some of it is not read."""
        counts = np.ones(len(named), dtype=np.int64)
        is_cut = np.zeros(len(named), dtype=np.bool_)
        for place, (query, document) in enumerate(named):
            n_tokens, room = tokens.n_tokens(document), tokens.room(query, self.max_length)
            if n_tokens > room:
                starts = self.starts(n_tokens, room)
                counts[place] = len(starts)
                is_cut[place] = starts[-1] + room < n_tokens
        return counts, is_cut


@dataclass(frozen=True)
class Truncation:
    """How much of the candidates the model could not read."""

    n_pairs: int  # candidates of all queries
    n_truncated_pairs: int  # whose document is longer than what is read of it
    share_of_pairs: float
    n_documents: int  # different documents among them
    n_truncated_documents: int  # truncated with at least one query
    share_of_documents: float
    n_scored_pairs: int  # passages counted
    max_passages: int  # of a document, at most


def truncation_of(reading: Reading, tokens: TokenStore, named: Named) -> Truncation:
    """Return how many candidate pairs and documents are not read to their end, as counts and shares (0-1)."""
    counts, is_cut = reading.lengths(tokens, named)
    documents = {document for _, document in named}
    cut = {document for (_, document), short in zip(named, is_cut, strict=True) if short}
    return Truncation(
        n_pairs=len(named),
        n_truncated_pairs=int(is_cut.sum()),
        share_of_pairs=float(is_cut.mean()) if len(named) else 0.0,
        n_documents=len(documents),
        n_truncated_documents=len(cut),
        share_of_documents=len(cut) / max(1, len(documents)),
        n_scored_pairs=int(counts.sum()),
        max_passages=1 if reading.passages == "first" else MAX_PASSAGES,
    )
