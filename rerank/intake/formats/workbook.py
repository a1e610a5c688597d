"""Excel workbooks (xlsx): one table per sheet; a sheet called queries, documents, ... says its role."""

import datetime
import io
import itertools
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

from rerank.intake.content import Content
from rerank.intake.decoding import MAX_TEXT_BYTES
from rerank.intake.formats.parquet import as_cell
from rerank.intake.mapping import folded, is_header
from rerank.intake.noting import is_storable, note, refuse
from rerank.intake.tables import MAX_COLUMNS, Table, rows_of

MAX_UNPACKED_BYTES = 512 * 2**20
MAX_ROWS = 1_048_576
_MAX_EXACT = 10**15  # a spreadsheet keeps 15 digits
SHEETS = {
    "queries": "queries クエリ クエリー 質問",
    "documents": "documents docs corpus 文書 ドキュメント 商品",
    "judgments": "judgments judgements qrels ratings 判定 評価",
    "candidates": "candidates run results 候補 検索結果",
    "teacher_scores": "teacher_scores 教師スコア",
}
_ROLE_OF = {folded(word): role for role, words in SHEETS.items() for word in words.split()}
_BROKEN = (
    InvalidFileException, DefusedXmlException, ParseError, zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError,
    TypeError, AttributeError, IndexError, OverflowError, NotImplementedError, RuntimeError, AssertionError,
)  # fmt: skip


def sniff(content: Content) -> bool:
    """Say whether a zip archive holds a workbook."""
    if not content.data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read(content: Content) -> list[Table]:
    """Return a table per sheet that has rows, `line` being the sheet's row.

    Dates where text was meant, digits that a spreadsheet has lost, and formulas are told; a formula counts by the
    value that was saved with it, and refuses its row when there is none.
    """
    file, ledger = content.file, content.ledger
    try:
        n_bytes, has_formulas = _look(content.data)
    except _BROKEN as error:
        ledger.findings.append(note("error", "workbook_broken", file, reason=type(error).__name__))
        return []
    if n_bytes > MAX_UNPACKED_BYTES:
        ledger.findings.append(note("error", "archive_too_large", file, max_bytes=MAX_UNPACKED_BYTES))
        return []
    before = len(ledger.findings), len(ledger.rejected)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features, such as charts, that nobody reads here
            values = openpyxl.load_workbook(io.BytesIO(content.data), read_only=True, data_only=True)
            written = openpyxl.load_workbook(io.BytesIO(content.data), read_only=True) if has_formulas else None
            tables = [
                _table(content, sheet, None if written is None else written[sheet.title]) for sheet in values.worksheets
            ]
    except _BROKEN as error:
        del ledger.findings[before[0] :], ledger.rejected[before[1] :]  # half a workbook is none
        ledger.findings.append(note("error", "workbook_broken", file, reason=type(error).__name__))
        return []
    return [table for table in tables if table is not None]


def _look(data: bytes) -> tuple[int, bool]:
    """Return the unpacked size, and whether any sheet has a formula."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        items = archive.infolist()
        n_bytes = sum(item.file_size for item in items)
        if n_bytes > MAX_UNPACKED_BYTES:
            return n_bytes, False
        sheets = [item for item in items if item.filename.startswith("xl/worksheets/")]
        return n_bytes, any(mark in archive.read(item) for item in sheets for mark in (b"<f>", b"<f ", b":f>"))


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what the file says about its own size may be wrong by a million rows
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS + 1, values_only=True)
    return rows


def _formulas(sheet: Any) -> Iterator[dict[int, str]]:
    """Yield for every row the place and the text of its formulas."""
    if sheet is None:
        yield from itertools.repeat({})
        return
    sheet.reset_dimensions()
    for row in sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS + 1):
        yield {place: str(cell.value) for place, cell in enumerate(row) if cell.data_type == "f"}


def _table(content: Content, values: Any, formulas: Any) -> Table | None:
    file, ledger = f"{content.file} › {values.title}", content.ledger
    columns: list[str] = []
    kept: list[tuple[int, dict[str, str]]] = []
    n_formulas, first_formula, formula = 0, 0, ""
    n_dates, first_date, date = 0, 0, ""
    n_long, first_long, long = 0, 0, ""
    n_chars = 0
    for line, (row, written) in enumerate(zip(_rows(values), _formulas(formulas), strict=False), start=1):
        cells = [as_cell(value) for value in row]
        n_chars += sum(map(len, cells))
        if n_chars > MAX_TEXT_BYTES:  # a text is stored once and may be named by every cell
            ledger.findings.append(note("error", "workbook_too_large", file, line, max_bytes=MAX_TEXT_BYTES))
            return None
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells and not written:
            continue
        if len(cells) > MAX_COLUMNS:
            ledger.findings.append(
                note("error", "too_many_columns", file, line, n_columns=len(cells), maximum=MAX_COLUMNS)
            )
            return None
        if not columns:
            if is_header(cells):
                columns = _unique(cells)
                continue
            columns = [str(number) for number in range(1, len(cells) + 1)]
        if written:
            n_formulas, first_formula = n_formulas + 1, first_formula or line
            formula = formula or next(iter(written.values()))
            empty = [text for place, text in written.items() if place >= len(row) or row[place] is None]
            if empty:
                refuse(ledger, "error", "formula_without_value", file, line, empty[0], " ".join([*cells, *empty]))
                continue
        if any(cell in ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!") for cell in cells):
            refuse(ledger, "error", "spreadsheet_error_value", file, line, " ".join(cells), " ".join(cells))
            continue
        for value, cell in zip(row, cells, strict=False):
            if isinstance(value, (datetime.date, datetime.time)):
                n_dates, first_date, date = n_dates + 1, first_date or line, date or cell
            elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _MAX_EXACT:
                n_long, first_long, long = n_long + 1, first_long or line, long or cell
        if not all(is_storable(cell) for cell in cells):
            refuse(ledger, "error", "character_not_allowed", file, line, " ".join(cells), " ".join(cells))
            continue
        if len(cells) > len(columns):
            facts = {"expected": len(columns), "found": len(cells)}
            refuse(ledger, "error", "wrong_number_of_fields", file, line, " ".join(cells), " ".join(cells), **facts)
            continue
        kept.append((line, dict(zip(columns, cells, strict=False))))
    if n_formulas:
        ledger.findings.append(note("warning", "formulas_in_cells", file, first_formula, formula, n_rows=n_formulas))
    if n_dates:
        ledger.findings.append(note("warning", "dates_in_cells", file, first_date, date, n_cells=n_dates))
    if n_long:
        ledger.findings.append(note("warning", "digits_lost", file, first_long, long, n_cells=n_long))
    if not kept:
        return None
    rows = rows_of(kept, columns)
    return Table(rows, "workbook", part=values.title, role=None)


def role_of_sheet(title: str) -> str | None:
    """Return what a sheet holds by the workbook convention, None for any other name."""
    return _ROLE_OF.get(folded(title))


def _unique(cells: list[str]) -> list[str]:
    names: list[str] = []
    for place, raw in enumerate(cells, start=1):
        name = raw.strip() or f"column {place}"
        name = "line (column)" if name == "line" else name
        names.append(name if name not in names else f"{name} ({place})")
    return names
