"""Elasticsearch `_rank_eval` requests: `requests[]{id, request{query}, ratings[]{_index, _id, rating}}`."""

from collections.abc import Iterator

from rerank.intake.content import Content
from rerank.intake.formats.jsonl import as_text
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, fixed, rows_of


def sniff(content: Content) -> bool:
    """Say whether there are requests with ratings."""
    document = content.document
    requests = document.get("requests") if isinstance(document, dict) else None
    return isinstance(requests, list) and any(isinstance(item, dict) and "ratings" in item for item in requests)


def _texts(value: object, key: str = "") -> Iterator[str]:
    """Yield the texts that a search request asks for, whatever kind of query it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("_source", "fields", "type", "operator", "fuzziness", "minimum_should_match", "boost"):
                yield from _texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str) and value.strip():
        yield value


def read(content: Content) -> list[Table]:
    """Return judgments by request id, and queries whose text is the first one in the request; `line` counts ratings."""
    document = content.document
    judgments, queries = [], []
    number = 0
    for request in document["requests"] if isinstance(document, dict) else []:
        ratings = request.get("ratings") if isinstance(request, dict) else None
        if not isinstance(request, dict) or not isinstance(ratings, list) or not is_storable(as_text(request)):
            number += 1
            value = as_text(request)
            refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
            continue
        query_id = as_text(request.get("id"))
        asked = request.get("params") or request.get("request")
        queries.append((number + 1, {"query_id": query_id, "text": next(_texts(asked), query_id)}))
        for rating in ratings:
            number += 1
            if not isinstance(rating, dict):
                value = as_text(rating)
                refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
                continue
            row = {"query_id": query_id, "doc_id": as_text(rating.get("_id")), "grade": as_text(rating.get("rating"))}
            judgments.append((number, row))
    fields = ("query_id", "doc_id", "grade")
    return [
        fixed(rows_of(judgments, fields), "rank_eval", "judgments", fields),
        fixed(rows_of(queries, ("query_id", "text")), "rank_eval", "derived_queries", ("query_id", "text")),
    ]
