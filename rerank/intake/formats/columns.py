"""How formats that are recognised by their columns look at a table."""

import hashlib
import re

import pandas as pd

from rerank.intake.content import parse_json
from rerank.intake.formats.jsonl import as_text
from rerank.intake.mapping import column_called, folded
from rerank.intake.tables import LINE, Table

_WHOLE = r"\s*[+-]?\d+\s*"
_NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"


def names_of(table: Table) -> dict[str, str]:
    """Return the columns by their folded names."""
    found: dict[str, str] = {}
    for column in table.columns:
        found.setdefault(folded(column), column)
    return found


def has(table: Table, *wanted: str) -> bool:
    """Tell whether all folded names are there."""
    names = names_of(table)
    return all(name in names for name in wanted)


def query_column(table: Table) -> str | None:
    """Return the column that names a row's query: its id, else its text."""
    return column_called(table.columns, "judgments", "query_id")


def document_column(table: Table) -> str | None:
    """Return the column that names a row's document."""
    return column_called(table.columns, "judgments", "doc_id")


def share_whole(cells: "pd.Series[str]") -> float:
    """Return the share of whole numbers among the cells that are not blank; 0 when all are blank."""
    filled = cells[cells.str.strip() != ""]
    return float(filled.str.fullmatch(_WHOLE).mean()) if len(filled) else 0.0


def share_numeric(cells: "pd.Series[str]") -> float:
    """Return the share of numbers among the cells that are not blank; 0 when all are blank."""
    filled = cells[cells.str.strip() != ""]
    return float(filled.str.fullmatch(_NUMBER).mean()) if len(filled) else 0.0


def text_id(text: str) -> str:
    """Return the id of a document that came as text only: the same text has the same id."""
    return f"text-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def list_in(cell: str) -> list[str] | None:
    """Return the texts of a cell that holds a JSON list, None for any other cell."""
    if not cell.lstrip().startswith("["):
        return None
    try:
        found = parse_json(cell)
    except (ValueError, RecursionError):
        return None
    return [as_text(item) for item in found] if isinstance(found, list) else None


def renamed(table: Table, columns: dict[str, str]) -> pd.DataFrame:
    """Return the named columns under other names, with their lines: `{new: old}`."""
    found = {new: table.rows[old] for new, old in columns.items()}
    return pd.DataFrame({**found, LINE: table.rows[LINE]})


def numbered(table: Table, stem: str) -> list[str]:
    """Return the columns called stem, stem_1, stem2, ... in their order."""
    return [column for name, column in names_of(table).items() if re.fullmatch(rf"{stem}_?\d*", name)]
