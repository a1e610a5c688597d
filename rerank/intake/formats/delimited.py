"""CSV, TSV and their relatives, with the line on which each row starts."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rerank.intake.content import Content
from rerank.intake.mapping import is_header
from rerank.intake.noting import Ledger, RejectedRow, is_storable, note, refuse, storable
from rerank.intake.tables import MAX_COLUMNS, Table

DELIMITERS = ("\t", ",", ";", "|")
MAX_RESTARTS = 200
MAX_FIELD = 4 * 2**20
MAX_HEAD_CHARS = 2**20


@dataclass(frozen=True)
class _Parsed:
    rows: list[tuple[int, list[str]]]
    broken: list[int]  # lines with quotes that cannot be read
    stopped_at: int | None


def _delimiter(head: Sequence[str]) -> str:
    """Return the mark that splits the first lines most evenly; a tab that does so wins over commas in its texts."""
    outside = [re.sub(r'"[^"]*"', "", line[:MAX_HEAD_CHARS]) for line in head]
    best, most = ",", (0.0, 0)
    for mark in DELIMITERS:
        counts = [line.count(mark) for line in outside]
        if not counts or not counts[0]:
            continue
        even = sum(count == counts[0] for count in counts) / len(counts)
        if mark == "\t" and even > 0.5:
            return mark
        if (even, counts[0]) > most:
            best, most = mark, (even, counts[0])
    return best


def _parse(lines: Sequence[str], delimiter: str, quoting: bool) -> _Parsed:
    """Read records; after a broken quote, start again on the line after the one where it began."""
    if not quoting:
        numbered = enumerate(lines, start=1)
        return _Parsed([(n, line.split(delimiter)) for n, line in numbered if line.strip()], [], None)
    csv.field_size_limit(MAX_FIELD)
    rows: list[tuple[int, list[str]]] = []
    broken: list[int] = []
    start = 0
    while start < len(lines):
        rest = (lines[number] + "\n" for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True, doublequote=True)
        at = start
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append((at + 1, row))
                at = start + reader.line_num
            break
        except csv.Error:
            broken.append(at + 1)
            if len(broken) > MAX_RESTARTS:
                return _Parsed(rows, broken, at + 1)
            start = at + 1
    return _Parsed(rows, broken, None)


def _n_bad(parsed: _Parsed) -> int:
    if not parsed.rows:
        return len(parsed.broken)
    width = len(parsed.rows[0][1])
    return len(parsed.broken) + sum(len(row) != width for _, row in parsed.rows)


def sniff(content: Content) -> bool:
    """Say yes to any text: what no other format claims is a table."""
    return bool(content.head)


def read(content: Content) -> list[Table]:
    """Return the table; without a header its columns are called 1, 2, ...

    A first row that holds the columns of the user's mapping is a header.
    """
    return [Table(_rows(content, content.lines, content.file, content.ledger), "delimited")]


def _rows(content: Content, lines: Sequence[str], file: str, ledger: Ledger) -> pd.DataFrame:
    delimiter = _delimiter(content.head)
    n_columns = content.head[0].count(delimiter) + 1
    if n_columns > MAX_COLUMNS:
        ledger.findings.append(
            note("error", "too_many_columns", file, 1, content.head[0], n_columns=n_columns, maximum=MAX_COLUMNS)
        )
        return pd.DataFrame()
    parsed = _parse(lines, delimiter, quoting=True)
    if delimiter == "\t" and _n_bad(parsed):
        # Many tab-separated collections hold bare quotation marks: the reading with fewer problems is right.
        unquoted = _parse(lines, delimiter, quoting=False)
        if _n_bad(unquoted) < _n_bad(parsed):
            parsed = unquoted
    for line in parsed.broken:
        refuse(ledger, "error", "csv_broken", file, line, lines[line - 1], lines[line - 1])
    if parsed.stopped_at is not None:
        rest = lines[parsed.stopped_at :]
        ledger.findings.append(note("error", "rest_unreadable", file, parsed.stopped_at, n_lines=len(rest)))
        numbered = enumerate(rest, start=parsed.stopped_at + 1)
        ledger.rejected.extend(
            RejectedRow(file, number, "rest_unreadable", storable(line)) for number, line in numbered
        )
    if not parsed.rows:
        return pd.DataFrame()
    head = [cell.strip() for cell in parsed.rows[0][1]]
    if is_header(head) or (content.named and content.named <= set(head)):
        columns, body = _unique(head, file, ledger), parsed.rows[1:]
    else:
        columns, body = [str(number) for number in range(1, len(head) + 1)], parsed.rows
    kept: list[list[object]] = []
    for line, row in body:
        text = delimiter.join(row)
        while len(row) > len(columns) and not row[-1].strip():
            row = row[:-1]  # trailing delimiters of spreadsheets
        if len(row) != len(columns):
            facts = {"expected": len(columns), "found": len(row)}
            refuse(ledger, "error", "wrong_number_of_fields", file, line, text, text, **facts)
        elif not is_storable(text):
            refuse(ledger, "error", "character_not_allowed", file, line, text, text)
        else:
            kept.append([*row, line])
    frame = pd.DataFrame(kept, columns=[*columns, "line"])
    dropped = [name for name in frame.columns if name.startswith("\0")]
    return frame.drop(columns=dropped)


def _unique(head: Sequence[str], file: str, ledger: Ledger) -> list[str]:
    """Return column names; a repeated one is set aside under a name that no file can hold."""
    names: list[str] = []
    for place, raw in enumerate(head):
        name = storable(raw) or f"column {place + 1}"
        if name == "line":
            name = "line (column)"
        if name in names:
            ledger.findings.append(note("error", "duplicate_header", file, 1, column=name))
            name = f"\0{place}"
        names.append(name)
    return names
