"""What a teacher that is asked for something is asked about: queries with the texts of their candidates."""

from collections.abc import Collection, Mapping

import pandas as pd

from rerank.planning.plan import LANGUAGE_MODELS
from rerank.teacher.language_model import Task
from rerank.worker.workbench import Workbench


def judged_tasks(bench: Workbench) -> list[Task]:
    """Return what the teacher is asked about judged queries: development queries first, then training ones.

    Queries of a sealed test set are not asked about. Without folds nothing is sealed.
    """
    dev = {query for fold in bench.folds for query in fold.dev}
    train = {query for fold in bench.folds for query in fold.train}
    rows = bench.candidates
    if bench.folds:
        rows = rows[rows["query_id"].isin(dev | train)]
    queries, documents = bench.texts(set(rows["query_id"]), set(rows["doc_id"]))
    return _tasks(bench, rows, queries, documents, first=dev)


def unlabelled_tasks(bench: Workbench, rows: pd.DataFrame) -> list[Task]:
    """Return what the teacher is asked about unlabelled queries. rows: query_id, doc_id, rank of their candidates."""
    rests = {item.rest_id: item.rest for item in bench.unlabelled if item.is_pseudo}
    _, documents = bench.texts((), set(rows["doc_id"]) - set(rests))
    queries = {item.query_id: item.text for item in bench.unlabelled}
    return _tasks(bench, rows, queries, documents | rests, first=())


def _tasks(
    bench: Workbench,
    rows: pd.DataFrame,
    queries: Mapping[str, str],
    documents: Mapping[str, str],
    first: Collection[str],
) -> list[Task]:
    plan = bench.plan
    depth = plan.llm.depth if plan.teacher in LANGUAGE_MODELS else plan.local_teacher.depth
    rows = rows[rows["rank"] <= depth].sort_values("rank", kind="stable")
    listed = {
        str(query): list(docs) for query, docs in rows.groupby("query_id", sort=False)["doc_id"].agg(list).items()
    }
    return [
        Task(query, queries[query], tuple(listed[query]), tuple(documents[doc] for doc in listed[query]))
        for query in sorted(listed, key=lambda query: (query not in first, query))
        if len(listed[query]) > 1
    ]
