"""The demo's engine: one experiment's strategies on a query that somebody types."""

import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.evaluation.fusion import mixed, standardised
from rerank.evaluation.rankings import ranking_of
from rerank.intake.alike import NearIndex
from rerank.intake.dataset import Dataset
from rerank.intake.storage import load_dataset
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import Device, pick_device, synchronize
from rerank.models.encoder import Encoder
from rerank.models.memory import make_room, total_memory
from rerank.models.passages import Reading
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.models.vectors import read_vectors, vectors_path, write_vectors
from rerank.planning.experiments import load_locked, load_result
from rerank.planning.plan import FUSION, Plan
from rerank.planning.splits import Fold, folds_of
from rerank.retrieval.candidates import Scorer, document_texts, scorer_of, top
from rerank.store.home import room

MODELS_SHARE = 0.25  # of the device's memory: the rest is for computing, and for everybody else
COPIES = 1.5  # a model's weights in fp32 and once more in half of the bytes, of those that its file has
QUERY = "the typed query"


@dataclass(frozen=True)
class _Opened:
    plan: Plan
    result: dict[str, Any]
    dataset: Dataset
    folds: tuple[Fold, ...]
    search: Scorer
    searched_with: str
    vectors: NDArray[np.float32] | None  # of all documents, (n_documents, 384), where the search needs them
    evaluated: tuple[str, ...]  # query ids that some fold trains, develops or tests with
    spellings: NearIndex  # of their texts


class Engine:
    """Keeps the last experiment and a few models in memory; not for several threads at once."""

    def __init__(self) -> None:
        self._device: Device = pick_device("auto")
        self._opened: dict[str, _Opened] = {}
        self._models: OrderedDict[str, CrossEncoder] = OrderedDict()  # by what their weights are, not where they lie
        self._bytes: dict[str, float] = {}
        self._tokens: TokenStore | None = None  # of the opened experiment, from the first of its models that is asked
        self._encoder: Encoder | None = None
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def answer(self, experiment: str, query: str, strategies: Sequence[str], depth: int) -> dict[str, Any]:
        """Return each strategy's first `depth` documents with latencies in milliseconds.

        The query's candidates come from a search over all documents, at the plan's depth. A query of the
        sample is answered by a model that did not train on it, where there is one. Raises RerankError
        `no_such_experiment`, `no_result_yet`, `base_model_changed` where the untrained base model is asked and is
        another one than was measured, and what loading raises.
        """
        opened = self._open(experiment)
        begun = time.perf_counter()
        scores = opened.search(query)
        chosen = top(scores, opened.plan.first_stage.depth)
        if opened.searched_with == "bm25":
            chosen = chosen[scores[chosen] > 0]
        search_ms = (time.perf_counter() - begun) * 1000
        answers = {}
        for name in strategies:
            if name not in opened.result["strategies"]:
                continue
            known, fold = self._fold_of(opened, query)
            begun_ms, values = self._score(opened, name, query, chosen, scores[chosen], fold)
            order = np.argsort(-values, kind="stable")[:depth]
            doc_ids = opened.dataset.documents["doc_id"].iloc[chosen[order]].to_numpy()
            answers[name] = {
                "documents": [str(doc_id) for doc_id in doc_ids],
                "first_ranks": [int(place) + 1 for place in order],
                "latency_ms": search_ms + begun_ms,
                "trained_on_query": known == "train" and bool(opened.result["strategies"][name]["stages"]),
            }
        return {
            "answers": answers,
            "n_candidates": len(chosen),
            "search_ms": search_ms,
            "searched_with": opened.searched_with,
            "device": self._device.kind,
        }

    def _open(self, experiment: str) -> _Opened:
        if experiment in self._opened:
            known = load_result(experiment)  # gate 2 may have added strategies since
            return self._opened[experiment] if known is None else replace(self._opened[experiment], result=known)
        plan, _ = load_locked(experiment)
        result = load_result(experiment)
        if result is None:
            raise RerankError("no_result_yet", experiment=experiment)
        dataset = load_dataset(plan.dataset_digest)
        kind = plan.first_stage.searched_with
        vectors = self._vectors_of_all(dataset) if kind in ("embedding", "rrf") else None
        folds = tuple(folds_of(dataset, plan))
        evaluated = tuple(dict.fromkeys(name for fold in folds for name in (*fold.test, *fold.train, *fold.dev)))
        texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
        opened = _Opened(
            plan=plan,
            result=result,
            dataset=dataset,
            folds=folds,
            search=scorer_of(kind, dataset, None if vectors is None else self._similarity(vectors)),
            searched_with=kind,
            vectors=vectors,
            evaluated=evaluated,
            spellings=NearIndex([str(texts[query_id]) for query_id in evaluated]),
        )
        self._opened = {experiment: opened}
        self._tokens = None
        self._vectors = {}
        return opened

    def _encode(self, texts: Sequence[str], *, kept: bool = False) -> NDArray[np.float32]:
        if self._encoder is None:
            self._encoder = Encoder(self._device)
        return self._encoder.encode(list(texts), kept=kept)

    def _vectors_of_all(self, dataset: Dataset) -> NDArray[np.float32]:
        """Return the vectors of all documents that the experiment has left on disk; they are encoded where it has not.

        Thousands of documents take a CPU longer than anybody waits for an answer.
        """
        texts = document_texts(dataset.documents)
        path = vectors_path(texts, self._device)
        known = read_vectors(path, len(texts))
        if known is not None:
            return known
        vectors = self._encode(texts, kept=True)
        with contextlib.suppress(OSError):  # the next process has to encode them again, this one can answer
            # Without the seconds that it took: an experiment counts them as costs, and may compute beside this.
            write_vectors(path, vectors)
        return vectors

    def _similarity(self, vectors: NDArray[np.float32]) -> Scorer:
        self._encode(["warm up"])  # loading the encoder is not the first query's time
        return lambda query: vectors @ self._encode([query])[0]

    def _fold_of(self, opened: _Opened, query: str) -> tuple[str, int]:
        """Return the part that a typed query plays in the experiment, and the fold whose model to ask.

        Another spelling of a query is that query, as it is where queries are divided.
        """
        same = {opened.evaluated[place] for place in opened.spellings.like(query)}
        for fold in opened.folds:
            if same & set(fold.test):
                return "test", fold.index
        for fold in opened.folds:
            if same & set(fold.train) or same & set(fold.dev):
                return "train", fold.index
        return "new", 0

    def _score(
        self, opened: _Opened, name: str, query: str, chosen: NDArray[np.int64], found: NDArray[np.float32], fold: int
    ) -> tuple[float, NDArray[np.float64]]:
        """Return milliseconds and one value per candidate, best highest and without ties.

        found: the search's scores of the candidates.
        """
        if name == "first-stage" or not len(chosen):
            return 0.0, -np.arange(len(chosen), dtype=np.float64)
        if name.endswith(FUSION):
            elapsed, scores = self._fused(opened, name, query, chosen, found, fold)
        elif name == "embedding":
            elapsed, scores = self._by_embedding(opened, query, chosen)
        else:
            elapsed, scores = self._by_model(opened, name, query, chosen, fold)
        places = np.arange(1, len(chosen) + 1)
        frame = pd.DataFrame({"query_id": QUERY, "doc_id": places.astype(str), "rank": places})
        # The same tie rule as in the evaluation: what is shown is what was measured.
        ranked = ranking_of(frame, scores).set_index("doc_id")["rank"]
        return elapsed, -ranked[places.astype(str)].to_numpy(dtype=np.float64)

    def _ids(self, opened: _Opened, chosen: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        doc_ids = [str(doc_id) for doc_id in opened.dataset.documents["doc_id"].iloc[chosen]]
        return doc_ids, document_texts(opened.dataset.documents.iloc[chosen])

    def _by_embedding(
        self, opened: _Opened, query: str, chosen: NDArray[np.int64]
    ) -> tuple[float, NDArray[np.float64]]:
        documents = self._vectors_of(opened, chosen)
        begun = time.perf_counter()
        values = documents @ self._encode([query])[0]
        return (time.perf_counter() - begun) * 1000, values.astype(np.float64)

    def _vectors_of(self, opened: _Opened, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        if opened.vectors is not None:
            return opened.vectors[chosen]
        doc_ids, texts = self._ids(opened, chosen)
        missing = [place for place, doc_id in enumerate(doc_ids) if doc_id not in self._vectors]
        if missing:
            found = self._encode([texts[place] for place in missing], kept=True)
            self._vectors.update({doc_ids[place]: vector for place, vector in zip(missing, found, strict=True)})
        return np.stack([self._vectors[doc_id] for doc_id in doc_ids])

    def _by_model(
        self, opened: _Opened, name: str, query: str, chosen: NDArray[np.int64], fold: int
    ) -> tuple[float, NDArray[np.float64]]:
        encoder, tokens = self._model(opened, name, fold)
        doc_ids, texts = self._ids(opened, chosen)
        tokens.add("document", doc_ids, texts)
        begun = time.perf_counter()
        tokens.add("query", [f"{QUERY} {query}"], [query], kept=False)
        reading = Reading(opened.plan.max_length, opened.plan.passages)
        scored = reading.scores(encoder, tokens, [(f"{QUERY} {query}", doc_id) for doc_id in doc_ids])
        synchronize(self._device)
        return (time.perf_counter() - begun) * 1000, scored

    def _fused(
        self, opened: _Opened, name: str, query: str, chosen: NDArray[np.int64], found: NDArray[np.float32], fold: int
    ) -> tuple[float, NDArray[np.float64]]:
        plain = name.removesuffix(FUSION)
        weights = opened.result["strategies"][name]["fusion_weights"]
        elapsed, similarities = self._by_embedding(opened, query, chosen)
        parts = {"embedding": similarities, "first_stage": found.astype(np.float64)}
        if plain != "embedding":
            more, parts["model"] = self._by_model(opened, name, query, chosen, fold)
            elapsed += more
        same = [QUERY] * len(chosen)
        standard = {source: standardised(values, same) for source, values in parts.items()}
        return elapsed, mixed(standard, weights[min(fold, len(weights) - 1)])

    def _model(self, opened: _Opened, name: str, fold: int) -> tuple[CrossEncoder, TokenStore]:
        stages = opened.result["strategies"][name]["stages"]
        stage = str(stages[min(fold, len(stages) - 1)]) if stages else None
        measured = opened.result["base_model"].get("digest")  # older results do not say
        key = stage or measured or opened.plan.base_model
        if key not in self._models or self._tokens is None:
            # A stage's folder has the base model's tokenizer: whoever asks for no base model needs none.
            folder = _base_folder(opened.plan, measured) if stage is None else room("stages") / stage / "model"
            if self._tokens is None:
                self._tokens = TokenStore(load_tokenizer(folder))
            if key not in self._models:
                self._make_room(key, folder)
                self._models[key] = self._loaded(folder, self._tokens)
        self._models.move_to_end(key)
        return self._models[key], self._tokens

    def _make_room(self, key: str, folder: Path) -> None:
        """Let go of the models that were not asked for longest until another one fits beside the rest."""
        self._bytes[key] = COPIES * sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        most = MODELS_SHARE * (total_memory(self._device.kind) or math.inf)
        while self._models and sum(self._bytes[name] for name in (*self._models, key)) > most:
            self._models.popitem(last=False)  # before the new one comes: both might not fit

    def _loaded(self, folder: Path, tokens: TokenStore) -> CrossEncoder:
        try:
            return load_cross_encoder(folder, tokens.template, self._device, seed=0)
        except RerankError as error:
            if error.code != "model_does_not_fit":
                raise
        self._models.clear()
        make_room(self._device.kind)
        return load_cross_encoder(folder, tokens.template, self._device, seed=0)


def _base_folder(plan: Plan, measured: str | None) -> Path:
    """Return the base model's folder. Raises RerankError `base_model_changed` where it is not the measured one."""
    source = find_model(plan.base_model)
    if measured is not None:
        source.check_is(measured)
    return source.folder
