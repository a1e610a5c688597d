"""Queries, documents and judgments of files that hold texts instead of ids."""

from collections.abc import Iterable, Mapping

from rerank.intake.formats.columns import text_id
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import Table, fixed, rows_of

Pair = tuple[int, str, str, str]  # line, query, passage, grade or score


def tables_of_pairs(layout: str, pairs: Iterable[Pair], file: str, ledger: Ledger, value: str = "grade") -> list[Table]:
    """Return queries, documents and judgments (`value` grade) or teacher scores (`value` score) of text pairs.

    A query's text is its id, a passage's id is made of its text. What was said twice is kept once; a passage that is
    named both positive and negative stays, so that the contradiction is found.
    """
    kept = [pair for pair in pairs if pair[1].strip() and pair[2].strip()]
    queries = {query: line for line, query, _, _ in reversed(kept)}
    documents = {text: line for line, _, text, _ in reversed(kept)}
    values = {(query, text, number): line for line, query, text, number in reversed(kept)}
    role = "judgments" if value == "grade" else "teacher_scores"
    if role == "judgments" and kept:
        ledger.findings.append(note("warning", "judgments_from_training_pairs", file, n_judgments=len(values)))
    names = ("query_id", "doc_id", value)
    rows = sorted((line, query, text, number) for (query, text, number), line in values.items())
    return [
        fixed(
            rows_of(
                (line, {"query_id": query, "doc_id": text_id(text), value: number})
                for line, query, text, number in rows
            )
            if rows
            else rows_of((), names),
            layout,
            role,
            names,
        ),
        fixed(
            rows_of(
                sorted(((n, {"query_id": q, "text": q}) for q, n in queries.items()), key=_line), ("query_id", "text")
            ),
            layout,
            "queries",
            ("query_id", "text"),
        ),
        fixed(
            rows_of(
                sorted(((n, {"doc_id": text_id(d), "text": d}) for d, n in documents.items()), key=_line),
                ("doc_id", "text"),
            ),
            layout,
            "documents",
            ("doc_id", "text"),
        ),
    ]


def _line(record: tuple[int, Mapping[str, str]]) -> int:
    return record[0]
