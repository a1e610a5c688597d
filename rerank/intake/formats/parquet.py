"""Parquet; nested columns become `outer.inner`, deeper ones JSON."""

import datetime
import decimal
import json
import math
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from rerank.intake.content import Content
from rerank.intake.decoding import MAX_TEXT_BYTES
from rerank.intake.noting import Ledger, is_storable, note, refuse, storable
from rerank.intake.tables import MAX_COLUMNS, Table, rows_of

MAX_ROWS = 10_000_000
_BATCH = 10_000
MAX_PARQUET_BYTES = 8 * MAX_TEXT_BYTES


def sniff(content: Content) -> bool:
    """Say whether the bytes start as Parquet does."""
    return content.data.startswith(b"PAR1")


def as_cell(value: object) -> str:
    """Return a typed value as text: whole floats without their point, times in ISO form, nested values as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, (int, decimal.Decimal)):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=as_cell)
    return str(value)


def _flat(record: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in record.items():
        inner = value if isinstance(value, dict) else {"": value}
        for deep, cell in inner.items():
            column = f"{name}.{deep}" if deep else name
            found["line (column)" if column == "line" else column] = as_cell(cell)
    return found


def tables(where: str | pa.BufferReader, file: str, ledger: Ledger) -> Iterator[Table]:
    """Yield the rows of a file of any length batch by batch; only what is in memory at once is limited."""
    number = 0
    try:
        opened = pq.ParquetFile(where, pre_buffer=False)
        index = opened.metadata
        largest = max((index.row_group(place).total_byte_size for place in range(index.num_row_groups)), default=0)
        if largest > MAX_PARQUET_BYTES:
            ledger.findings.append(note("error", "parquet_too_large", file, n_rows=index.num_rows, n_bytes=largest))
            return
        if index.num_columns > MAX_COLUMNS:
            facts = {"n_columns": index.num_columns, "maximum": MAX_COLUMNS}
            ledger.findings.append(note("error", "too_many_columns", file, 1, **facts))
            return
        for batch in opened.iter_batches(_BATCH):
            kept: list[tuple[int, dict[str, str]]] = []
            for record in batch.to_pylist():
                number += 1
                _keep(_flat(record), number, kept, file, ledger)
            yield Table(rows_of(kept), "parquet")
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, TypeError) as error:
        ledger.findings.append(note("error", "parquet_broken", file, reason=type(error).__name__))


def _keep(row: dict[str, str], number: int, kept: list[tuple[int, dict[str, str]]], file: str, ledger: Ledger) -> None:
    if all(is_storable(name) and is_storable(cell) for name, cell in row.items()):
        kept.append((number, row))
    else:
        value = storable(json.dumps(row, ensure_ascii=False))
        refuse(ledger, "error", "character_not_allowed", file, number, value, value)


def read(content: Content) -> list[Table]:
    """Return the rows, counted from 1; sizes are checked in the file's own index before anything is unpacked."""
    file, ledger = content.file, content.ledger
    try:
        opened = pq.ParquetFile(pa.BufferReader(content.data))
        index = opened.metadata
        n_bytes = sum(index.row_group(number).total_byte_size for number in range(index.num_row_groups))
        if index.num_rows > MAX_ROWS or n_bytes > MAX_PARQUET_BYTES:
            facts = {"n_rows": index.num_rows, "n_bytes": n_bytes}
            ledger.findings.append(note("error", "parquet_too_large", file, **facts))
            return []
        if index.num_columns > MAX_COLUMNS:
            facts = {"n_columns": index.num_columns, "maximum": MAX_COLUMNS}
            ledger.findings.append(note("error", "too_many_columns", file, 1, **facts))
            return []
        kept: list[tuple[int, dict[str, str]]] = []
        number = 0
        for batch in opened.iter_batches(_BATCH):
            for record in batch.to_pylist():
                number += 1
                _keep(_flat(record), number, kept, file, ledger)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, TypeError) as error:
        ledger.findings.append(note("error", "parquet_broken", file, reason=type(error).__name__))
        return []
    return [Table(rows_of(kept), "parquet")]
