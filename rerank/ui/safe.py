"""User text that can inject nothing: no Markdown, no control or bidirectional characters."""

import html
import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&@^=])")
_ADDRESS = re.compile(r"(https?\\:|\bwww|\\@)", re.IGNORECASE)  # in escaped text
_HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def plain(text: object, limit: int | None = None) -> str:
    """Return text without control and bidirectional characters, cut to `limit` with an ellipsis."""
    shown = _HIDDEN.sub("", str(text))
    shown = "".join(letter if unicodedata.category(letter) != "Cc" else " " for letter in shown)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def markdown(text: object, limit: int | None = None) -> str:
    """Return text that Markdown shows as it is: every character with a meaning is escaped."""
    return _MARKDOWN.sub(r"\\\1", plain(text, limit))


def unlinked(text: object, limit: int | None = None) -> str:
    """Return text as `markdown` does, with nothing in it that Markdown makes a link of by itself.

    Addresses become links after escapes are gone; an invisible word joiner (U+2060) takes them apart.
    """
    return _ADDRESS.sub("\\1\u2060", markdown(text, limit))


def hover(text: object, limit: int | None = None) -> str:
    """Return text for Plotly, which reads a part of HTML."""
    return html.escape(plain(text, limit))
