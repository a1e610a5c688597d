"""Tables for spreadsheets: user text that starts no formula."""

import re

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV for spreadsheets: UTF-8 with its mark, and no cell that starts a formula."""
    safe = frame.copy()
    for name in safe.columns:
        if pd.api.types.is_numeric_dtype(safe[name]) or pd.api.types.is_bool_dtype(safe[name]):
            continue
        safe[name] = safe[name].map(_not_a_formula)
    safe.columns = [_not_a_formula(name) for name in safe.columns]
    return ("\ufeff" + safe.to_csv(index=False, lineterminator="\r\n")).encode()


def _not_a_formula(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _NUMBER.match(cell):
        return "'" + cell
    return cell
