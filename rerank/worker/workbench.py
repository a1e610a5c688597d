"""What every step of an experiment has at hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rerank.intake.dataset import Dataset
from rerank.models.devices import Device
from rerank.models.sources import ModelSource
from rerank.models.token_store import TokenStore
from rerank.planning.plan import Plan
from rerank.planning.splits import Fold
from rerank.retrieval.candidates import document_text
from rerank.worker.meter import Meter
from rerank.worker.reporter import Reporter


@dataclass(frozen=True)
class Workbench:
    """One experiment's inputs, loaded; nothing in it changes but the token store, which fills."""

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

    def tokenize(self, query_ids: Sequence[str], doc_ids: Sequence[str]) -> None:
        """Make sure that the token ids of these queries and documents are in the store."""
        queries = self.dataset.queries
        wanted = queries[queries["query_id"].isin(list(query_ids))]
        self.tokens.add("query", list(wanted["query_id"]), list(wanted["text"]))
        documents = self.dataset.documents
        chosen = documents[documents["doc_id"].isin(list(doc_ids))]
        texts = [document_text(title, text) for title, text in zip(chosen["title"], chosen["text"], strict=True)]
        self.tokens.add("document", list(chosen["doc_id"]), texts)
