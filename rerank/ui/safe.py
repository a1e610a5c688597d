"""User text that can inject nothing: no Markdown, no control or bidirectional characters, no formulas."""

import html
import re
import unicodedata

import pandas as pd

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&@^=])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z")
_HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def plain(text: object, limit: int | None = None) -> str:
    """Return text without control and bidirectional characters, cut to `limit` with an ellipsis."""
    shown = _HIDDEN.sub("", str(text))
    shown = "".join(letter if unicodedata.category(letter) != "Cc" else " " for letter in shown)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def markdown(text: object, limit: int | None = None) -> str:
    """Return text that Markdown shows as it is: every character with a meaning is escaped."""
    return _MARKDOWN.sub(r"\\\1", plain(text, limit))


def hover(text: object, limit: int | None = None) -> str:
    """Return text for Plotly, which reads a part of HTML."""
    return html.escape(plain(text, limit))


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
