"""OpenSearch's judgment list: `judgmentRatings[]{query, ratings[]{docId, rating}}`; grades are texts of floats."""

from rerank.intake.content import Content
from rerank.intake.formats.jsonl import as_text
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, fixed, rows_of


def _lists(document: object) -> list[object] | None:
    if isinstance(document, dict):
        inner = document.get("_source", document)
        found = inner.get("judgmentRatings") if isinstance(inner, dict) else None
        return found if isinstance(found, list) else None
    if isinstance(document, list) and document and isinstance(document[0], dict):
        first = document[0]
        if "query" in first and isinstance(first.get("ratings"), list):
            return document
    return None


def sniff(content: Content) -> bool:
    """Say whether there are judgment ratings."""
    return _lists(content.document) is not None


def read(content: Content) -> list[Table]:
    """Return judgments and queries; `line` counts the ratings."""
    judgments, queries = [], []
    number = 0
    for entry in _lists(content.document) or []:
        ratings = entry.get("ratings") if isinstance(entry, dict) else None
        if not isinstance(ratings, list) or not isinstance(entry, dict):
            number += 1
            value = as_text(entry)
            refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
            continue
        query = as_text(entry.get("query"))
        queries.append((number + 1, {"query_id": query, "text": query}))
        for rating in ratings:
            number += 1
            value = as_text(rating)
            if not isinstance(rating, dict) or not is_storable(query + value):
                refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
                continue
            row = {"query_id": query, "doc_id": as_text(rating.get("docId")), "grade": as_text(rating.get("rating"))}
            judgments.append((number, row))
    queries = [(line, row) for line, row in queries if is_storable(row["text"])]
    name = "opensearch_judgments"
    fields = ("query_id", "doc_id", "grade")
    return [
        fixed(rows_of(judgments, fields), name, "judgments", fields),
        fixed(rows_of(queries, ("query_id", "text")), name, "derived_queries", ("query_id", "text")),
    ]
