"""The queries on which teacher and human disagree most: teacher errors, or label errors."""

from typing import Any

import numpy as np
import pandas as pd

from rerank.audit.agreement import tau_by_query
from rerank.audit.pairs import judged_queries
from rerank.intake.dataset import Dataset

N_SHOWN = 30
TEXT_CHARS = 600
MARKS = ("teacher_error", "label_error", "unclear")


def disagreements(dataset: Dataset, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return up to 30 queries, lowest tau-b first, each with the two documents that speak loudest.

    `above` is what the teacher puts first, `below` the one that the human grades higher: of all pairs that stand the
    wrong way round, the one with the largest gap in grades, then in ranks. Texts are cut at 600 characters.
    """
    taus = tau_by_query(rows)
    taus = taus[taus < 1].sort_values(kind="stable")
    judged = judged_queries(rows)
    ordered = judged.sort_values(["teacher", "rank"], ascending=[False, True], kind="stable")
    queries = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    documents = dataset.documents.set_index("doc_id")
    found = []
    for query_id, tau in zip(map(str, taus.index), taus, strict=True):
        mine = ordered[ordered["query_id"] == query_id].reset_index(drop=True)
        pair = _loudest(mine)
        if pair is None:
            continue
        above, below = (_document(mine.iloc[place], place + 1, documents) for place in pair)
        text = str(queries[query_id])[:TEXT_CHARS]
        found.append({"query_id": query_id, "query": text, "tau": float(tau), "above": above, "below": below})
        if len(found) == N_SHOWN:
            break
    return found


def _loudest(ordered: pd.DataFrame) -> tuple[int, int] | None:
    """Return the places of the pair in the teacher's order that contradicts the grades most, None without one."""
    grades, scores = ordered["grade"].to_numpy(), ordered["teacher"].to_numpy()
    gap = grades[None, :] - grades[:, None]  # of the later over the earlier one
    wrong = np.triu((gap > 0) & (scores[:, None] > scores[None, :]), 1)
    if not wrong.any():
        return None
    places = np.arange(len(grades))
    apart = places[None, :] - places[:, None]
    size = np.where(wrong, gap * len(grades) + apart, -1)
    above, below = np.unravel_index(int(size.argmax()), size.shape)
    return int(above), int(below)


def _document(row: pd.Series, place: int, documents: pd.DataFrame) -> dict[str, Any]:
    known = documents.loc[row["doc_id"]]
    return {
        "doc_id": str(row["doc_id"]),
        "rank": place,
        "grade": int(row["grade"]),
        "title": str(known["title"])[:TEXT_CHARS],
        "text": str(known["text"])[:TEXT_CHARS],
    }
