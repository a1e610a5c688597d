"""CSV, TSV and their relatives, with the line on which each row starts."""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from rerank.intake.content import N_HEAD, Content
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
    broken: list[tuple[int, str]]  # lines that cannot be read, and why
    stopped_at: int | None
    open_at: int | None = None  # the line of a record that goes on after the last line


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


def _parse(lines: Sequence[str], delimiter: str, quoting: bool, restarts: int, last: bool) -> _Parsed:
    """Read records; after a broken quote, start again on the line after the one where it began.

    restarts: how often at most. last: whether no lines follow; if some do, a record may be unfinished.
    """
    if not quoting:
        numbered = enumerate(lines, start=1)
        return _Parsed([(n, line.split(delimiter)) for n, line in numbered if line.strip()], [], None)
    csv.field_size_limit(MAX_FIELD)
    rows: list[tuple[int, list[str]]] = []
    broken: list[tuple[int, str]] = []
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
        except csv.Error as error:
            is_open = str(error) == "unexpected end of data" and not last
            if is_open and sum(len(line) for line in lines[at:]) <= MAX_FIELD:
                return _Parsed(rows, broken, None, at + 1)
            broken.append((at + 1, "cell_too_long" if "field limit" in str(error) else "csv_broken"))
            if len(broken) > restarts:
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
    table = BlockReader(content.file, content.named)
    rows = table.rows(content.lines, 1, content.ledger, last=True)
    table.end(content.ledger)
    return [Table(rows, "delimited")]


class BlockReader:
    """Reads a table block by block: its first lines say how, and an unfinished record waits for the next block."""

    def __init__(self, file: str, named: Collection[str]) -> None:
        """Take the file's name and the columns that the user's mapping names."""
        self._file = file
        self._named = frozenset(named)
        self._delimiter: str | None = None
        self._quoting = True
        self._columns: list[str] | None = None
        self._open: tuple[int, list[str]] = (1, [])  # lines of an unfinished record and where they start
        self._restarts = MAX_RESTARTS
        self._stopped: tuple[int, int] | None = None  # the line at which reading stopped, and how many were left
        self._refused = False

    def rows(self, lines: Sequence[str], first_line: int, ledger: Ledger, *, last: bool) -> pd.DataFrame:
        """Return a block's rows with their lines; the first block decides on delimiter, quotes and header."""
        if self._refused:
            return pd.DataFrame()
        if self._stopped is not None:
            self._skip(lines, first_line, ledger)
            return pd.DataFrame()
        if self._open[1]:
            first_line, lines = self._open[0], [*self._open[1], *lines]
            self._open = (1, [])
        if self._delimiter is None and not self._decide(lines, ledger):
            return pd.DataFrame()
        delimiter = self._delimiter or ","
        parsed = _parse(lines, delimiter, self._quoting, self._restarts, last)
        self._restarts -= len(parsed.broken)
        for line, code in parsed.broken:
            facts = {"maximum": MAX_FIELD} if code == "cell_too_long" else {}
            text = lines[line - 1]
            refuse(ledger, "error", code, self._file, first_line + line - 1, text, text, **facts)
        if parsed.open_at is not None:
            self._open = (first_line + parsed.open_at - 1, list(lines[parsed.open_at - 1 :]))
        if parsed.stopped_at is not None:
            self._stopped = (first_line + parsed.stopped_at - 1, 0)
            self._skip(lines[parsed.stopped_at :], first_line + parsed.stopped_at, ledger)
        body = [(first_line + line - 1, row) for line, row in parsed.rows]
        if not body:
            return pd.DataFrame()
        if self._columns is None:
            body = self._take_header(body, ledger)
        return self._frame(body, delimiter, ledger)

    def end(self, ledger: Ledger) -> None:
        """Say how much was not read."""
        if self._stopped is not None:
            line, n_lines = self._stopped
            ledger.findings.append(note("error", "rest_unreadable", self._file, line, n_lines=n_lines))

    def _skip(self, lines: Sequence[str], first_line: int, ledger: Ledger) -> None:
        numbered = enumerate(lines, start=first_line)
        ledger.rejected.extend(
            RejectedRow(self._file, number, "rest_unreadable", storable(line)) for number, line in numbered
        )
        if self._stopped is not None:
            self._stopped = (self._stopped[0], self._stopped[1] + len(lines))

    def _decide(self, lines: Sequence[str], ledger: Ledger) -> bool:
        """Settle delimiter and quotes; False when the file has too many columns to be read."""
        head = [line for line in lines if line.strip()][:N_HEAD]
        if not head:
            return False
        self._delimiter = _delimiter(head)
        n_columns = head[0].count(self._delimiter) + 1
        if n_columns > MAX_COLUMNS:
            facts = {"n_columns": n_columns, "maximum": MAX_COLUMNS}
            ledger.findings.append(note("error", "too_many_columns", self._file, 1, head[0], **facts))
            self._refused = True
            return False
        if self._delimiter == "\t":
            # Many tab-separated collections hold bare quotation marks: the reading with fewer problems is right.
            quoted = _parse(lines, self._delimiter, True, MAX_RESTARTS, True)
            if _n_bad(quoted):
                self._quoting = _n_bad(_parse(lines, self._delimiter, False, MAX_RESTARTS, True)) >= _n_bad(quoted)
        return True

    def _take_header(self, rows: list[tuple[int, list[str]]], ledger: Ledger) -> list[tuple[int, list[str]]]:
        head = [cell.strip() for cell in rows[0][1]]
        if is_header(head) or (self._named and self._named <= set(head)):
            self._columns = _unique(head, self._file, ledger)
            return rows[1:]
        self._columns = [str(number) for number in range(1, len(head) + 1)]
        return rows

    def _frame(self, rows: list[tuple[int, list[str]]], delimiter: str, ledger: Ledger) -> pd.DataFrame:
        columns = self._columns or []
        kept: list[list[object]] = []
        for line, row in rows:
            text = delimiter.join(row)
            while len(row) > len(columns) and not row[-1].strip():
                row = row[:-1]  # trailing delimiters of spreadsheets
            if len(row) != len(columns):
                facts = {"expected": len(columns), "found": len(row)}
                refuse(ledger, "error", "wrong_number_of_fields", self._file, line, text, text, **facts)
            elif not is_storable(text):
                refuse(ledger, "error", "character_not_allowed", self._file, line, text, text)
            else:
                kept.append([*row, line])
        frame = pd.DataFrame(kept, columns=[*columns, "line"])
        return frame.drop(columns=[name for name in frame.columns if name.startswith("\0")])


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
