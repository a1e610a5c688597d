"""From a file's content to rows of strings that know their line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

LINE = "line"
MAX_COLUMNS = 1000


@dataclass(frozen=True)
class Table:
    """Rows of one file: `rows` has the file's columns and `line` (int), all other values are text.

    layout: name of the format. part: the sheet, "" when the file is one table.
    role and mapping: set by formats whose columns are fixed; role None leaves both to headers and user.
    """

    rows: pd.DataFrame
    layout: str
    part: str = ""
    role: str | None = None
    mapping: Mapping[str, str] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the file's own columns in order."""
        return tuple(str(name) for name in self.rows.columns if name != LINE)

    @property
    def headerless(self) -> bool:
        """Tell whether the columns are only numbered, because the file has no header."""
        return bool(self.columns) and self.columns == tuple(str(n) for n in range(1, len(self.columns) + 1))


def lines_of(text: str) -> list[str]:
    """Return lines as an editor counts them: only CR, LF and CRLF end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def rows_of(records: Iterable[tuple[int, Mapping[str, str]]], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return (line, fields) records as a frame of texts with `line`; a field that a record lacks is "".

    columns: the names in order; left out, all that occur, in order of first appearance.
    """
    kept = list(records)
    names = list(columns) if columns is not None else list(dict.fromkeys(name for _, row in kept for name in row))
    frame = pd.DataFrame({name: pd.Series([row.get(name, "") for _, row in kept], dtype="str") for name in names})
    frame[LINE] = pd.Series([line for line, _ in kept], dtype="int64")
    return frame


def replaced(cells: "pd.Series[str]", names: Mapping[str, str]) -> "pd.Series[str]":
    """Return cells with those that have another name under that name; the others stay."""
    return cells.map({cell: names.get(cell, cell) for cell in cells.unique()}).astype("str")


def fixed(rows: pd.DataFrame, layout: str, role: str, fields: Sequence[str]) -> Table:
    """Return a table whose columns are already called as the role's fields."""
    return Table(rows, layout, role=role, mapping={name: name for name in fields if name in rows.columns})
