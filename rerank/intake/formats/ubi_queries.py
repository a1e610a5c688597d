"""OpenSearch UBI queries: one search per row with the documents that were shown."""

from rerank.intake.formats.columns import has, list_in, names_of
from rerank.intake.noting import Ledger
from rerank.intake.tables import LINE, Table, fixed, rows_of


def sniff(table: Table) -> bool:
    """Say whether the columns are UBI's: what was asked and which documents were shown."""
    return has(table, "query_id", "user_query", "query_response_hit_ids")


def read(table: Table, _file: str, _ledger: Ledger) -> list[Table]:
    """Return an impression for every document that was shown, and the queries by their text."""
    names = names_of(table)
    kept, queries = [], []
    columns = [names[name] for name in ("query_id", "user_query", "query_response_hit_ids")]
    for line, search, query, hits in table.rows[[LINE, *columns]].itertuples(index=False, name=None):
        listed = list_in(hits)
        shown = listed if listed is not None else [part.strip() for part in hits.split(",") if part.strip()]
        queries.append((int(line), {"query_id": query, "text": query}))
        for place, document in enumerate(shown, start=1):
            row = {"search": search, "query_id": query, "doc_id": document, "position": str(place)}
            kept.append((int(line), {**row, "event": "impression"}))
    fields = ("search", "query_id", "doc_id", "position", "event")
    return [
        fixed(rows_of(kept, fields), "ubi_queries", "clicks", fields),
        fixed(rows_of(queries, ("query_id", "text")), "ubi_queries", "derived_queries", ("query_id", "text")),
    ]
