"""Click logs: one row per impression or click, `timestamp,session_id,query,doc_id,position,event`."""

from rerank.intake.formats.columns import document_column, names_of, query_column, renamed
from rerank.intake.noting import Ledger
from rerank.intake.tables import Table, fixed

_EVENTS = ("event", "event_type", "action", "action_name", "clicked", "click", "イベント", "操作")
_POSITIONS = ("position", "rank", "ordinal", "doc_position", "順位", "表示順位")


def _column(table: Table, wanted: tuple[str, ...]) -> str | None:
    names = names_of(table)
    return next((names[name] for name in wanted if name in names), None)


def sniff(table: Table) -> bool:
    """Say whether rows name a query, a document and what the user did."""
    return (
        query_column(table) is not None and document_column(table) is not None and _column(table, _EVENTS) is not None
    )


def read(table: Table, _file: str, _ledger: Ledger) -> list[Table]:
    """Return events; they become implicit grades when all files are together."""
    query, document = query_column(table), document_column(table)
    event, position = _column(table, _EVENTS), _column(table, _POSITIONS)
    if query is None or document is None or event is None:
        return []
    rows = renamed(table, {"query_id": query, "doc_id": document, "event": event})
    rows["position"] = table.rows[position] if position is not None else ""
    fields = ("query_id", "doc_id", "position", "event")
    return [
        fixed(rows, "click_log", "clicks", fields),
        Table(table.rows, "click_log", role="pairs", mapping={"query_id": query, "doc_id": document}),
    ]
