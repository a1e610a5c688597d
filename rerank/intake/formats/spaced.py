"""Lines whose fields are set apart by white space, as TREC's files have them."""

from collections.abc import Sequence

import pandas as pd

from rerank.intake.content import Content
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import rows_of

DOCUMENT = 2  # place of the only field that may hold blanks


def read_spaced(content: Content, columns: Sequence[str], name: str) -> pd.DataFrame:
    """Return the rows; lines with too few fields are refused.

    What is too many belongs to the document id in the middle: ids with blanks are a trap of these formats.
    """
    kept: list[tuple[int, dict[str, str]]] = []
    after = len(columns) - DOCUMENT - 1
    for number, line in enumerate(content.lines, start=1):
        if not line.strip():
            continue
        parts = line.split("\t") if line.count("\t") == len(columns) - 1 else line.split()
        if len(parts) < len(columns):
            refuse(content.ledger, "error", "trec_line_broken", content.file, number, line, line, format=name)
            continue
        if not is_storable(line):
            refuse(content.ledger, "error", "character_not_allowed", content.file, number, line, line)
            continue
        end = len(parts) - after
        fields = [*parts[:DOCUMENT], " ".join(parts[DOCUMENT:end]), *parts[end:]]
        kept.append((number, dict(zip(columns, fields, strict=True))))
    return rows_of(kept, columns)
