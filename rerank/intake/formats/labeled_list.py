"""Labelled lists of sentence-transformers: `query, docs[], labels[]`."""

from rerank.intake.formats.columns import list_in, names_of
from rerank.intake.formats.pairs_from_texts import Pair, tables_of_pairs
from rerank.intake.noting import Ledger, refuse, row_json
from rerank.intake.tables import LINE, Table

_DOCUMENTS = ("docs", "documents", "passages", "texts")
_LABELS = ("labels", "scores", "relevance", "label")
_QUERIES = ("query", "question", "anchor")


def _columns(table: Table) -> tuple[str, str, str] | None:
    names = names_of(table)
    found = [
        next((names[name] for name in wanted if name in names), None) for wanted in (_QUERIES, _DOCUMENTS, _LABELS)
    ]
    query, documents, labels = found
    return None if query is None or documents is None or labels is None else (query, documents, labels)


def sniff(table: Table) -> bool:
    """Say whether a row holds a list of passages and a list of labels."""
    found = _columns(table)
    if found is None or table.rows.empty:
        return False
    first = table.rows.iloc[0]
    return list_in(str(first[found[1]])) is not None and list_in(str(first[found[2]])) is not None


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return judgments, or teacher scores when a label is no whole number; lists of unequal length are refused."""
    found = _columns(table)
    if found is None:
        return []
    pairs: list[Pair] = []
    for row in table.rows.to_dict("records"):
        texts, labels = list_in(str(row[found[1]])), list_in(str(row[found[2]]))
        line, query = int(row[LINE]), str(row[found[0]])
        if texts is None or labels is None or len(texts) != len(labels):
            facts = {"n_texts": len(texts or ()), "n_labels": len(labels or ())}
            text = row_json({str(name): value for name, value in row.items()})
            refuse(ledger, "error", "lists_unequal", file, line, query, text, **facts)
            continue
        pairs += [(line, query, text, label) for text, label in zip(texts, labels, strict=True)]
    whole = all(label.lstrip("+-").removesuffix(".0").isdigit() for _, _, _, label in pairs)
    return tables_of_pairs("labeled_list", pairs, file, ledger, "grade" if whole else "score")
