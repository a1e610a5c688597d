"""Judgments or a run as `{query: {document: number}}`, as pytrec_eval and ranx write them."""

import re

from rerank.intake.content import Content
from rerank.intake.formats.jsonl import as_text
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, fixed, rows_of

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_WHOLE = re.compile(r"[+-]?\d+\Z")


def sniff(content: Content) -> bool:
    """Say whether every value is an object of numbers."""
    document = content.document
    if not isinstance(document, dict) or not document:
        return False
    inner = list(document.values())
    return all(isinstance(value, dict) for value in inner) and any(
        _NUMBER.match(as_text(number)) is not None for value in inner[:50] for number in value.values()
    )


def read(content: Content) -> list[Table]:
    """Return judgments when all numbers are small and whole, else candidates or, by the file's name, teacher scores."""
    document = content.document
    kept = []
    number = 0
    for query, documents in document.items() if isinstance(document, dict) else ():
        for doc_id, value in documents.items():
            number += 1
            row = {"query_id": query, "doc_id": doc_id, "score": as_text(value)}
            if all(is_storable(text) for text in row.values()):
                kept.append((number, row))
            else:
                text = " ".join(row.values())
                refuse(content.ledger, "error", "character_not_allowed", content.file, number, text, text)
    rows = rows_of(kept, ("query_id", "doc_id", "score"))
    if all(_WHOLE.match(value) and len(value) <= 3 for value in rows["score"]):
        return [
            fixed(rows.rename(columns={"score": "grade"}), "json_nested", "judgments", ("query_id", "doc_id", "grade"))
        ]
    role = "teacher_scores" if "teacher" in content.file.lower() else "candidates"
    return [fixed(rows, "json_nested", role, ("query_id", "doc_id", "score"))]
