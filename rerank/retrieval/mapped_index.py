"""BM25 over documents that are too many for memory: built part by part, mapped from disk when it is asked.

The arrays are those of bm25s, which scores with them. Its own building needs the tokens of all documents in memory.
"""

import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import bm25s
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.intake.mapping import FIELDS
from rerank.retrieval.bm25 import K1, METHOD, B
from rerank.retrieval.tokens import tokens_of
from rerank.store.artefacts import flush_tree, read_json, write_json
from rerank.store.columns import ColumnWriter, batches_of, mapped_columns, n_rows_in
from rerank.store.parts import OnPart, made_in_parts

PART = 25_000  # documents that are tokenised at once
MAX_POSTINGS = 3_000_000  # that are sorted at once
_DOCUMENTS, _TIMES = "documents.int32", "times.int32"
_DATA, _INDICES, _INDPTR = "data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy"


class MappedBm25:
    """A BM25 index on disk; positions are those of the documents' columns."""

    def __init__(self, folder: Path) -> None:
        """Map a finished index."""
        self.n_documents = int(read_json(folder / "index.json")["n_documents"])
        self._words = mapped_columns(folder, ["word"])["word"]
        self._index = bm25s.BM25(method=METHOD, k1=K1, b=B)
        self._index.load_scores(folder, num_docs=self.n_documents, mmap=True)
        self._index.nonoccurrence_array = None

    def _place(self, word: str) -> int | None:
        place = bisect_left(self._words, word)
        return place if place < len(self._words) and self._words.iloc[place] == word else None

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every document for one query; zero where no word matches."""
        places = [self._place(word) for word in tokens_of(query)]
        known = [place for place in places if place is not None]
        if not known:
            return np.zeros(self.n_documents, dtype=np.float32)
        return np.asarray(self._index.get_scores_from_ids(known), dtype=np.float32)


def build_index(
    folder: Path,
    documents_at: Path,
    texts_of: Callable[[pd.DataFrame], Sequence[str]],
    on_part: OnPart | None = None,
) -> Path:
    """Build the index of documents in columns unless it is there, and return its folder.

    Parts of 25,000 documents are kept as they are finished: what was killed goes on where it was. on_part: told how
    many of how many documents are tokenised, and may raise to stop.
    """
    if (folder / "index.json").is_file():
        return folder
    parts = folder.with_name(f"{folder.name}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    total = n_rows_in(documents_at, "doc_id")
    paths = made_in_parts(
        batches_of(documents_at, FIELDS["documents"], PART),
        total,
        lambda number: parts / f"{number:06d}",
        lambda path, frame: _write_part(path, texts_of(frame)),
        on_part,
    )
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".part."))
    try:
        _merge(made, paths)
        write_json(made / "index.json", {"n_documents": total})
        made.chmod(0o755)
        flush_tree(made)
        if not (folder / "index.json").is_file():
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(parts, ignore_errors=True)
    return folder


def _write_part(folder: Path, texts: Sequence[str]) -> None:
    """Write a part's words in their order and, word by word, which document has it how often."""
    words: dict[str, int] = {}
    ids = [[words.setdefault(word, len(words)) for word in tokens_of(text)] for text in texts]
    lengths = np.array([len(found) for found in ids], dtype=np.int64)
    flat = np.fromiter((place for found in ids for place in found), dtype=np.int64, count=int(lengths.sum()))
    del ids
    ordered = sorted(words)
    ranks = np.empty(len(ordered), dtype=np.int64)
    ranks[[words[word] for word in ordered]] = np.arange(len(ordered))
    document = np.repeat(np.arange(len(texts)), lengths)
    pairs, times = np.unique(ranks[flat] * len(texts) + document, return_counts=True)
    word = pairs // len(texts)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    with ColumnWriter(made, ["word"]) as written:
        written.write(pd.DataFrame({"word": ordered}, dtype="str"))
    np.save(made / "lengths.npy", lengths)
    np.save(made / "ends.npy", np.searchsorted(word, np.arange(len(ordered) + 1)))  # where each word's postings begin
    (pairs % len(texts)).astype(np.int32).tofile(made / _DOCUMENTS)
    times.astype(np.int32).tofile(made / _TIMES)
    flush_tree(made)
    try:
        made.rename(folder)
    except OSError:  # another process has just made it
        shutil.rmtree(made)
        if not folder.is_dir():
            raise


@dataclass(frozen=True)
class _Part:
    """A part; `names` are its words' places among all words, in rising order. Its postings stay on disk."""

    start: int  # the first document's place
    names: NDArray[np.int64]
    lengths: NDArray[np.int64]
    ends: NDArray[np.int64]
    folder: Path


def _merge(folder: Path, paths: Sequence[Path]) -> None:
    """Write all words in their order and the postings of each, a range of words at a time."""
    known: set[str] = set()
    for path in paths:
        known.update(mapped_columns(path, ["word"])["word"])
    words = sorted(known)
    del known
    with ColumnWriter(folder, ["word"]) as written:
        written.write(pd.DataFrame({"word": words}, dtype="str"))
    parts = _opened(paths, {word: number for number, word in enumerate(words)})
    counts = np.zeros(len(words), dtype=np.int64)
    for part in parts:
        counts[part.names] += np.diff(part.ends)
    del words
    lengths = np.concatenate([part.lengths for part in parts]) if parts else np.zeros(0, dtype=np.int64)
    average = float(lengths.mean()) if len(lengths) else 1.0
    idf = np.log(1 + (len(lengths) - counts + 0.5) / (counts + 0.5)).astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(counts)])
    np.save(folder / _INDPTR, ends)
    with (folder / _DATA).open("wb") as data, (folder / _INDICES).open("wb") as indices:
        _header(data, int(ends[-1]), np.dtype(np.float32))
        _header(indices, int(ends[-1]), np.dtype(np.int32))
        for low, high in _ranges(ends):
            found = [_postings(part, low, high) for part in parts]
            word, document, times = (np.concatenate(column) for column in zip(*found, strict=True))
            order = np.argsort(word, kind="stable")  # documents stay in their order
            word, document, times = word[order], document[order], times[order].astype(np.float32)
            score = idf[word] * (times / (K1 * ((1 - B) + B * lengths[document] / average) + times))
            data.write(score.astype(np.float32).tobytes())
            indices.write(document.tobytes())


def _opened(paths: Sequence[Path], place: Mapping[str, int]) -> list[_Part]:
    parts = []
    start = 0
    for path in paths:
        names = np.array([place[word] for word in mapped_columns(path, ["word"])["word"]], dtype=np.int64)
        lengths = np.load(path / "lengths.npy")
        parts.append(_Part(start, names, lengths, np.load(path / "ends.npy"), path))
        start += len(lengths)
    return parts


def _postings(part: _Part, low: int, high: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return word, document and how often, of a part's postings for a range of words."""
    first, last = np.searchsorted(part.names, [low, high])
    begin, end = int(part.ends[first]), int(part.ends[last])
    each = np.diff(part.ends[first : last + 1])
    word = np.repeat(part.names[first:last], each).astype(np.int32)
    documents, times = (
        np.fromfile(part.folder / name, dtype=np.int32, count=end - begin, offset=4 * begin)
        for name in (_DOCUMENTS, _TIMES)
    )
    return word, documents + np.int32(part.start), times


def _ranges(ends: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield ranges of words with as many postings as are sorted at once, or with one word that has more."""
    low = 0
    while low < len(ends) - 1:
        high = int(np.searchsorted(ends, ends[low] + MAX_POSTINGS, side="right")) - 1
        high = max(high, low + 1)
        yield low, high
        low = high


def _header(file: BinaryIO, n: int, kind: "np.dtype[Any]") -> None:
    """Begin a NumPy file whose values follow piece by piece."""
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (n,)}
    np.lib.format.write_array_header_1_0(file, described)
