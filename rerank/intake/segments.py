"""Segments for queries that come without: proposals that the user may take."""

import re

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.noting import Ledger, note

MIN_QUERIES = 30
MIN_SHARE = 0.1
SHORT_WORDS, SHORT_CHARS = 2, 8
_UNSPACED = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
_QUESTION = re.compile(
    r"[?？]\s*$|(か|かな|ですか|ますか)[。.]?\s*$|^\s*(who|what|when|where|why|how|which|is|are|can|does|do)\b", re.I
)


def _length(text: str) -> str:
    if _UNSPACED.search(text):
        return "short" if len(text.strip()) <= SHORT_CHARS else "long"
    return "short" if len(text.split()) <= SHORT_WORDS else "long"


def _form(text: str) -> str:
    return "question" if _QUESTION.search(text) else "keywords"


PROPOSALS = {"length": _length, "form": _form}


def segments_by(queries: pd.DataFrame, proposal: str) -> "pd.Series[str]":
    """Return a segment per query: `length` (short, long) or `form` (question, keywords).

    Raises RerankError `unknown_segments`.
    """
    if proposal not in PROPOSALS:
        raise RerankError("unknown_segments", proposal=proposal)
    return queries["text"].map(PROPOSALS[proposal]).astype("str")


def tell_segments(queries: pd.DataFrame, ledger: Ledger) -> None:
    """Write a proposal when no query has a segment and one of the two would split them usefully."""
    if len(queries) < MIN_QUERIES or (queries["segment"] != "").any():
        return
    for proposal in PROPOSALS:
        counts = segments_by(queries, proposal).value_counts()
        if len(counts) > 1 and counts.min() >= MIN_SHARE * len(queries):
            by_name = {str(name): int(n) for name, n in counts.items()}
            ledger.findings.append(note("info", "segments_proposed", proposal=proposal, counts=by_name))
