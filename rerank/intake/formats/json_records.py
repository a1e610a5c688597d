"""A JSON array of objects, alone or as the only list in an object."""

from rerank.intake.content import Content
from rerank.intake.formats.jsonl import as_text, flat, without_rare_columns
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, rows_of


def _records(document: object) -> list[object] | None:
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list) and value]
        if len(lists) == 1 and all(isinstance(item, dict) for item in lists[0]):
            return lists[0]
    return None


def sniff(content: Content) -> bool:
    """Say whether the file is one list."""
    return _records(content.document) is not None


def read(content: Content) -> list[Table]:
    """Return the rows; `line` counts the list's items from 1, what is no object is refused."""
    kept = []
    for number, item in enumerate(_records(content.document) or [], start=1):
        if not isinstance(item, dict):
            value = as_text(item)
            refuse(content.ledger, "error", "json_not_an_object", content.file, number, value, value)
            continue
        record = flat(item)
        if not all(is_storable(name) and is_storable(value) for name, value in record.items()):
            value = as_text(item)
            refuse(content.ledger, "error", "character_not_allowed", content.file, number, value, value)
            continue
        kept.append((number, record))
    return [Table(rows_of(without_rare_columns(kept, content.file, content.ledger)), "json_records")]
