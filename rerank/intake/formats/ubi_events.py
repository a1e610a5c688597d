"""OpenSearch UBI events: what a user did with the results of a search."""

import json

from rerank.intake.formats.columns import has, names_of
from rerank.intake.noting import Ledger
from rerank.intake.tables import LINE, Table, fixed, rows_of

_DOCUMENTS = ("event_attributes.object.object_id", "object_id", "event_attributes.object_id")
_POSITIONS = ("event_attributes.position.ordinal", "ordinal", "position")


def sniff(table: Table) -> bool:
    """Say whether the columns are UBI's: an action and the search it belongs to."""
    names = names_of(table)
    return has(table, "action_name", "query_id") and (
        "event_attributes" in names or any(name.startswith("event_attributes.") or name in _DOCUMENTS for name in names)
    )


def _inner(cell: str, *path: str) -> str:
    """Return a value inside a cell of JSON, "" when it is not there."""
    try:
        found = json.loads(cell, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return ""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def read(table: Table, _file: str, _ledger: Ledger) -> list[Table]:
    """Return the events on documents; other events, such as typing, are no clicks and are left."""
    names = names_of(table)
    kept = []
    for row in table.rows.to_dict("records"):
        document = next((str(row[names[name]]) for name in _DOCUMENTS if row.get(names.get(name, ""))), "")
        position = next((str(row[names[name]]) for name in _POSITIONS if row.get(names.get(name, ""))), "")
        whole = str(row.get(names.get("event_attributes", ""), ""))
        inner = str(row.get(names.get("event_attributes.object", ""), ""))
        place = str(row.get(names.get("event_attributes.position", ""), ""))
        document = document or _inner(whole, "object", "object_id") or _inner(inner, "object_id")
        position = position or _inner(whole, "position", "ordinal") or _inner(place, "ordinal")
        if not document:
            continue
        search = str(row[names["query_id"]])
        query = str(row.get(names.get("user_query", ""), "")) or search
        fields = {"search": search, "query_id": query, "doc_id": document, "position": position}
        kept.append((int(row[LINE]), {**fields, "event": str(row[names["action_name"]])}))
    wanted = ("search", "query_id", "doc_id", "position", "event")
    return [fixed(rows_of(kept, wanted), "ubi_events", "clicks", wanted)]
