"""MS MARCO `top1000`: `qid pid query passage` without header and without a score."""

from rerank.intake.formats.columns import renamed, share_whole
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import Table, fixed


def sniff(table: Table) -> bool:
    """Say whether four columns without names hold two ids and two texts."""
    if not table.headerless or len(table.columns) != 4 or table.rows.empty:
        return False
    whole = [share_whole(table.rows[name]) for name in table.columns]
    words = float(table.rows["4"].str.count(" ").mean())
    return whole[0] == whole[1] == 1.0 and whole[2] < 0.5 and whole[3] == 0.0 and words > 2


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return queries and documents; the file has no order, so it is no ranking, and that is told."""
    ledger.findings.append(note("warning", "candidates_without_order", file, n_rows=len(table.rows)))
    queries = renamed(table, {"query_id": "1", "text": "3"}).drop_duplicates("query_id")
    documents = renamed(table, {"doc_id": "2", "text": "4"}).drop_duplicates("doc_id")
    return [
        fixed(queries, "top1000", "derived_queries", ("query_id", "text")),
        fixed(documents, "top1000", "derived_documents", ("doc_id", "text")),
    ]
