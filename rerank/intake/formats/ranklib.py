"""RankLib and LTR judgments: `3 qid:1 1:0.2 … # 1370 star trek`."""

import re

from rerank.intake.content import Content
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, fixed, rows_of

_ROW = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s+qid:([^\s#]++)([^#]*+)(?:#\s*+(\S++)\s*+(.*))?\Z")
_TITLE = re.compile(r"\s*#\s*qid:([^:\s]++)\s*+:(.*)\Z")


def sniff(content: Content) -> bool:
    """Say whether most of the first lines that are no comments have a grade and `qid:`."""
    rows = [line for line in content.head if not line.lstrip().startswith("#")]
    return bool(rows) and sum(bool(re.match(r"\s*[+-]?\d+(\.\d+)?\s+qid:\S", row)) for row in rows) * 2 > len(rows)


def read(content: Content) -> list[Table]:
    """Return judgments, and the queries' or documents' texts that the comments hold.

    A comment is `# document words`. Words that are the same for all documents of a query are its text, others are
    titles. Head comments `# qid:1: star trek` name queries as well. Without a document id a row is refused.
    """
    judgments, words = [], []
    titles: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(content.lines, start=1):
        named = _TITLE.match(line)
        if named and is_storable(line):
            titles.setdefault(named.group(1), (number, named.group(2).split(" # ")[0].strip()))
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ROW.match(line)
        if found is None or found.group(4) is None:
            refuse(content.ledger, "error", "ltr_without_document", content.file, number, line, line)
            continue
        if not is_storable(line):
            refuse(content.ledger, "error", "character_not_allowed", content.file, number, line, line)
            continue
        grade, query, _, document, rest = found.groups()
        judgments.append((number, {"query_id": query, "doc_id": document, "grade": grade}))
        if rest.strip():
            words.append((number, query, document, rest.strip()))
    tables = [
        fixed(
            rows_of(judgments, ("query_id", "doc_id", "grade")), "ranklib", "judgments", ("query_id", "doc_id", "grade")
        )
    ]
    by_query: dict[str, set[str]] = {}
    for _, query, _, rest in words:
        by_query.setdefault(query, set()).add(rest)
    n_rows: dict[str, int] = {}
    for _, query, _, _ in words:
        n_rows[query] = n_rows.get(query, 0) + 1
    several = [query for query, n in n_rows.items() if n > 1]
    if several and all(len(by_query[query]) == 1 for query in several):
        for number, query, _, rest in words:
            titles.setdefault(query, (number, rest))
    else:
        documents = [(number, {"doc_id": document, "title": rest}) for number, _, document, rest in words]
        tables.append(
            fixed(rows_of(documents, ("doc_id", "title")), "ranklib", "derived_documents", ("doc_id", "title"))
        )
    queries = [(number, {"query_id": query, "text": text}) for query, (number, text) in titles.items()]
    tables.append(fixed(rows_of(queries, ("query_id", "text")), "ranklib", "derived_queries", ("query_id", "text")))
    return tables
