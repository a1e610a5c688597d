"""TREC judgments: `qid iter docno rel`, white space between fields, no header."""

import re

from rerank.intake.content import Content
from rerank.intake.formats.spaced import read_spaced
from rerank.intake.tables import Table, fixed

_WHOLE = re.compile(r"[+-]?\d+\Z")
COLUMNS = ("query_id", "iteration", "doc_id", "grade")


def sniff(content: Content) -> bool:
    """Say whether most of the first lines are judgments."""
    parts = [line.split() for line in content.head]
    good = [len(part) >= 4 and part[1] in ("0", "Q0", "1") and _WHOLE.match(part[-1]) for part in parts]
    exact = [len(part) == 4 for part in parts]
    return bool(parts) and sum(map(bool, good)) * 2 > len(parts) and any(exact)


def read(content: Content) -> list[Table]:
    """Return the judgments; a document id with blanks in it is put together again."""
    return [fixed(read_spaced(content, COLUMNS, "qrels"), "trec_qrels", "judgments", ("query_id", "doc_id", "grade"))]
