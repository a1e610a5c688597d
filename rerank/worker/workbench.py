"""What every step of an experiment has at hand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from rerank.intake.dataset import Dataset
from rerank.models.devices import Device
from rerank.models.passages import Reading
from rerank.models.sources import ModelSource
from rerank.models.token_store import TokenStore
from rerank.planning.graph import StageNode
from rerank.planning.plan import Plan
from rerank.planning.splits import Fold, part_of
from rerank.retrieval.candidates import document_text
from rerank.retrieval.unlabelled import UnlabelledQuery
from rerank.worker.meter import Meter
from rerank.worker.reporter import Reporter


def named(candidates: pd.DataFrame) -> list[tuple[str, str]]:
    """Return candidates as (query id, document id), row by row."""
    return list(zip(candidates["query_id"], candidates["doc_id"], strict=True))


@dataclass(frozen=True)
class Workbench:
    """One experiment's inputs, loaded; nothing in it changes but the token store and the choices, which fill.

    unlabelled: what distillation learns from besides. choices: the trial that a search chose, by kind of training
    and fold. lanes: how many stages are trained side by side on the device.
    """

    plan: Plan
    dataset: Dataset
    folds: tuple[Fold, ...]
    device: Device
    source: ModelSource
    tokens: TokenStore
    candidates: pd.DataFrame
    candidates_digest: str
    reporter: Reporter
    meter: Meter
    unlabelled: tuple[UnlabelledQuery, ...] = ()
    choices: dict[tuple[str, int], int] = field(default_factory=dict)
    lanes: int = 1

    @property
    def training_device(self) -> Device:
        """Return the device as one training has it: on a CPU the lanes share its threads."""
        if self.device.kind != "cpu" or self.lanes == 1:
            return self.device
        return replace(self.device, n_threads=max(1, self.device.n_threads // self.lanes))

    def fold_of(self, node: StageNode) -> Fold:
        """Return a training's fold, with fewer training queries for a point of the learning curve."""
        return part_of(self.folds[node.fold], node.share, self.plan.split.seed)

    def candidates_of(self, query_ids: Sequence[str]) -> pd.DataFrame:
        """Return the candidate lists of some queries, in the order of `query_ids`."""
        place = {query_id: position for position, query_id in enumerate(query_ids)}
        part = self.candidates[self.candidates["query_id"].isin(list(place))]
        order = part["query_id"].map(place)
        return (
            part.assign(place=order)
            .sort_values(["place", "rank"], kind="stable")
            .drop(columns="place")
            .reset_index(drop=True)
        )

    @property
    def reading(self) -> Reading:
        """Return how the plan reads documents that are longer than a pair."""
        return Reading(self.plan.max_length, self.plan.passages)

    def scored_pairs(self, query_ids: Sequence[str]) -> int:
        """Return how many pairs a model scores to rank these queries' candidates; every passage counts."""
        return sum(self._scored_pairs.get(query_id, 0) for query_id in query_ids)

    @cached_property
    def _scored_pairs(self) -> Mapping[str, int]:
        rows = self.candidates
        counts = pd.Series(1, index=rows.index)
        if self.reading.passages != "first":
            self.tokenize(list(rows["query_id"]), list(rows["doc_id"]))
            counts[:] = self.reading.lengths(self.tokens, named(rows))[0]
        return {str(query): int(number) for query, number in counts.groupby(rows["query_id"]).sum().items()}

    def texts(self, query_ids: Collection[str], doc_ids: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the texts of some queries and of some documents, by id."""
        queries, documents = self.dataset.queries, self.dataset.documents
        asked = queries[queries["query_id"].isin(list(query_ids))]
        chosen = documents[documents["doc_id"].isin(list(doc_ids))]
        read = [document_text(title, text) for title, text in zip(chosen["title"], chosen["text"], strict=True)]
        return (
            dict(zip(asked["query_id"], asked["text"], strict=True)),
            dict(zip(chosen["doc_id"], read, strict=True)),
        )

    def tokenize_unlabelled(self, doc_ids: Collection[str]) -> None:
        """Make sure that the unlabelled queries and these of their candidates are in the store.

        A pseudo-query's own document is there without the words that the query was taken from.
        """
        rests = {item.rest_id: item.rest for item in self.unlabelled if item.is_pseudo}
        self.tokens.add("query", [item.query_id for item in self.unlabelled], [item.text for item in self.unlabelled])
        self.tokens.add("document", list(rests), list(rests.values()))
        self.tokenize((), sorted(set(doc_ids) - set(rests)))

    def tokenize(self, query_ids: Sequence[str], doc_ids: Sequence[str]) -> None:
        """Make sure that the token ids of these queries and documents are in the store."""
        queries, documents = self.texts(query_ids, doc_ids)
        self.tokens.add("query", list(queries), list(queries.values()))
        self.tokens.add("document", list(documents), list(documents.values()))
