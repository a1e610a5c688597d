"""Pairs and triplets of sentence-transformers: `anchor, positive[, negative…]` or `sentence1, sentence2, score`."""

from rerank.intake.formats.columns import document_column, list_in, names_of, numbered, share_whole
from rerank.intake.formats.pairs_from_texts import Pair, tables_of_pairs
from rerank.intake.noting import Ledger
from rerank.intake.tables import LINE, Table

_ANCHORS = ("anchor", "query", "question", "sentence1", "sentence_1", "query_text")
_POSITIVES = ("positive", "answer", "pos", "sentence2", "sentence_2", "response", "passage", "text", "document", "doc")
_SURE = ("positive", "answer", "pos", "response")  # the others need a label beside them
_LABELS = ("label", "score", "labels", "similarity")


def _column(table: Table, wanted: tuple[str, ...]) -> str | None:
    names = names_of(table)
    return next((names[name] for name in wanted if name in names), None)


def sniff(table: Table) -> bool:
    """Say whether a query's text stands beside a passage's text, without ids of documents."""
    anchor = _column(table, _ANCHORS)
    named = document_column(table)
    if anchor is None or (named is not None and named not in (_column(table, _POSITIVES),)):
        return False
    names = names_of(table)
    if {"docs", "documents", "passages", "doc_id", "query_id"} & set(names):
        return False
    positive = _column(table, _SURE)
    if positive is not None:
        return True
    return _column(table, _POSITIVES) is not None and _column(table, _LABELS) is not None


def _cells(text: str) -> list[str]:
    """Return a cell's passages: several when it holds a list."""
    found = list_in(text)
    return [text] if found is None else found


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return judgments 1 and 0; a label of whole numbers is a grade, any other number is a teacher's score."""
    anchor, label = _column(table, _ANCHORS), _column(table, _LABELS)
    positive = _column(table, _SURE) or _column(table, _POSITIVES)
    negatives = [*numbered(table, "negative"), *numbered(table, "neg"), *numbered(table, "negatives")]
    if anchor is None or positive is None:
        return []
    pairs: list[Pair] = []
    labelled = label is not None and not negatives
    for row in table.rows.to_dict("records"):
        line, query = int(row[LINE]), str(row[anchor])
        good = str(row[label]) if labelled else "1"
        pairs += [(line, query, text, good) for text in _cells(str(row[positive]))]
        pairs += [(line, query, text, "0") for name in negatives for text in _cells(str(row[name]))]
    scores = labelled and share_whole(table.rows[str(label)]) < 1.0
    return tables_of_pairs("training_pairs", pairs, file, ledger, "score" if scores else "grade")
