"""One JSON object per line; numbers keep the digits they were written with."""

import json
from collections import Counter
from collections.abc import Mapping

from rerank.intake.content import Content, DuplicateKeyError, parse_json
from rerank.intake.noting import Ledger, is_storable, note, refuse
from rerank.intake.tables import MAX_COLUMNS, Table, rows_of


def as_text(value: object) -> str:
    """Return a JSON value as a cell: text as it is, lists and objects as JSON, null as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def flat(record: Mapping[str, object]) -> dict[str, str]:
    """Return a record's values as text; one level of nesting becomes `outer.inner`."""
    found: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            for inner, deep in value.items():
                found[_column(f"{name}.{inner}")] = as_text(deep)
        else:
            found[_column(name)] = as_text(value)
    return found


def _column(name: str) -> str:
    return "line (column)" if name == "line" else name


def without_rare_columns(
    records: list[tuple[int, dict[str, str]]], file: str, ledger: Ledger
) -> list[tuple[int, dict[str, str]]]:
    """Return the records with the most frequent columns only, when there are absurdly many; the others are told."""
    seen = Counter(name for _, record in records for name in record)
    if len(seen) <= MAX_COLUMNS:
        return records
    kept = {name for name, _ in seen.most_common(MAX_COLUMNS)}
    ledger.findings.append(note("warning", "columns_not_read", file, n_columns=len(seen), maximum=MAX_COLUMNS))
    return [(line, {name: value for name, value in record.items() if name in kept}) for line, record in records]


def sniff(content: Content) -> bool:
    """Say whether the first line starts an object."""
    return bool(content.head) and content.head[0].lstrip().startswith("{")


def read(content: Content) -> list[Table]:
    """Return the rows; a line that is no object, or names a key twice, is refused."""
    records: list[tuple[int, dict[str, str]]] = []
    file, ledger = content.file, content.ledger
    for number, line in enumerate(content.lines, start=content.first_line):
        if not line.strip():
            continue
        try:
            found = parse_json(line)
        except DuplicateKeyError as error:
            refuse(ledger, "error", "json_duplicate_key", file, number, line, line, key=str(error))
            continue
        except (ValueError, RecursionError):
            refuse(ledger, "error", "json_invalid", file, number, line, line)
            continue
        if not isinstance(found, dict):
            refuse(ledger, "error", "json_not_an_object", file, number, line, line)
            continue
        record = flat(found)
        if not all(is_storable(name) and is_storable(value) for name, value in record.items()):
            refuse(ledger, "error", "character_not_allowed", file, number, line, line)
            continue
        records.append((number, record))
    return [Table(rows_of(without_rare_columns(records, file, ledger)), "jsonl")]
