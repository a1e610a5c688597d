"""One JSON object per line; numbers keep the digits they were written with."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from rerank.intake.noting import Ledger, is_storable, refuse


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _flat(record: Mapping[str, object]) -> dict[str, str]:
    """Return a record's values as text; one level of nesting becomes `outer.inner`."""
    flat: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            for inner, deep in value.items():
                flat[f"{name}.{inner}"] = _text(deep)
        else:
            flat[name] = _text(value)
    return flat


def read_jsonl(lines: Sequence[str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return the rows; the columns are all names that occur, in order of first appearance."""
    records: list[dict[str, object]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            refuse(ledger, "error", "json_invalid", file, number, line, line)
            continue
        if not isinstance(found, dict):
            refuse(ledger, "error", "json_not_an_object", file, number, line, line)
            continue
        flat = _flat(found)
        if not all(is_storable(name) and is_storable(value) for name, value in flat.items()):
            refuse(ledger, "error", "character_not_allowed", file, number, line, line)
            continue
        records.append({**flat, "line": number})
    names = dict.fromkeys(name for record in records for name in record if name != "line")
    columns = {name: pd.Series([str(record.get(name, "")) for record in records], dtype="str") for name in names}
    frame = pd.DataFrame(columns)
    frame["line"] = pd.Series([record["line"] for record in records], dtype="int64")
    return frame
