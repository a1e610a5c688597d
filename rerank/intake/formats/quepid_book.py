"""Quepid's book as JSON: `query_doc_pairs` with every judge's judgements."""

import json

from rerank.intake.content import Content
from rerank.intake.formats.jsonl import as_text
from rerank.intake.noting import is_storable, note, refuse
from rerank.intake.tables import Table, fixed, rows_of

_TITLES = ("title", "name", "product_name", "Title")
_TEXTS = ("text", "description", "body", "content", "overview", "short_description")


def sniff(content: Content) -> bool:
    """Say whether the document has `query_doc_pairs`."""
    return isinstance(content.document, dict) and isinstance(content.document.get("query_doc_pairs"), list)


def _fields(pair: dict[str, object]) -> dict[str, object]:
    """Return a pair's document fields, which Quepid writes as JSON in a text."""
    found = pair.get("document_fields")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


def _first(fields: dict[str, object], names: tuple[str, ...]) -> str:
    return next((as_text(fields[name]) for name in names if fields.get(name)), "")


def read(content: Content) -> list[Table]:
    """Return one rating per judge, with the queries and what is known of the documents; `line` counts the pairs.

    Judgements that were postponed, or of pairs that cannot be rated, are no ratings and are counted.
    """
    document = content.document
    pairs = document["query_doc_pairs"] if isinstance(document, dict) else []
    ratings, queries, documents = [], [], []
    n_unrated = 0
    for number, pair in enumerate(pairs, start=1):
        if not isinstance(pair, dict) or not is_storable(as_text(pair)):
            value = as_text(pair)
            refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
            continue
        query, doc_id = as_text(pair.get("query_text")), as_text(pair.get("doc_id"))
        queries.append((number, {"query_id": query, "text": query}))
        fields = _fields(pair)
        title, text = _first(fields, _TITLES), _first(fields, _TEXTS)
        if is_storable(title + text):
            documents.append((number, {"doc_id": doc_id, "title": title, "text": text}))
        found = pair.get("judgements")
        for place, judgement in enumerate(found if isinstance(found, list) else [], start=1):
            if not isinstance(judgement, dict):
                continue
            if judgement.get("unrateable") or judgement.get("judge_later") or judgement.get("rating") in (None, ""):
                n_unrated += 1
                continue
            rater = as_text(judgement.get("user_email") or judgement.get("user_id") or f"judge {place}")
            row = {"query_id": query, "doc_id": doc_id, "rater": rater, "grade": as_text(judgement["rating"])}
            ratings.append((number, row))
    if n_unrated:
        content.ledger.findings.append(note("info", "ratings_postponed", content.file, n_ratings=n_unrated))
    fields_of = {
        "ratings": ("query_id", "doc_id", "rater", "grade"),
        "derived_queries": ("query_id", "text"),
        "derived_documents": ("doc_id", "title", "text"),
    }
    found_rows = {"ratings": ratings, "derived_queries": queries, "derived_documents": documents}
    return [fixed(rows_of(found_rows[role], names), "quepid_book", role, names) for role, names in fields_of.items()]
