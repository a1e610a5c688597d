"""The first stage and the encoder's similarities, computed once and kept by digest."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.digests import digest_of
from rerank.intake.dataset import Dataset
from rerank.models.devices import Device
from rerank.models.encoder import Encoder
from rerank.models.vectors import encoder_identity, read_vectors, vectors_path, write_vectors
from rerank.planning.plan import Plan
from rerank.retrieval.candidates import Scorer, build_candidates, document_texts, scorer_of, search_identity
from rerank.store.artefacts import read_json, read_or_none, read_parquet, write_json, write_parquet
from rerank.store.home import room
from rerank.worker.meter import Meter


class Similarities:
    """The embedded encoder's similarities between a dataset's queries and documents.

    Vectors are kept on disk under the digest of texts and encoder; the encoder loads when first needed.
    """

    def __init__(self, dataset: Dataset, device: Device, meter: Meter) -> None:
        self._dataset = dataset
        self._device = device
        self._meter = meter
        self._encoder: Encoder | None = None
        self._seen: dict[str, NDArray[np.float32]] = {}  # vectors of texts that this process has met
        self._all: NDArray[np.float32] | None = None
        self.seconds = 0.0  # device seconds of all encoding, cached or not

    @property
    def identity(self) -> list[Any]:
        """Return what the similarities depend on besides the texts: the encoder and the device's numerics."""
        return encoder_identity(self._device)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        path = vectors_path(texts, self._device)
        facts = path.with_suffix(".json")
        known, took = read_vectors(path, len(texts)), read_or_none(read_json, facts)
        if known is not None and took is not None:
            self.seconds += float(took["seconds"])
            return known
        if self._encoder is None:
            self._encoder = Encoder(self._device)
        self._meter.expect(scored_pairs=len(texts))
        begun = time.perf_counter()
        vectors = self._encoder.encode(texts, on_batch=lambda n: self._meter.did(scored_pairs=n), kept=True)
        seconds = time.perf_counter() - begun
        self.seconds += seconds
        write_json(facts, {"seconds": seconds})
        write_vectors(path, vectors)
        return vectors

    def breathe(self, done: int, total: int) -> None:
        """Give a stop its chance between parts of other work."""
        del done, total
        self._meter.did()

    def scorer(self) -> Scorer:
        """Return a scorer over all documents: query text to similarities."""
        if self._all is None:
            self._all = self._encode(document_texts(self._dataset.documents))
        everything = self._all
        if self._encoder is None:
            self._encoder = Encoder(self._device)
        encoder = self._encoder
        return lambda query: everything @ encoder.encode([query])[0]

    def of_pairs(self, pairs: pd.DataFrame) -> tuple[NDArray[np.float64], list[float]]:
        """Return the similarity of every (query_id, doc_id) row, and milliseconds per query.

        Documents are encoded once and ahead of time, as in a running search; a query's time is encoding it
        and the products with its candidates.
        """
        wanted = sorted(set(pairs["doc_id"]))
        listed = self._dataset.documents[self._dataset.documents["doc_id"].isin(wanted)]
        texts = dict(zip(listed["doc_id"], document_texts(listed), strict=True))
        vectors = self._encode([texts[doc_id] for doc_id in wanted])
        self._seen.update(zip([texts[doc_id] for doc_id in wanted], vectors, strict=True))
        place = {doc_id: position for position, doc_id in enumerate(wanted)}
        if self._encoder is None:
            self._encoder = Encoder(self._device)
        spoken = dict(zip(self._dataset.queries["query_id"], self._dataset.queries["text"], strict=True))
        scores = np.empty(len(pairs), dtype=np.float64)
        latencies: list[float] = []
        self._encoder.encode(["warm up"])
        for query_id, rows in pairs.groupby("query_id", sort=False).indices.items():
            begun = time.perf_counter()
            query = self._encoder.encode([spoken[str(query_id)]])[0]
            documents = [place[doc_id] for doc_id in pairs["doc_id"].to_numpy()[rows]]
            scores[rows] = vectors[documents] @ query
            latencies.append((time.perf_counter() - begun) * 1000)
            self._meter.did()  # a chance to stop
        return scores, latencies

    def of_texts(
        self, queries: Mapping[str, str], documents: Mapping[str, str], pairs: pd.DataFrame
    ) -> NDArray[np.float64]:
        """Return the similarity of every (query_id, doc_id) row, in bulk; texts are given by id."""
        texts = [queries[name] for name in sorted(set(pairs["query_id"]))]
        texts += [documents[name] for name in sorted(set(pairs["doc_id"]))]
        texts = list(dict.fromkeys(texts))
        new = [text for text in texts if text not in self._seen]
        if new:
            self._seen.update(zip(new, self._encode(new), strict=True))
        scores = np.empty(len(pairs), dtype=np.float64)
        for query_id, rows in pairs.groupby("query_id", sort=False).indices.items():
            vectors = np.stack([self._seen[documents[doc_id]] for doc_id in pairs["doc_id"].to_numpy()[rows]])
            scores[rows] = vectors @ self._seen[queries[str(query_id)]]
        return scores


@dataclass(frozen=True)
class Candidates:
    """Candidate lists, their digest and how long the search took per query (None when it was uploaded)."""

    frame: pd.DataFrame
    digest: str
    latencies_ms: tuple[float, ...] | None


def candidate_lists(dataset: Dataset, plan: Plan, query_ids: Sequence[str], similarities: Similarities) -> Candidates:
    """Return the plan's candidate lists for the given queries, from disk when they are there."""
    first = plan.first_stage
    digest = digest_of(
        {
            "dataset": dataset.digest,
            "first_stage": [first.kind, first.pool, first.depth],
            "queries": sorted(query_ids),
            "encoder": similarities.identity if first.kind in ("embedding", "rrf") else None,
            "words": search_identity(first.kind),
        }
    )
    path = room("candidates") / f"{digest}.parquet"
    facts = path.with_suffix(".json")
    known, about = read_or_none(read_parquet, path), read_or_none(read_json, facts)
    if known is not None and about is not None:
        took = about["latencies_ms"]
        return Candidates(known, digest, None if took is None else tuple(took))
    latencies: list[float] = []
    scorer: Scorer | None = None
    if first.kind != "run":
        needed = similarities.scorer() if first.kind in ("embedding", "rrf") else None
        search = scorer_of(first.kind, dataset, needed, similarities.breathe)

        def timed(query: str) -> NDArray[np.float32]:
            begun = time.perf_counter()
            found = search(query)
            latencies.append((time.perf_counter() - begun) * 1000)
            return found

        scorer = timed
    frame = build_candidates(dataset, plan, query_ids, scorer)
    kept = tuple(latencies) if latencies else None
    write_json(facts, {"latencies_ms": kept})
    write_parquet(path, frame)
    return Candidates(frame, digest, kept)
