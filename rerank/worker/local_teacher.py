"""The larger model that teaches from this device: its scores, kept query by query, and what its time costs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.cost.amounts import compute_usd
from rerank.cost.prices import current_prices, device_price
from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import Device, synchronize
from rerank.models.memory import make_room
from rerank.models.passages import Reading
from rerank.models.sources import ModelSource, find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.models.yes_no import load_yes_no_model
from rerank.planning.forecast import HIGH, LOW
from rerank.planning.plan import Plan
from rerank.store.artefacts import read_json, read_or_none, read_parquet, write_json, write_parquet
from rerank.store.home import room
from rerank.teacher.language_model import Task
from rerank.teacher.prompts import Prompt, as_data, load_prompt, yes_no_parts
from rerank.worker.workbench import Workbench

SAVE_SECONDS = 5.0  # at most this much of a killed start is scored again
N_TIMED = 16  # pairs that a forecast times
QUERY_LETTERS = 2000  # of a query that a language model is shown


@dataclass(frozen=True)
class Scored:
    """A teacher's scores of one query's documents; is_cut: not read to the end; share: of probability on the answers.

    share is 1 for a re-ranker, which has no other answers.
    """

    scores: NDArray[np.float64]
    is_cut: NDArray[np.bool_]
    share: NDArray[np.float64]


class Model(Protocol):
    """A model that scores the documents of a query."""

    def score(self, query: str, documents: Sequence[str]) -> Scored:
        """Return the scores of documents for a query, higher is better."""


class _Reranker:
    """A sequence classifier: the student's own engine with other weights."""

    def __init__(self, source: ModelSource, reading: Reading, device: Device, bench: Workbench) -> None:
        self._tokens = TokenStore(load_tokenizer(source.folder))
        self._encoder: CrossEncoder = load_cross_encoder(source.folder, self._tokens.template, device, seed=0)
        self._reading = reading
        self._breathe = bench.reporter.breathe

    def score(self, query: str, documents: Sequence[str]) -> Scored:
        texts = list(documents)
        self._tokens.add("query", [query], [query])
        self._tokens.add("document", texts, texts)  # a text is its own name
        named = [(query, text) for text in texts]
        scores = self._reading.scores(self._encoder, self._tokens, named, on_batch=lambda _: self._breathe())
        _, is_cut = self._reading.lengths(self._tokens, named)
        return Scored(scores, is_cut, np.ones(len(texts)))


class _LanguageModel:
    """A causal model that is asked yes or no about each document."""

    def __init__(self, source: ModelSource, prompt: Prompt, max_length: int, device: Device, bench: Workbench) -> None:
        self._model = load_yes_no_model(source.folder, device, prompt.system, (prompt.yes, prompt.no))
        self._prompt = prompt
        self._max_length = max_length
        self._breathe = bench.reporter.breathe

    def score(self, query: str, documents: Sequence[str]) -> Scored:
        before, after = yes_no_parts(self._prompt, query, QUERY_LETTERS)
        asked = [self._model.question(before, as_data(text, len(text)), after, self._max_length) for text in documents]
        found = self._model.answers([ids for ids, _ in asked], on_batch=lambda _: self._breathe())
        return Scored(found.scores, np.array([is_cut for _, is_cut in asked]), found.shares)


def local_source(plan: Plan) -> ModelSource:
    """Return the plan's local teacher, checked.

    Raises RerankError `teacher_without_head`, `teacher_not_causal`, `teacher_longer_than_model`, what `find_model`
    and, for a language model, what `load_prompt` raises.
    """
    local = plan.local_teacher
    source = find_model(local.model.strip())
    if plan.teacher == "cross-encoder" and not source.has_head:
        raise RerankError("teacher_without_head", model=source.name)
    if plan.teacher == "causal-lm":
        if not source.is_causal:
            raise RerankError("teacher_not_causal", model=source.name)
        load_prompt("yes_no", local.prompt, local.language)
    if source.max_length is not None and local.max_length > source.max_length:
        raise RerankError(
            "teacher_longer_than_model", model=source.name, max_length=local.max_length, most=source.max_length
        )
    return source


def _n_bytes(source: ModelSource) -> int:
    return sum(path.stat().st_size for path in source.folder.glob("*.safetensors"))


class LocalTeacher:
    """A plan's local teacher; its model loads when something has to be scored.

    Scores are kept under the digest of model, reading, numerics and texts, one query's documents together, so that
    they are the same whatever was scored before.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.source = local_source(bench.plan)
        plan, local = bench.plan, bench.plan.local_teacher
        self.prompt = load_prompt("yes_no", local.prompt, local.language) if plan.teacher == "causal-lm" else None
        # A language model reads a document from its beginning: its question has no passages.
        self._reading = Reading(local.max_length, plan.passages if self.prompt is None else "first")
        self.identity: list[Any] = [
            plan.teacher,
            self.source.digest,
            [self._reading.max_length, self._reading.passages],
            None if self.prompt is None else self.prompt.digest,
            bench.device.numerics(),
        ]
        self._folder = room("teacher") / digest_of(self.identity)
        self._known: dict[str, pd.DataFrame] | None = None

    @cached_property
    def _model(self) -> Model:
        self._bench.reporter.progress(phase="loading_teacher")
        device, local = self._bench.device, self._bench.plan.local_teacher
        if self.prompt is None:
            return _Reranker(self.source, self._reading, device, self._bench)
        return _LanguageModel(self.source, self.prompt, local.max_length, device, self._bench)

    def score(self, tasks: Sequence[Task], phase: str = "teaching") -> pd.DataFrame:
        """Return the scores of the tasks' documents: query_id, doc_id, score, is_cut, share, seconds, is_known.

        seconds: of the device, for this document, when it was scored. Raises RerankError `budget_spent` and what
        the models raise; what was scored until then is kept.
        """
        known = self._read()
        keys = [digest_of([task.query, list(task.documents)]) for task in tasks]
        missing = [(key, task) for key, task in zip(keys, tasks, strict=True) if key not in known]
        fresh: dict[str, pd.DataFrame] = {}
        new: set[str] = set()
        if missing:
            weight = self._weight()
            model = self._model
            meter, reporter = self._bench.meter, self._bench.reporter
            reporter.progress(phase=phase)
            meter.expect(scored_pairs=weight * sum(len(task.documents) for _, task in missing))
            saved = time.monotonic()
            try:
                for key, task in missing:
                    if key not in new:  # two queries can ask the same
                        fresh[key] = self._timed(model, task)
                        new.add(key)
                    meter.did(scored_pairs=weight * len(task.documents))
                    meter.check_budget()
                    if time.monotonic() - saved >= SAVE_SECONDS:
                        self._write(fresh)
                        saved = time.monotonic()
            finally:
                self._write(fresh)
        parts = [
            known[key].assign(query_id=task.query_id, doc_id=list(task.doc_ids), is_known=key not in new)
            for key, task in zip(keys, tasks, strict=True)
        ]
        columns = ["query_id", "doc_id", "score", "is_cut", "share", "seconds", "is_known"]
        if not parts:
            return pd.DataFrame({name: [] for name in columns})
        return pd.concat(parts, ignore_index=True)[columns]

    def _timed(self, model: Model, task: Task) -> pd.DataFrame:
        begun = time.perf_counter()
        found = model.score(task.query, task.documents)
        synchronize(self._bench.device)
        seconds = (time.perf_counter() - begun) / max(1, len(task.documents))
        return pd.DataFrame({"score": found.scores, "is_cut": found.is_cut, "share": found.share, "seconds": seconds})

    def _read(self) -> dict[str, pd.DataFrame]:
        if self._known is None:
            self._known = {}
            for path in sorted(self._folder.glob("*.parquet")):
                stored = read_or_none(read_parquet, path)
                if stored is None:
                    continue
                for key, rows in stored.groupby("key", sort=False):
                    self._known.setdefault(str(key), rows.drop(columns="key").reset_index(drop=True))
        return self._known

    def _write(self, fresh: dict[str, pd.DataFrame]) -> None:
        """Keep what is new, a file for each time: files appear whole and are never changed."""
        if not fresh:
            return
        rows = pd.concat([part.assign(key=key) for key, part in fresh.items()], ignore_index=True)
        write_parquet(self._folder / f"{digest_of(sorted(fresh))}.parquet", rows)
        self._read().update(fresh)
        fresh.clear()

    def seconds_per_pair(self) -> float:
        """Return how long a pair takes on this device, measured once on the plan's own candidates and kept."""
        bench = self._bench
        path = room("calibrations") / f"{digest_of(['teacher', self.identity, bench.dataset.digest])}.json"
        known = read_or_none(read_json, path)
        if known is not None:
            return float(known["seconds_per_pair"])
        rng = np.random.default_rng(0)
        rows = bench.candidates.iloc[rng.permutation(len(bench.candidates))[:N_TIMED]]
        queries, documents = bench.texts({rows["query_id"].iloc[0]}, set(rows["doc_id"]))
        texts = [documents[doc] for doc in rows["doc_id"]]
        task = Task("", next(iter(queries.values())), tuple(rows["doc_id"]), texts)
        self._model.score(task.query, texts[:2])  # the first call pays for start-up
        seconds = float(self._timed(self._model, task)["seconds"].mean())
        write_json(path, {"seconds_per_pair": seconds})
        return seconds

    def _weight(self) -> float:
        """Return about how many of the student's pairs one of the teacher's is worth: the unit of progress."""
        mine, student = (_n_bytes(source) for source in (self.source, self._bench.source))
        return max(1.0, mine / max(1, student) * self._reading.max_length / self._bench.plan.max_length)

    def forecast(self, n_queries: int, n_pairs: int) -> dict[str, Any]:
        """Predict what scoring costs on this device, as if nothing were known: seconds and USD with their range."""
        seconds = self.seconds_per_pair() * n_pairs
        device = self._bench.device
        price = device_price(device.kind, device.name, current_prices())
        low, high = seconds * LOW, seconds * HIGH
        return {
            "model": self.source.name,
            "n_queries": n_queries,
            "n_pairs": n_pairs,
            "seconds": seconds,
            "seconds_low": low,
            "seconds_high": high,
            "usd": compute_usd(seconds, price),
            "usd_low": compute_usd(low, price),
            "usd_high": compute_usd(high, price),
        }

    def ask(self, probes: pd.DataFrame) -> NDArray[np.float64]:
        """Return scores of texts that are not in the dataset (query_id, doc_id, text), row by row."""
        queries, _ = self._bench.texts(set(probes["query_id"]), ())
        scores = np.empty(len(probes), dtype=np.float64)
        places = [list(rows) for rows in probes.groupby("query_id", sort=False).indices.values()]
        texts, names = list(probes["text"]), list(probes["query_id"])
        tasks = [
            Task(names[rows[0]], queries[names[rows[0]]], tuple(map(str, rows)), tuple(texts[row] for row in rows))
            for rows in places
        ]
        found = self.score(tasks, phase="auditing")
        scores[[row for rows in places for row in rows]] = found["score"].to_numpy(dtype=np.float64)
        return scores

    def usd(self, scored: pd.DataFrame) -> float:
        """Return what scoring took in USD: the device's seconds at its price, scored before or not."""
        device = self._bench.device
        return compute_usd(float(scored["seconds"].sum()), device_price(device.kind, device.name, current_prices()))

    def release(self) -> None:
        """Give the model's memory back; it loads again when something has to be scored."""
        self.__dict__.pop("_model", None)
        make_room(self._bench.device.kind)

    def record(self, scored: pd.DataFrame) -> dict[str, Any]:
        """Return what a result says about this teacher: identity, how much it scored and what that took."""
        plan, local = self._bench.plan, self._bench.plan.local_teacher
        n = len(scored)
        is_asked = self.prompt is not None
        return {
            "teacher": plan.teacher,
            "model": self.source.name,
            "model_digest": self.source.digest,
            "prompt": f"yes_no-{local.prompt}-{local.language}" if is_asked else None,
            "prompt_sha256": self.prompt.digest if self.prompt is not None else None,
            "max_length": local.max_length,
            "depth": local.depth,
            "n_queries": int(scored["query_id"].nunique()),
            "n_pairs": n,
            "n_known": int(scored["is_known"].sum()),
            "n_truncated_pairs": int(scored["is_cut"].sum()),
            "answer_share": float(scored["share"].mean()) if n and is_asked else None,
            "device_seconds": float(scored["seconds"].sum()),
        }
