"""Texts that are nearly the same: what a model learns from one it already knows of the other."""

import unicodedata
import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from rerank.intake.alike import MAX_CHARS, THRESHOLD, NearIndex, numbers_in
from rerank.intake.noting import Ledger, note

N_PERMUTATIONS = 64
BANDS = (12, 5)  # bands and rows: 99 of 100 pairs of similarity .8 meet; what meets is checked exactly
MAX_QUERIES = 3000
MAX_DOCUMENTS = 2000
MAX_LISTED = 50
MAX_COMPARED = 50
DOCUMENT_SHINGLE = 8


def shingles_of(text: str, n: int, n_chars: int = MAX_CHARS) -> set[bytes]:
    """Return runs of n characters of a text's first ones, without blanks and case; Japanese has no words to count."""
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())[:n_chars]
    return {plain[start : start + n].encode("utf-8", "replace") for start in range(max(1, len(plain) - n + 1))}


def near_pairs(texts: Sequence[str], shingle: int, threshold: float = THRESHOLD) -> list[tuple[int, int]]:
    """Return (earlier, later) places of texts whose shingles have a Jaccard similarity of at least the threshold.

    Found by MinHash and checked exactly. Texts with other numbers in them are no
    duplicates. Each text is paired with one earlier text only.
    """
    # Loads scipy, which a page must not wait for.
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=N_PERMUTATIONS, params=BANDS)
    found = []
    sets = [shingles_of(text, shingle) for text in texts]
    numbers = [numbers_in(text) for text in texts]
    for place, shingles in enumerate(sets):
        sketch = MinHash(num_perm=N_PERMUTATIONS, hashfunc=zlib.crc32)
        sketch.update_batch(shingles)
        met = sorted(int(key) for key in index.query(sketch))
        # Texts that differ in a number are other models of one product; a list of them would meet each other only.
        for other in [key for key in met if numbers[key] == numbers[place]][:MAX_COMPARED]:
            union = len(shingles | sets[other])
            if union and len(shingles & sets[other]) / union >= threshold:
                found.append((other, place))
                break
        index.insert(str(place), sketch)
    return found


def document_lines(documents: pd.DataFrame) -> list[str]:
    """Return documents as they are compared: title and text."""
    return [f"{title} {text}" for title, text in zip(documents["title"], documents["text"], strict=True)]


def _looked_at(frame: pd.DataFrame, maximum: int) -> pd.DataFrame:
    """Return rows spread evenly over a frame, the same ones every time."""
    if len(frame) <= maximum:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, maximum).round().astype(int)]


def tell_near_duplicates(queries: pd.DataFrame, documents: pd.DataFrame, ledger: Ledger) -> None:
    """Write a finding per pair of near-duplicate queries and one for all such documents."""
    some = _looked_at(queries.drop_duplicates("text"), MAX_QUERIES)
    pairs = NearIndex(some["text"].tolist()).pairs()
    for first, later in pairs[:MAX_LISTED]:
        one, other = some.iloc[first], some.iloc[later]
        facts = {"first": str(one["text"])[:200], "first_file": str(one["file"]), "first_line": int(one["line"])}
        ledger.findings.append(
            note("warning", "near_duplicate_query", str(other["file"]), int(other["line"]), str(other["text"]), **facts)
        )
    if len(pairs) > MAX_LISTED:
        n_more = len(pairs) - MAX_LISTED
        ledger.findings.append(note("warning", "more_findings", of_code="near_duplicate_query", n_more=n_more))
    some = _looked_at(documents.drop_duplicates(["title", "text"]), MAX_DOCUMENTS)
    pairs = near_pairs(document_lines(some), DOCUMENT_SHINGLE)
    if pairs:
        one, other = some.iloc[pairs[0][0]], some.iloc[pairs[0][1]]
        found = note(
            "info",
            "near_duplicate_documents",
            str(other["file"]),
            int(other["line"]),
            str(other["doc_id"]),
            n_documents=len(pairs),
            n_looked_at=len(some),
            first=str(one["doc_id"]),
        )
        ledger.findings.append(found)
