"""Judgments out of and into a task: the product's own table, TREC, Quepid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.additions import read_ratings
from rerank.intake.dataset import Dataset
from rerank.intake.findings import Finding
from rerank.intake.noting import RejectedRow
from rerank.intake.pairs import KEY
from rerank.intake.sources import Source
from rerank.judging.pool import people_judged
from rerank.judging.tasks import Task
from rerank.store import judging


def ratings_table(dataset: Dataset, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return the product's own table: query_id, doc_id, rater, rating, and query_text and title for people.

    The intake reads it as `raters_long`.
    """
    queries, titles = _texts(dataset)
    return pd.DataFrame(
        {
            "query_id": ratings["query_id"],
            "doc_id": ratings["doc_id"],
            "rater": ratings["rater"],
            "rating": ratings["grade"],
            "query_text": [queries.get(query_id, "") for query_id in ratings["query_id"]],
            "title": [titles.get(doc_id, "") for doc_id in ratings["doc_id"]],
        }
    )


def quepid_ratings(dataset: Dataset, judgments: pd.DataFrame) -> pd.DataFrame:
    """Return judgments as Quepid imports them into a case: query (its text), docid, rating."""
    queries, _ = _texts(dataset)
    return pd.DataFrame(
        {
            "query": [queries.get(query_id, query_id) for query_id in judgments["query_id"]],
            "docid": judgments["doc_id"],
            "rating": judgments["grade"],
        }
    )


def quepid_book(dataset: Dataset, task: Task, ratings: pd.DataFrame) -> dict[str, Any]:
    """Return a task as a Quepid book: every pair with its document and every rater's judgement, unjudged ones too."""
    queries, _ = _texts(dataset)
    documents = dataset.documents.set_index("doc_id")
    said: dict[tuple[str, str], list[dict[str, object]]] = {}
    for rater, *pair, grade in ratings[["rater", *KEY, "grade"]].itertuples(index=False, name=None):
        said.setdefault((pair[0], pair[1]), []).append({"rating": int(grade), "user_email": rater})
    pairs = []
    for query_id, doc_id, _ in judging.read_pairs(task.id):
        fields = documents.loc[doc_id] if doc_id in documents.index else {"title": "", "text": ""}
        pairs.append(
            {
                "query_text": queries.get(query_id, query_id),
                "doc_id": doc_id,
                "document_fields": {"title": str(fields["title"]), "text": str(fields["text"])},
                "judgements": said.get((query_id, doc_id), []),
            }
        )
    return {
        "name": task.name,
        "scale": list(range(len(task.settings.meanings))),
        "scale_with_labels": {str(grade): text for grade, text in enumerate(task.settings.meanings)},
        "query_doc_pairs": pairs,
    }


def _texts(dataset: Dataset) -> tuple[dict[str, str], dict[str, str]]:
    return (
        dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True)),
        dict(zip(dataset.documents["doc_id"], dataset.documents["title"], strict=True)),
    )


@dataclass(frozen=True)
class Imported:
    """What came of files: marks that were written, by how many raters, and what was left aside and why.

    n_known: people have judged the pair in the dataset already. n_off_scale: above the task's highest grade.
    """

    n_marks: int
    n_raters: int
    n_new_pairs: int
    n_known: int
    n_off_scale: int
    findings: tuple[Finding, ...]
    rejected: tuple[RejectedRow, ...]


def import_ratings(task: Task, dataset: Dataset, sources: Sequence[Source], rater: str) -> Imported:
    """Add the ratings of files in any format that the intake reads; judgments without a rater become `rater`'s.

    All or nothing is written. A pair that the task lacks joins it, with the priority of an unknown one (0). The same
    file twice changes nothing. Raises RerankError `nothing_to_import`.
    """
    draft = read_ratings(sources, dataset)
    single = draft.frames["judgments"].assign(rater=rater)
    rows = pd.concat([draft.frames["ratings"], single], ignore_index=True)[[*KEY, "rater", "grade"]]
    rows = rows.astype({"grade": "int64"})
    highest = len(task.settings.meanings) - 1
    known = pd.MultiIndex.from_frame(rows[KEY]).isin(pd.MultiIndex.from_frame(people_judged(dataset)[KEY]))
    off_scale = ~known & (rows["grade"] > highest).to_numpy(dtype=bool)
    kept = rows[~known & ~off_scale]
    if kept.empty:
        raise RerankError("nothing_to_import", highest=highest)
    there = {(query_id, doc_id) for query_id, doc_id, _ in judging.read_pairs(task.id)}
    pairs = list(dict.fromkeys(zip(kept["query_id"], kept["doc_id"], strict=True)))
    new = [(query_id, doc_id, 0.0) for query_id, doc_id in pairs if (query_id, doc_id) not in there]
    said = _last_grades(judging.read_marks(task.id))
    marks = [
        (str(name), str(query_id), str(doc_id), int(grade))
        for name, query_id, doc_id, grade in kept[["rater", *KEY, "grade"]].itertuples(index=False, name=None)
        if said.get((name, query_id, doc_id)) != grade
    ]
    judging.import_marks(task.id, new, marks)
    return Imported(
        len(marks),
        int(kept["rater"].nunique()),
        len(new),
        int(known.sum()),
        int(off_scale.sum()),
        tuple(draft.findings),
        tuple(draft.rejected),
    )


def _last_grades(marks: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], int]:
    return {
        (mark["rater"], mark["query_id"], mark["doc_id"]): mark["grade"] for mark in marks if mark["grade"] is not None
    }
