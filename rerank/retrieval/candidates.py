"""Candidate lists: what the first stage hands to every strategy alike."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.digests import digest_of, digest_of_file
from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.storage import root_of
from rerank.planning.plan import Plan
from rerank.retrieval import tokens
from rerank.retrieval.bm25 import K1, METHOD, B, Bm25
from rerank.retrieval.mapped_index import MappedBm25, build_index
from rerank.store.home import room
from rerank.store.parts import OnPart

Scorer = Callable[[str], NDArray[np.float32]]  # query text -> a score for every document
RRF_K = 60  # Cormack et al. 2009: the constant that reciprocal-rank fusion is published with


def document_text(title: str, text: str) -> str:
    """Return a document as every stage reads it: the title first, then the text."""
    return f"{title}. {text}" if title and text else title or text


def document_texts(documents: pd.DataFrame) -> list[str]:
    """Return every document's text as `document_text` gives it, in the frame's order."""
    return [document_text(title, text) for title, text in zip(documents["title"], documents["text"], strict=True)]


def order_of(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return positions by falling score; equal scores keep the lower position first."""
    return np.argsort(-scores.astype(np.float64), kind="stable")


def fused(score_lists: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return reciprocal-rank fusion scores, the sum over lists of 1 / (60 + rank)."""
    total = np.zeros(len(score_lists[0]), dtype=np.float64)
    for scores in score_lists:
        ranks = np.empty(len(scores), dtype=np.int64)
        ranks[order_of(scores)] = np.arange(1, len(scores) + 1)
        total += 1.0 / (RRF_K + ranks)
    return total.astype(np.float32)


def search_identity(kind: str) -> list[object] | None:
    """Return what a search by words finds by, for the digest of what it found; None for a search without words."""
    if kind not in ("bm25", "rrf"):
        return None
    return [tokens.VERSION, METHOD, K1, B, *([RRF_K] if kind == "rrf" else [])]


def index_folder(dataset: Dataset) -> Path:
    """Return where the BM25 index of many documents lies; all versions of a dataset share it."""
    words = digest_of_file(Path(tokens.__file__))
    return room("indexes") / digest_of([root_of(dataset.digest), METHOD, K1, B, words])


def bm25_of(dataset: Dataset, on_part: OnPart | None = None) -> Bm25 | MappedBm25:
    """Return the BM25 index of a dataset: in memory, or on disk where documents are too many, built if need be.

    on_part: told how many of how many documents are indexed.
    """
    if dataset.documents_at is None:
        return Bm25(document_texts(dataset.documents))
    return MappedBm25(build_index(index_folder(dataset), dataset.documents_at, document_texts, on_part))


def scorer_of(kind: str, dataset: Dataset, embedding: Scorer | None, on_part: OnPart | None = None) -> Scorer:
    """Return the scoring function of a first stage (`bm25`, `embedding`, `rrf`) over all documents.

    `embedding` gives the encoder's similarities, needed by all kinds but bm25. on_part: as for `bm25_of`.
    """
    if kind == "embedding":
        if embedding is None:
            raise RerankError("embedding_needed", kind=kind)
        return embedding
    index = bm25_of(dataset, on_part)
    if kind == "bm25":
        return index.scores
    if embedding is None:
        raise RerankError("embedding_needed", kind=kind)
    return lambda query: fused([index.scores(query), embedding(query)])


def top(scores: NDArray[np.float32], depth: int) -> NDArray[np.int64]:
    """Return the positions of the best `depth` scores, ties by position, without sorting everything."""
    if len(scores) > 4 * depth:
        limit = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        near = np.flatnonzero(scores >= limit)
        return near[order_of(scores[near])][:depth]
    return order_of(scores)[:depth]


def build_candidates(dataset: Dataset, plan: Plan, query_ids: Sequence[str], scorer: Scorer | None) -> pd.DataFrame:
    """Return the candidate lists of the given queries: query_id, doc_id, rank (from 1), score.

    `pool` "corpus" searches all documents, "judged" orders each query's judged documents. The user's own
    run is cut at the plan's depth and needs no scorer. With bm25 over the corpus, documents without any
    common word (score 0) are no candidates. Raises RerankError `no_run_uploaded`.
    """
    first = plan.first_stage
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    if first.kind == "run":
        if dataset.candidates is None:
            raise RerankError("no_run_uploaded", dataset=dataset.name)
        wanted = dataset.candidates[dataset.candidates["query_id"].isin(list(query_ids))]
        cut = wanted.sort_values(["query_id", "rank"], kind="stable").groupby("query_id").head(first.depth)
        if first.pool == "judged":
            judged = set(zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True))
            keep = [pair in judged for pair in zip(cut["query_id"], cut["doc_id"], strict=True)]
            cut = cut[np.array(keep, dtype=bool)]
        if cut.empty:
            raise RerankError("no_candidates", n_queries=len(query_ids))
        cut = cut.assign(rank=cut.groupby("query_id").cumcount() + 1)
        return cut[["query_id", "doc_id", "rank", "score"]].reset_index(drop=True)
    if scorer is None:
        raise RerankError("embedding_needed", kind=first.kind)
    doc_ids = dataset.documents["doc_id"].to_numpy()
    judged_places = _judged_places(dataset) if first.pool == "judged" else {}
    frames = []
    for query_id in query_ids:
        scores = scorer(texts[query_id])
        if first.pool == "judged":
            among = judged_places.get(query_id, np.empty(0, dtype=np.int64))
            chosen = among[order_of(scores[among])][: first.depth]
        else:
            chosen = top(scores, first.depth)
            if first.kind == "bm25":
                chosen = chosen[scores[chosen] > 0]
        frames.append(
            pd.DataFrame(
                {
                    "query_id": query_id,
                    "doc_id": doc_ids[chosen],
                    "rank": np.arange(1, len(chosen) + 1),
                    "score": scores[chosen].astype(np.float64),
                }
            )
        )
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        raise RerankError("no_candidates", n_queries=len(query_ids))
    return pd.concat(filled, ignore_index=True)


def places_of(documents: pd.DataFrame, wanted: "pd.Series[str]") -> dict[str, int]:
    """Return the positions of the wanted documents by id, without a look at the others' texts."""
    there = np.flatnonzero(documents["doc_id"].isin(wanted.unique()).to_numpy())
    return dict(zip(documents["doc_id"].iloc[there], there.tolist(), strict=True))


def _judged_places(dataset: Dataset) -> dict[str, NDArray[np.int64]]:
    place = places_of(dataset.documents, dataset.judgments["doc_id"])
    found: dict[str, list[int]] = {}
    for query_id, doc_id in zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True):
        if doc_id in place:
            found.setdefault(query_id, []).append(place[doc_id])
    return {query_id: np.array(sorted(places)) for query_id, places in found.items()}


def recall_ceiling(candidates: pd.DataFrame, judgments: pd.DataFrame, relevant_grade: int) -> float | None:
    """Return the mean share (0-1) of a query's relevant documents among its candidates, None without any."""
    relevant = judgments[judgments["grade"] >= relevant_grade]
    if relevant.empty:
        return None
    listed = set(zip(candidates["query_id"], candidates["doc_id"], strict=True))
    hit = [pair in listed for pair in zip(relevant["query_id"], relevant["doc_id"], strict=True)]
    shares = pd.Series(hit, index=relevant["query_id"].to_numpy(), dtype=float).groupby(level=0).mean()
    return float(shares.mean())
