"""Elastic LTR judgments: `query_id query doc_id grade`, with ids like `qid:5141`."""

from rerank.intake.formats.columns import document_column, names_of
from rerank.intake.mapping import column_called
from rerank.intake.noting import Ledger
from rerank.intake.tables import Table


def sniff(table: Table) -> bool:
    """Say whether the query ids are written `qid:…`."""
    names = names_of(table)
    if "query_id" not in names or document_column(table) is None or table.rows.empty:
        return False
    return bool(table.rows[names["query_id"]].str.strip().str.startswith("qid:").all())


def read(table: Table, _file: str, _ledger: Ledger) -> list[Table]:
    """Return the judgments without the prefix of their ids."""
    query, document = names_of(table)["query_id"], document_column(table)
    grade = column_called(table.columns, "judgments", "grade")
    rows = table.rows.assign(**{query: table.rows[query].str.strip().str.removeprefix("qid:")})
    mapping = {"query_id": query, "doc_id": document or "", "grade": grade or ""}
    if document is None or grade is None:
        return [Table(rows, "delimited", table.part)]
    return [Table(rows, "elastic_ltr", role="judgments", mapping=mapping)]
