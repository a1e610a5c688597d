"""Irrelevant documents with the query written into them: does the teacher fall for its words?"""

import numpy as np
import pandas as pd

from rerank.audit.answers import Asker
from rerank.audit.intervals import Measured, mean_of
from rerank.audit.pairs import UNJUDGED
from rerank.intake.dataset import Dataset
from rerank.planning.splits import spread
from rerank.retrieval.candidates import document_text

MAX_QUERIES = 60
PER_QUERY = 2


def probes_of(dataset: Dataset, rows: pd.DataFrame, relevant_grade: int) -> pd.DataFrame:
    """Return up to two irrelevant documents of up to 60 queries with the query before their text.

    Judged as irrelevant, the last ones of the first stage. Columns: query_id, doc_id, text, teacher (its score of
    the document as it is), best (its highest score of a relevant document of the query).
    """
    relevant = rows[rows["grade"] >= relevant_grade].groupby("query_id")["teacher"].max()
    poor = rows[(rows["grade"] != UNJUDGED) & (rows["grade"] < relevant_grade)]
    poor = poor[poor["query_id"].isin(set(relevant.index))]
    # A document that the teacher puts above every relevant one already can show nothing.
    poor = poor[poor["teacher"].to_numpy() <= poor["query_id"].map(relevant).to_numpy()]
    chosen = spread(list(dict.fromkeys(poor["query_id"])), MAX_QUERIES)
    poor = poor[poor["query_id"].isin(chosen)].groupby("query_id", sort=False).tail(PER_QUERY)
    queries = dataset.queries.set_index("query_id")["text"]
    documents = dataset.documents.set_index("doc_id")
    texts = []
    for query_id, doc_id in zip(poor["query_id"], poor["doc_id"], strict=True):
        document = documents.loc[doc_id]
        whole = document_text(str(document["title"]), str(document["text"]))
        texts.append(document_text(str(queries[query_id]), whole))
    best = poor["query_id"].map(relevant)
    return poor[["query_id", "doc_id"]].assign(text=texts, teacher=poor["teacher"], best=best).reset_index(drop=True)


def fooled(probes: pd.DataFrame, ask: Asker | None) -> Measured:
    """Return the share of probed documents that now stand above every relevant one, 0 to 1, mean over queries."""
    if ask is None or probes.empty:
        return Measured()
    scores = ask(probes[["query_id", "doc_id", "text"]])
    return risen(probes[["query_id"]].assign(rose=(scores > probes["best"].to_numpy(dtype=np.float64)).astype(float)))


def risen(probed: pd.DataFrame) -> Measured:
    """Return the share of probed documents that rose above every relevant one, mean over queries: query_id, rose."""
    return mean_of(np.asarray(probed.groupby("query_id")["rose"].mean(), dtype=np.float64), 0, 1)
