"""CSV, TSV and their relatives, with the line on which each row starts."""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from rerank.intake.mapping import is_header
from rerank.intake.noting import Ledger, RejectedRow, is_storable, note, refuse, storable

DELIMITERS = ("\t", ",", ";", "|")
MAX_RESTARTS = 200
MAX_FIELD = 64 * 2**20
_WHOLE = re.compile(r"\s*-?\d+\s*\Z")


@dataclass(frozen=True)
class _Parsed:
    rows: list[tuple[int, list[str]]]
    broken: list[int]  # lines with quotes that cannot be read
    stopped_at: int | None


def _delimiter(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    counts = {mark: outside.count(mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark])
    return best if counts[best] else ","


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
        reader = csv.reader((line + "\n" for line in lines[start:]), delimiter=delimiter, strict=True, doublequote=True)
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


def read_delimited(lines: Sequence[str], file: str, ledger: Ledger, named: Collection[str] = ()) -> pd.DataFrame:
    """Return the rows of a table; without a header the columns are called 1, 2, ...

    named: columns that the user's mapping names; a first row that holds them is a header.
    """
    first = next((line for line in lines if line.strip()), "")
    delimiter = _delimiter(first)
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
    if is_header(head) or (named and set(named) <= set(head)):
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
