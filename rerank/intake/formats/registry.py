"""Every format in the order in which it is tried; docs/formats.md describes each."""

from collections.abc import Callable, Mapping
from types import ModuleType

from rerank.intake.content import Content
from rerank.intake.formats import (
    click_log,
    cohere,
    delimited,
    elastic_ltr,
    json_nested,
    json_records,
    jsonl,
    labeled_list,
    named_columns,
    opensearch_judgments,
    orderings,
    parquet,
    quepid_book,
    rank_eval,
    ranklib,
    raters_wide,
    top1000,
    training_pairs,
    trec_qrels,
    trec_run,
    trec_topics,
    triples,
    ubi_events,
    ubi_queries,
    workbook,
)
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import Table

BINARY: Mapping[str, ModuleType] = {"workbook": workbook, "parquet": parquet}
TEXT: Mapping[str, ModuleType] = {
    "quepid_book": quepid_book,
    "opensearch_judgments": opensearch_judgments,
    "rank_eval": rank_eval,
    "json_nested": json_nested,
    "json_records": json_records,
    "jsonl": jsonl,
    "trec_topics": trec_topics,
    "ranklib": ranklib,
    "trec_run": trec_run,
    "trec_qrels": trec_qrels,
    "delimited": delimited,
}
COLUMNS: Mapping[str, ModuleType] = {
    "ubi_queries": ubi_queries,
    "ubi_events": ubi_events,
    "cohere": cohere,
    "orderings": orderings,
    "labeled_list": labeled_list,
    "raters_wide": raters_wide,
    "click_log": click_log,
    "elastic_ltr": elastic_ltr,
    "top1000": top1000,
    "triples": triples,
    "training_pairs": training_pairs,
}
BY_NAME = tuple(dict.fromkeys((*(layout for layout, _ in named_columns.SIGNATURES), "wands")))
FORMATS: tuple[str, ...] = (*BINARY, *TEXT, *COLUMNS, *BY_NAME)


def open_tables(content: Content) -> list[Table]:
    """Return a file's tables as its syntax gives them; none, with a finding, when there is no row. Raises nothing."""
    tables = _first(BINARY, content)
    if tables is None:
        if content.text is None or content.is_broken_document:
            return []
        tables = _first(TEXT, content) or []
    found = [table for table in tables if len(table.rows)]
    if not found and not any(_is_of(content.file, finding.file) for finding in content.ledger.findings):
        content.ledger.findings.append(note("error", "no_rows", content.file))
    return found


def _is_of(file: str, named: str | None) -> bool:
    """Tell whether a finding is about a file or one of its sheets."""
    return named is not None and (named == file or named.startswith(f"{file} › "))


def _first(formats: Mapping[str, ModuleType], content: Content) -> list[Table] | None:
    for module in formats.values():
        if module.sniff(content):
            read: Callable[[Content], list[Table]] = module.read
            return read(content)
    return None


def by_columns(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return what a table without a fixed role holds when its columns are those of a known format, else itself."""
    for module in COLUMNS.values():
        if module.sniff(table):
            read: Callable[[Table, str, Ledger], list[Table]] = module.read
            return read(table, file, ledger)
    return [Table(table.rows, named_columns.layout_of(table), table.part)]
