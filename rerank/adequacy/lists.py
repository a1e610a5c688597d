"""The first ten of the searches that need no training: what a judge would be asked about."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rerank.intake.dataset import Dataset
from rerank.retrieval.candidates import bm25_of, top

DEPTH = 10
MAX_DOCUMENTS = 100_000  # above it indexing takes longer than a page may: the user's own run serves alone
MAX_SEARCHED = 2_000

Lists = Mapping[str, pd.DataFrame]


def first_ten(dataset: Dataset, query_ids: Sequence[str], computed: Lists | None = None) -> dict[str, pd.DataFrame]:
    """Return the first ten documents per query by system: query_id, doc_id, rank (from 1).

    `run`: the user's own search, if it was uploaded. `bm25`: over all documents, at most 100,000 of them; at most
    2,000 queries are searched for. computed: other lists that are known already, such as those of the embedding.
    """
    wanted = set(query_ids)
    found = {}
    if dataset.candidates is not None and len(dataset.candidates):
        found["run"] = _cut(dataset.candidates, wanted)
    if len(dataset.documents) <= MAX_DOCUMENTS:
        found["bm25"] = _bm25(dataset, list(query_ids)[:MAX_SEARCHED])
    for name, frame in (computed or {}).items():
        found[name] = _cut(frame, wanted)
    return {name: frame for name, frame in found.items() if len(frame)}


def _cut(frame: pd.DataFrame, wanted: set[str]) -> pd.DataFrame:
    rows = frame[(frame["rank"] <= DEPTH) & frame["query_id"].isin(wanted)]
    return rows[["query_id", "doc_id", "rank"]].sort_values(["query_id", "rank"], kind="stable", ignore_index=True)


def _bm25(dataset: Dataset, query_ids: Sequence[str]) -> pd.DataFrame:
    index = bm25_of(dataset)
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    doc_ids = dataset.documents["doc_id"].to_numpy()
    queries: list[str] = []
    documents: list[str] = []
    ranks: list[int] = []
    for query_id in query_ids:
        scores = index.scores(str(texts[query_id]))
        places = top(scores, DEPTH)
        places = places[scores[places] > 0]
        queries += [query_id] * len(places)
        documents += doc_ids[places].tolist()
        ranks += np.arange(1, len(places) + 1).tolist()
    return pd.DataFrame({"query_id": queries, "doc_id": documents, "rank": ranks})
