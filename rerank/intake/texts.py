"""What the texts are written in: language, markup and characters that mislead the eye."""

import re

import pandas as pd

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


def _share(pattern: re.Pattern[str], text: str) -> float:
    return len(pattern.findall(text)) / max(1, len("".join(text.split())))


def _sample(texts: "pd.Series[str]") -> str:
    return " ".join(texts.head(N_READ).str.slice(0, N_CHARS))


def tell_texts(queries: pd.DataFrame, documents: pd.DataFrame, ledger: Ledger) -> None:
    """Write findings about languages that the embedded model does not know, markup and bidirectional characters."""
    asked = _sample(queries["text"])
    held = _sample(documents["title"] + " " + documents["text"])
    japanese = [_share(_JAPANESE, text) if _KANA.search(text) else 0.0 for text in (asked, held)]
    other = [_share(_OTHER, text) for text in (asked, held)]
    if japanese[0] > JAPANESE_SHARE:
        known = list(JAPANESE_MODELS)
        ledger.findings.append(note("warning", "japanese_text", share=round(japanese[0], 3), models=known))
    elif max(*japanese, *other) > OTHER_SHARE:
        models = [*(JAPANESE_MODELS if japanese[1] > JAPANESE_SHARE else ()), *MULTILINGUAL_MODELS]
        ledger.findings.append(note("warning", "other_script", share=round(max(*japanese, *other), 3), models=models))
    if asked and held and abs(max(japanese[0], other[0]) - max(japanese[1], other[1])) > 0.5:
        ledger.findings.append(note("warning", "languages_differ"))
    for kind, pattern in (("HTML", _HTML), ("Markdown", _MARKDOWN)):
        marked = documents["text"].str.contains(pattern)
        if marked.any():
            first = documents[marked].iloc[0]
            facts = {"markup": kind, "n_documents": int(marked.sum())}
            ledger.findings.append(
                note("info", "markup_in_texts", str(first["file"]), int(first["line"]), str(first["doc_id"]), **facts)
            )
    for frame, fields in ((queries, ("query_id", "text")), (documents, ("doc_id", "title", "text"))):
        marked = pd.Series(False, index=frame.index)
        for name in fields:
            marked |= frame[name].str.contains(_BIDI)
        if marked.any():
            first = frame[marked].iloc[0]
            value = _BIDI.sub("\ufffd", str(first[fields[1]]))
            ledger.findings.append(
                note(
                    "warning",
                    "direction_characters",
                    str(first["file"]),
                    int(first["line"]),
                    value,
                    n_rows=int(marked.sum()),
                )
            )
