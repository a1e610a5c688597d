"""TREC judgments and runs: white space between fields, no header."""

import re
from collections.abc import Sequence

import pandas as pd

from rerank.intake.noting import Ledger, is_storable, refuse

QRELS = ("query_id", "iteration", "doc_id", "grade")
RUN = ("query_id", "iteration", "doc_id", "rank", "score", "tag")
_WHOLE = re.compile(r"[+-]?\d+\Z")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def looks_like_qrels(head: Sequence[str]) -> bool:
    """Say whether most of the first lines are `qid iter docno rel`."""
    parts = [line.split() for line in head]
    good = [len(part) == 4 and _WHOLE.match(part[3]) and part[1] in ("0", "Q0", "1") for part in parts]
    return bool(parts) and sum(map(bool, good)) * 2 > len(parts)


def looks_like_run(head: Sequence[str]) -> bool:
    """Say whether most of the first lines are `qid Q0 docno rank score tag`."""
    parts = [line.split() for line in head]
    good = [len(part) == 6 and _WHOLE.match(part[3]) and _NUMBER.match(part[4]) for part in parts]
    return bool(parts) and sum(map(bool, good)) * 2 > len(parts)


def read_trec(lines: Sequence[str], layout: str, file: str, ledger: Ledger) -> pd.DataFrame:
    """Return the rows of a qrels or run file; lines with another number of fields are refused."""
    columns = QRELS if layout == "qrels" else RUN
    kept: list[list[object]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) != len(columns):
            refuse(ledger, "error", "trec_line_broken", file, number, line, line, format=layout)
        elif not is_storable(line):
            refuse(ledger, "error", "character_not_allowed", file, number, line, line)
        else:
            kept.append([*parts, number])
    return pd.DataFrame(kept, columns=[*columns, "line"])
