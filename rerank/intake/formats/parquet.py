"""Parquet; nested columns become `outer.inner`, deeper ones JSON."""

import datetime
import decimal
import json
import math
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rerank.intake.content import Content
from rerank.intake.decoding import MAX_TEXT_BYTES
from rerank.intake.findings import Finding
from rerank.intake.noting import Ledger, is_storable, note, refuse, storable
from rerank.intake.tables import MAX_COLUMNS, Table, rows_of

MAX_ROWS = 10_000_000
_BATCH = 10_000
_PIECE_BYTES = 64 * 2**20  # that become Python objects at once
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


class _TooLargeError(Exception):
    """What is packed small would fill the memory or the disk."""


def _opened(where: str | pa.BufferReader) -> pq.ParquetFile:
    """Open a file so that texts that are stored once and named often stay so until they are looked at."""
    schema = pq.read_schema(where)
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type)
        or pa.types.is_large_string(field.type)
        or pa.types.is_binary(field.type)
        or pa.types.is_large_binary(field.type)
    ]
    if isinstance(where, pa.BufferReader):
        where.seek(0)
    return pq.ParquetFile(where, pre_buffer=False, read_dictionary=texts)


def _n_bytes(column: "pa.ChunkedArray | pa.Array") -> int:
    """Return the size of a batch's column when every row has its own copy."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _records(opened: pq.ParquetFile, limit: int) -> Iterator[list[dict[str, object]]]:
    """Yield rows in pieces of bounded size. Raises _TooLargeError when all together have more bytes than the limit."""
    n_bytes = 0
    for batch in opened.iter_batches(_BATCH):
        here = sum(_n_bytes(column) for column in batch.columns)
        n_bytes += here
        if n_bytes > limit:
            raise _TooLargeError
        step = max(1, len(batch) * _PIECE_BYTES // max(here, 1))
        for start in range(0, len(batch), step):
            yield batch.slice(start, step).to_pylist()


def _too_large(file: str, n_rows: int, n_bytes: int) -> Finding:
    return note("error", "parquet_too_large", file, n_rows=n_rows, unpacked_bytes=n_bytes)


def _has_fit_columns(opened: pq.ParquetFile, file: str, ledger: Ledger) -> bool:
    """Tell whether columns are few enough and each has a name of its own; else it is told, and nothing is read."""
    n_columns = opened.metadata.num_columns
    if n_columns > MAX_COLUMNS:
        ledger.findings.append(note("error", "too_many_columns", file, 1, n_columns=n_columns, maximum=MAX_COLUMNS))
        return False
    names = opened.schema_arrow.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        ledger.findings.append(note("error", "parquet_names_twice", file, column=twice))
    return twice is None


def tables(where: str | pa.BufferReader, file: str, ledger: Ledger) -> Iterator[Table]:
    """Yield the rows of a file of any length batch by batch; only what is in memory at once is limited."""
    number = 0
    try:
        opened = _opened(where)
        index = opened.metadata
        largest = max((index.row_group(place).total_byte_size for place in range(index.num_row_groups)), default=0)
        if largest > MAX_PARQUET_BYTES:
            ledger.findings.append(_too_large(file, index.num_rows, largest))
            return
        if not _has_fit_columns(opened, file, ledger):
            return
        for records in _records(opened, MAX_PARQUET_BYTES * max(1, index.num_row_groups)):
            kept: list[tuple[int, dict[str, str]]] = []
            for record in records:
                number += 1
                _keep(_flat(record), number, kept, file, ledger)
            yield Table(rows_of(kept), "parquet")
    except _TooLargeError:
        ledger.findings.append(_too_large(file, index.num_rows, MAX_PARQUET_BYTES))
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
    before = len(ledger.findings), len(ledger.rejected)
    try:
        opened = _opened(pa.BufferReader(content.data))
        index = opened.metadata
        n_bytes = sum(index.row_group(number).total_byte_size for number in range(index.num_row_groups))
        if index.num_rows > MAX_ROWS or n_bytes > MAX_PARQUET_BYTES:
            ledger.findings.append(_too_large(file, index.num_rows, n_bytes))
            return []
        if not _has_fit_columns(opened, file, ledger):
            return []
        kept: list[tuple[int, dict[str, str]]] = []
        number = 0
        for records in _records(opened, n_bytes + 2 * MAX_TEXT_BYTES):
            for record in records:
                number += 1
                _keep(_flat(record), number, kept, file, ledger)
    except _TooLargeError:
        del ledger.findings[before[0] :], ledger.rejected[before[1] :]
        ledger.findings.append(_too_large(file, index.num_rows, MAX_PARQUET_BYTES))
        return []
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, TypeError) as error:
        del ledger.findings[before[0] :], ledger.rejected[before[1] :]  # half a file is none
        ledger.findings.append(note("error", "parquet_broken", file, reason=type(error).__name__))
        return []
    return [Table(rows_of(kept), "parquet")]
