"""What the texts are written in: language, markup and characters that mislead the eye."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from rerank.intake.noting import Ledger, note

JAPANESE_SHARE = 0.2
OTHER_SHARE = 0.2
N_READ = 2000
N_CHARS = 500
JAPANESE_MODELS = ("hotchpotch/japanese-reranker-xsmall-v2",)
MULTILINGUAL_MODELS = ("BAAI/bge-reranker-v2-m3",)
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u30ff]")
_OTHER = re.compile("[\u0370-\u1aff\u4e00-\u9fff\uac00-\ud7a3]")  # Greek to Thai, han, hangul: no Latin script
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HTML = re.compile(r"</?(?:p|br|div|span|a|b|i|li|ul|ol|table|tr|td|h[1-6]|strong|em|img|script|style)\b[^<>]*>", re.I)
_MARKDOWN = re.compile(r"(?m)^#{1,6} \S|!?\[[^\[\]\n]+\]\([^()\s]+\)|\*\*[^*\n]+\*\*|^```")

_BIDI_RE2 = r"[\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_MARKUP = {"HTML": (_HTML, "<"), "Markdown": (_MARKDOWN, r"(?m)^#|\]\(|\*\*|^```")}
MARKUP = tuple(_MARKUP)
BIDI = "bidi"
DOCUMENT_FIELDS = ("doc_id", "title", "text")


def _share(pattern: re.Pattern[str], text: str) -> float:
    return len(pattern.findall(text)) / max(1, len("".join(text.split())))


def _sample(texts: "pd.Series[str]") -> str:
    return " ".join(texts.head(N_READ).str.slice(0, N_CHARS))


@dataclass(frozen=True)
class Marked:
    """How many rows show something, and the first of them."""

    n_rows: int
    first: Mapping[str, object] | None


def holding(texts: "pd.Series[str]", pattern: re.Pattern[str], sign: str) -> "pd.Series[bool]":
    """Say which texts a pattern finds something in; `sign` (RE2) is in each of those and quick to look for."""
    found = np.array(pc.match_substring_regex(pa.array(texts), sign).to_numpy(zero_copy_only=False), dtype=bool)
    places = np.flatnonzero(found)
    found[places] = [pattern.search(text) is not None for text in texts.iloc[places]]
    return pd.Series(found, index=texts.index)


def markup_in(documents: pd.DataFrame, kind: str) -> "pd.Series[bool]":
    """Say which documents hold HTML or Markdown."""
    pattern, sign = _MARKUP[kind]
    return holding(documents["text"], pattern, sign)


def misleading_in(frame: pd.DataFrame, fields: Sequence[str]) -> "pd.Series[bool]":
    """Say which rows hold characters that change the direction of writing."""
    marked = pd.Series(False, index=frame.index)
    for name in fields:
        marked |= np.asarray(
            pc.match_substring_regex(pa.array(frame[name]), _BIDI_RE2).to_numpy(zero_copy_only=False), dtype=bool
        )
    return marked


def marked_in(frame: pd.DataFrame, marked: "pd.Series[bool]") -> Marked:
    """Return the count of marked rows and the first."""
    n_rows = int(marked.sum())
    return Marked(n_rows, row_of(frame[marked].iloc[0]) if n_rows else None)


def tell_texts(
    queries: pd.DataFrame, documents: pd.DataFrame, ledger: Ledger, known: Mapping[str, Marked] | None = None
) -> None:
    """Write findings about languages that the embedded model does not know, markup and bidirectional characters.

    known: for documents that were looked at while they were read, what was found; `documents` are then the first.
    """
    if known is None:
        known = {kind: marked_in(documents, markup_in(documents, kind)) for kind in MARKUP}
        known[BIDI] = marked_in(documents, misleading_in(documents, DOCUMENT_FIELDS))
    asked = _sample(queries["text"])
    held = _sample(documents["title"] + " " + documents["text"])
    japanese = [_share(_JAPANESE, text) if _KANA.search(text) else 0.0 for text in (asked, held)]
    other = [_share(_OTHER, text) for text in (asked, held)]
    if japanese[0] > JAPANESE_SHARE:
        models = list(JAPANESE_MODELS)
        ledger.findings.append(note("warning", "japanese_text", share=round(japanese[0], 3), models=models))
    elif max(*japanese, *other) > OTHER_SHARE:
        models = [*(JAPANESE_MODELS if japanese[1] > JAPANESE_SHARE else ()), *MULTILINGUAL_MODELS]
        ledger.findings.append(note("warning", "other_script", share=round(max(*japanese, *other), 3), models=models))
    if asked and held and abs(max(japanese[0], other[0]) - max(japanese[1], other[1])) > 0.5:
        ledger.findings.append(note("warning", "languages_differ"))
    for kind in MARKUP:
        first = known[kind].first
        if first is not None:
            facts = {"markup": kind, "n_documents": known[kind].n_rows}
            ledger.findings.append(
                note("info", "markup_in_texts", str(first["file"]), line_of(first), str(first["doc_id"]), **facts)
            )
    of_queries = marked_in(queries, misleading_in(queries, ("query_id", "text")))
    for marked, shown in ((of_queries, "text"), (known[BIDI], "title")):
        first = marked.first
        if first is not None:
            value = _BIDI.sub("\ufffd", str(first[shown]))
            found = note(
                "warning", "direction_characters", str(first["file"]), line_of(first), value, n_rows=marked.n_rows
            )
            ledger.findings.append(found)


def row_of(row: "pd.Series[str]") -> dict[str, object]:
    """Return a frame's row by column."""
    return {str(name): value for name, value in row.items()}


def line_of(row: Mapping[str, object]) -> int:
    """Return the line on which a row stood."""
    return int(str(row["line"]))
