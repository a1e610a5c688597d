"""The rows that an audit looks at: every candidate that the teacher scored, with what is known about it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.intake.dataset import Dataset
from rerank.retrieval.candidates import document_text
from rerank.retrieval.tokens import tokens_of

KEY = ["query_id", "doc_id"]
UNJUDGED = -1


def scored_pairs(dataset: Dataset, candidates: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return candidates that the teacher scored, of queries with at least two of them, in the candidates' order.

    candidates: query_id, doc_id, rank and any further columns, which stay. Added: `teacher` (its score), `grade`
    (-1 when unjudged), `length` (letters of the document) and `overlap` (share of the query's words in it, 0-1).
    """
    said = scores[[*KEY, "score"]].rename(columns={"score": "teacher"})
    rows = candidates.merge(said, on=KEY, how="inner")
    rows = rows[rows.groupby("query_id")["doc_id"].transform("size") > 1]
    rows = rows.merge(dataset.judgments[[*KEY, "grade"]], on=KEY, how="left")
    rows["grade"] = rows["grade"].fillna(UNJUDGED).astype(int)
    chosen = dataset.documents[dataset.documents["doc_id"].isin(set(rows["doc_id"]))]
    texts = {
        str(doc_id): document_text(str(title), str(text))
        for doc_id, title, text in zip(chosen["doc_id"], chosen["title"], chosen["text"], strict=True)
    }
    spoken = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    rows["length"] = [len(texts.get(doc_id, "")) for doc_id in rows["doc_id"]]
    rows["overlap"] = _overlap(rows, spoken, texts)
    return rows.reset_index(drop=True)


def _overlap(rows: pd.DataFrame, spoken: dict[str, str], texts: dict[str, str]) -> list[float]:
    words = {doc_id: set(tokens_of(text)) for doc_id, text in texts.items()}
    asked = {query_id: set(tokens_of(str(spoken[query_id]))) for query_id in set(rows["query_id"])}
    found = []
    for query_id, doc_id in zip(rows["query_id"], rows["doc_id"], strict=True):
        query = asked[query_id]
        found.append(len(query & words.get(doc_id, set())) / len(query) if query else 0.0)
    return found


def place_of(rows: pd.DataFrame, column: str, *, best_first: bool) -> NDArray[np.float64]:
    """Return every row's place in its query's list by a column, from 0 (first) to 1 (last); ties share a place."""
    grouped = rows.groupby("query_id", sort=False)[column]
    rank = grouped.rank(method="average", ascending=not best_first)
    size = grouped.transform("size")
    return ((rank - 1) / (size - 1).clip(lower=1)).to_numpy(dtype=np.float64)


def judged_queries(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the judged rows of queries whose judged documents have more than one grade."""
    judged = rows[rows["grade"] != UNJUDGED]
    several = judged.groupby("query_id")["grade"].transform("nunique") > 1
    return judged[several].reset_index(drop=True)
