"""Documents that are nearly the same, searched among all of a dataset's: part by part, so that a killed search goes on.

The checks of an import look at 2,000 documents only. Two copies of a document divide what is known about it: one is
judged relevant, the other counts as not relevant.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.digests import digest_of, digest_of_file
from rerank.intake.alike import THRESHOLD, numbers_in
from rerank.intake.dataset import Dataset
from rerank.intake.mapping import FIELDS
from rerank.intake.near_duplicates import BANDS, DOCUMENT_SHINGLE, N_PERMUTATIONS, document_lines, shingles_of
from rerank.intake.storage import root_of
from rerank.store.artefacts import read_json, read_parquet, write_atomically, write_json, write_parquet
from rerank.store.columns import batches_of, rows_at
from rerank.store.home import room
from rerank.store.parts import OnPart, made_in_parts

PART = 5_000  # documents whose sketches are written at once
MAX_CHARS = 1_000  # of a document, without blanks
MAX_ROUNDS = 50  # earlier documents, of those that meet in a band, that a document is compared with
# Of 64 hash values 64 × .8 agree on average, with a standard deviation of 3.2: below .6 no two texts are worth reading.
MIN_AGREEMENT = 0.6
RECORD = "record.json"  # written last: with it a search is finished
_TEXT = ["title", "text"]


@dataclass(frozen=True)
class Duplicates:
    """What was found: how many documents were searched, and one row per document that repeats an earlier one.

    pairs: doc_id, like (the first document of its group), similarity (Jaccard, 0.8 to 1, to the one it was found by).
    """

    n_documents: int
    pairs: pd.DataFrame

    @property
    def n_groups(self) -> int:
        """Return how many documents have copies."""
        return int(self.pairs["like"].nunique())


def duplicates_folder(dataset: Dataset) -> Path:
    """Return where the search of a dataset lies; all versions with the same documents share it."""
    rule = [digest_of_file(Path(__file__)), N_PERMUTATIONS, list(BANDS), DOCUMENT_SHINGLE, THRESHOLD]
    return room("near_duplicates") / digest_of([root_of(dataset.digest), *rule])


def found_duplicates(dataset: Dataset) -> Duplicates | None:
    """Return what a finished search found; None before."""
    folder = duplicates_folder(dataset)
    if not (folder / RECORD).is_file():
        return None
    return Duplicates(int(read_json(folder / RECORD)["n_documents"]), read_parquet(folder / "pairs.parquet"))


def search_duplicates(dataset: Dataset, on_part: OnPart | None = None) -> Duplicates:
    """Search all documents for near-duplicates, unless that was done, and return them.

    Similarity: Jaccard of runs of eight characters, case, width and blanks aside, within a text's first 1,000; texts
    with other numbers in them are other products. Candidates come from MinHash (64 values, 12 bands of 5) and are
    checked exactly. on_part: told how many of how many documents are sketched; it may raise to stop, and the next
    call goes on.
    """
    done = found_duplicates(dataset)
    if done is not None:
        return done
    total = len(dataset.documents)
    folder = duplicates_folder(dataset)
    folder.mkdir(exist_ok=True)
    parts = made_in_parts(
        _batches(dataset),
        total,
        lambda number: folder / f"{number:06d}.npy",
        lambda path, frame: _write_sketches(path, document_lines(frame)),
        on_part,
    )
    sketches = np.concatenate([np.load(path, mmap_mode="r") for path in parts])
    pairs = _named(dataset, _pairs(sketches, lambda wanted: _texts_at(dataset, wanted)))
    write_parquet(folder / "pairs.parquet", pairs)
    write_json(folder / RECORD, {"n_documents": total})
    for path in parts:
        path.unlink()
    return Duplicates(total, pairs)


def unjudged_copies(dataset: Dataset, found: Duplicates) -> pd.DataFrame:
    """Return query_id, doc_id, like, grade: documents nobody judged for a query that judged a copy of them."""
    heads = dict(zip(found.pairs["doc_id"], found.pairs["like"], strict=True))
    members: dict[str, list[str]] = {}
    for doc_id, head in heads.items():
        members.setdefault(head, [head]).append(doc_id)
    judged = dataset.judgments[["query_id", "doc_id", "grade"]]
    known = set(zip(judged["query_id"], judged["doc_id"], strict=True))
    rows: dict[tuple[str, str], tuple[str, int]] = {}
    for query_id, doc_id, grade in judged.itertuples(index=False):
        for other in members.get(heads.get(str(doc_id), str(doc_id)), ()):
            if (query_id, other) not in known:
                rows.setdefault((query_id, other), (doc_id, int(grade)))
    table = [(query_id, doc_id, like, grade) for (query_id, doc_id), (like, grade) in rows.items()]
    return pd.DataFrame(table, columns=["query_id", "doc_id", "like", "grade"])


def _batches(dataset: Dataset) -> Iterator[pd.DataFrame]:
    if dataset.documents_at is not None:
        yield from batches_of(dataset.documents_at, FIELDS["documents"], PART)
        return
    for start in range(0, len(dataset.documents), PART):
        yield dataset.documents.iloc[start : start + PART]


def _texts_at(dataset: Dataset, places: Sequence[int]) -> list[str]:
    if dataset.documents_at is not None:
        return document_lines(rows_at(dataset.documents_at, _TEXT, places))
    return document_lines(dataset.documents.iloc[list(places)])


def _write_sketches(path: Path, texts: Sequence[str]) -> None:
    # Loads scipy, which a page must not wait for.
    from datasketch import MinHash

    sketches = np.empty((len(texts), N_PERMUTATIONS), dtype=np.uint32)  # MinHash's values have 32 bits
    for row, text in enumerate(texts):
        sketch = MinHash(num_perm=N_PERMUTATIONS, hashfunc=zlib.crc32)
        sketch.update_batch(shingles_of(text, DOCUMENT_SHINGLE, MAX_CHARS))
        sketches[row] = sketch.hashvalues

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.save(file, sketches)

    write_atomically(path, write)


@dataclass(frozen=True)
class _Read:
    """A text as it is compared: its shingles and its numbers."""

    shingles: set[bytes]
    numbers: str

    def similarity(self, other: "_Read") -> float:
        if self.numbers != other.numbers:
            return 0.0
        return len(self.shingles & other.shingles) / len(self.shingles | other.shingles)


def _read(text: str) -> _Read:
    return _Read(shingles_of(text, DOCUMENT_SHINGLE, MAX_CHARS), numbers_in(text))


def _pairs(
    sketches: NDArray[np.uint32], texts_at: Callable[[Sequence[int]], list[str]]
) -> dict[int, tuple[int, float]]:
    """Return, by place, an earlier place that a text is like and their similarity; each text once."""
    found: dict[int, tuple[int, float]] = {}
    n_bands, n_rows = BANDS
    for band in range(n_bands):
        for bucket in _buckets(sketches[:, band * n_rows : (band + 1) * n_rows]):
            open_places = [place for place in bucket.tolist() if place not in found]
            for first in bucket[:MAX_ROUNDS].tolist():
                open_places = [place for place in open_places if place > first]
                if not open_places:
                    break
                alike = _alike(sketches, first, open_places, texts_at)
                found.update({place: (first, similarity) for place, similarity in alike.items()})
                open_places = [place for place in open_places if place not in alike]
    return found


def _buckets(band: NDArray[np.uint32]) -> Iterator[NDArray[np.int64]]:
    """Yield the places that have the same values, at least two at a time, in their order."""
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(
            0x9E3779B97F4A7C15
        )  # Fibonacci hashing; what merely meets is compared anyway
        keys ^= keys >> np.uint64(29)
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.diff(keys[order])) + 1
    for bucket in np.split(order, ends):
        if len(bucket) > 1:
            yield bucket


def _alike(
    sketches: NDArray[np.uint32], first: int, others: list[int], texts_at: Callable[[Sequence[int]], list[str]]
) -> dict[int, float]:
    agreement = (sketches[others] == sketches[first]).mean(axis=1)
    worth = [place for place, share in zip(others, agreement, strict=True) if share >= MIN_AGREEMENT]
    alike = {}
    if worth:
        mine = _read(texts_at([first])[0])
        for start in range(0, len(worth), PART):
            some = worth[start : start + PART]
            for place, text in zip(some, texts_at(some), strict=True):
                similarity = mine.similarity(_read(text))
                if similarity >= THRESHOLD:
                    alike[place] = similarity
    return alike


def _named(dataset: Dataset, pairs: dict[int, tuple[int, float]]) -> pd.DataFrame:
    """Return the pairs by document id, each with the first document of its group."""

    def head(place: int) -> int:
        while place in pairs:
            place = pairs[place][0]
        return place

    places = sorted(pairs)
    ids = dataset.documents["doc_id"]
    names = {place: str(ids.iloc[place]) for place in {*places, *(head(place) for place in places)}}
    return pd.DataFrame(
        {
            "doc_id": pd.Series([names[place] for place in places], dtype="str"),
            "like": pd.Series([names[head(place)] for place in places], dtype="str"),
            "similarity": pd.Series([pairs[place][1] for place in places], dtype="float64"),
        }
    )
