"""Documents that are too many for memory, on disk from the moment they are read until the dataset has them."""

import json
import os
import shutil
import tempfile
import weakref
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.intake.findings import Severity
from rerank.intake.noting import MAX_PER_CODE, Ledger, RejectedRow, note, refuse, row_json
from rerank.intake.personal import personal_in
from rerank.intake.tables import LINE
from rerank.intake.texts import BIDI, DOCUMENT_FIELDS, MARKUP, N_CHARS, N_READ, Marked, markup_in, misleading_in, row_of
from rerank.store.columns import ColumnWriter, batches_of, mapped_columns, rows_at
from rerank.store.home import room

PERSONAL = "personal_data"
_FLAGS = (*MARKUP, BIDI, PERSONAL)
_MAX_HELD = 10_000
_MANY = 100_000


class RejectedOnDisk(Sequence[RejectedRow]):
    """Refused rows, whole: those in memory and, once they are many, those in a file."""

    def __init__(self, path: Path, last: list[RejectedRow]) -> None:
        """Take the file and the list that fills up before it."""
        self._path = path
        self._last = last
        self._n_written = 0

    def flush(self) -> None:
        """Move what is in memory to the file when there is much of it."""
        if len(self._last) > _MAX_HELD:
            with self._path.open("a", encoding="utf-8") as file:
                for row in self._last:
                    file.write(json.dumps([row.file, row.line, row.code, row.row], ensure_ascii=False) + "\n")
            self._n_written += len(self._last)
            self._last.clear()

    def __len__(self) -> int:
        return self._n_written + len(self._last)

    def __iter__(self) -> Iterator[RejectedRow]:
        if self._n_written:
            with self._path.open(encoding="utf-8") as file:
                for line in file:
                    yield RejectedRow(*json.loads(line))
        yield from self._last

    @overload
    def __getitem__(self, place: int) -> RejectedRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[RejectedRow]: ...
    def __getitem__(self, place: int | slice) -> RejectedRow | list[RejectedRow]:
        return list(self)[place]


class DocumentSpool:
    """Rows of documents on disk, with what has to be known of all of them at once: 53 bytes per document.

    That is two digests of 128 bits (id; title and text), file, line and flags. The folder goes with the object.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Make a folder in the home; folders of processes that were killed are removed first."""
        self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=_without_dead(room("imports"))))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._writer = ColumnWriter(self.folder / "read", DOCUMENT_FIELDS)
        self._files: list[str] = []
        self._file_of = array("i")
        self._lines = array("q")
        self._flags = bytearray()
        self._ids = bytearray()
        self._contents = bytearray()
        self._head: list[pd.DataFrame] = []
        self._n_head = 0
        self._seen: Counter[tuple[str, Severity]] = Counter()
        self._at = "read"
        self.rejected = RejectedOnDisk(self.folder / "rejected.jsonl", ledger.rejected)
        self.n_same = 0

    @property
    def columns(self) -> Path:
        """Return the folder of the documents' columns."""
        return self.folder / self._at

    def __len__(self) -> int:
        return len(self._lines)

    def take(self, block: Ledger, ledger: Ledger) -> None:
        """Move a block's findings and refused rows to the ledger, 1,000 findings per code at most."""
        for finding in block.findings:
            key = (finding.code, finding.severity)
            self._seen[key] += 1
            if self._seen[key] <= MAX_PER_CODE:
                ledger.findings.append(finding)
        ledger.rejected.extend(block.rejected)
        self.rejected.flush()
        block.findings.clear()
        block.rejected.clear()

    def add(self, frame: pd.DataFrame) -> None:
        """Append rows: doc_id, title, text, file, line."""
        if frame.empty:
            return
        self._writer.write(frame)
        for doc_id in frame["doc_id"]:
            self._ids += blake2b(doc_id.encode(), digest_size=16).digest()
        self._contents += _content_digests(frame)
        for file in frame["file"].unique():
            if file not in self._files:
                self._files.append(file)
        self._file_of.extend(frame["file"].map({name: n for n, name in enumerate(self._files)}).astype("int32"))
        self._lines.extend(frame[LINE].astype("int64"))
        flags = np.zeros(len(frame), dtype=np.uint8)
        for bit, kind in enumerate(_FLAGS):
            flags |= _marks(frame, kind).to_numpy().astype(np.uint8) << bit
        self._flags += flags.tobytes()
        if self._n_head < N_READ:
            cut = frame.head(N_READ - self._n_head)
            self._head.append(cut.assign(title=cut["title"], text=cut["text"].str.slice(0, 2 * N_CHARS)))
            self._n_head += len(cut)

    def settle(self, ledger: Ledger) -> None:
        """Refuse repeated documents and repeated ids, and say how many findings there were beyond those listed."""
        self._writer.close()
        refused = self._repeats()
        if refused:
            block = Ledger()
            keep = np.ones(len(self), dtype=bool)
            keep[list(refused)] = False
            with ColumnWriter(self.folder / "kept", DOCUMENT_FIELDS) as kept:
                start = 0
                for frame in batches_of(self.columns, DOCUMENT_FIELDS):
                    here = keep[start : start + len(frame)]
                    for place in np.flatnonzero(~here):
                        self._refuse(start + int(place), *refused[start + int(place)], frame.iloc[place], block)
                    self.take(block, ledger)
                    kept.write(frame[here])
                    start += len(frame)
            shutil.rmtree(self.columns)
            self._at = "kept"
            self._file_of = array("i", np.frombuffer(self._file_of, dtype=np.int32)[keep].tobytes())
            self._lines = array("q", np.frombuffer(self._lines, dtype=np.int64)[keep].tobytes())
            self._flags = bytearray(np.frombuffer(self._flags, dtype=np.uint8)[keep].tobytes())
            self._ids = bytearray(self._pairs(self._ids)[keep].tobytes())
            self._contents = bytearray(self._pairs(self._contents)[keep].tobytes())
        _, starts = _runs(self._pairs(self._contents))
        self.n_same = len(self) - len(starts)
        for (code, severity), n in self._seen.items():
            if n > MAX_PER_CODE:
                ledger.findings.append(note(severity, "more_findings", of_code=code, n_more=n - MAX_PER_CODE))

    @staticmethod
    def _pairs(digests: bytearray) -> NDArray[np.uint64]:
        return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)

    def _repeats(self) -> dict[int, tuple[str, int]]:
        """Return the rows to refuse: by place, the rule and the place of the earlier row."""
        order, starts = _runs(self._pairs(self._ids))
        contents = self._pairs(self._contents)
        sizes = np.diff(np.append(starts, len(order)))
        found: dict[int, tuple[str, int]] = {}
        for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
            places = [int(place) for place in order[start : start + size]]
            earlier: dict[bytes, int] = {contents[places[0]].tobytes(): places[0]}
            for place in places[1:]:
                content = contents[place].tobytes()
                same = earlier.setdefault(content, place)
                whole = ("repeated_document", same) if same != place else ("duplicate_document_id", places[0])
                found[place] = whole
        return found

    def _refuse(self, place: int, code: str, first: int, row: "pd.Series[str]", block: Ledger) -> None:
        severity: Severity = "warning" if code == "repeated_document" else "error"
        facts = {"first_file": self._files[self._file_of[first]], "first_line": self._lines[first]}
        value, text = f"{row['doc_id']} {row['title']}", row_json({str(name): row[name] for name in DOCUMENT_FIELDS})
        file, line = self._files[self._file_of[place]], self._lines[place]
        refuse(block, severity, code, file, line, value, text, **facts)

    def frame(self) -> pd.DataFrame:
        """Return all documents as a frame over the files: doc_id, title, text."""
        return mapped_columns(self.columns, DOCUMENT_FIELDS)

    def head(self) -> pd.DataFrame:
        """Return the first documents with file and line, texts cut: enough to tell languages."""
        return pd.concat(self._head, ignore_index=True)

    def rows(self, places: NDArray[np.int64]) -> pd.DataFrame:
        """Return documents by place, with file and line."""
        found = rows_at(self.columns, DOCUMENT_FIELDS, places.tolist())
        files = pd.Series([self._files[self._file_of[place]] for place in places], dtype="str")
        return found.assign(file=files, line=[self._lines[place] for place in places])

    def spread(self, maximum: int) -> pd.DataFrame:
        """Return documents spread evenly over all, with file and line."""
        return self.rows(np.linspace(0, len(self) - 1, min(maximum, len(self))).round().astype(np.int64))

    def marked(self, kind: str) -> Marked:
        """Return how many documents show something, and the first of them."""
        bit = 1 << _FLAGS.index(kind)
        places = np.flatnonzero(np.frombuffer(self._flags, dtype=np.uint8) & bit)
        return Marked(len(places), row_of(self.rows(places[:1]).iloc[0]) if len(places) else None)


def _marks(frame: pd.DataFrame, kind: str) -> "pd.Series[bool]":
    if kind == BIDI:
        return misleading_in(frame, DOCUMENT_FIELDS)
    return personal_in("documents", frame) if kind == PERSONAL else markup_in(frame, kind)


def _content_digests(frame: pd.DataFrame) -> bytes:
    texts = zip(frame["title"], frame["text"], strict=True)
    return b"".join(blake2b(f"{title}\0{text}".encode(), digest_size=16).digest() for title, text in texts)


def n_same_texts(documents: pd.DataFrame) -> int:
    """Return how many documents have title and text of an earlier one; of many, memory holds their digests only."""
    if len(documents) <= _MANY:
        return int(documents.duplicated(["title", "text"]).sum())
    parts = (documents.iloc[start : start + _MANY] for start in range(0, len(documents), _MANY))
    digests = np.frombuffer(b"".join(map(_content_digests, parts)), dtype=np.uint64).reshape(-1, 2)
    return len(documents) - len(_runs(digests)[1])


def _runs(digests: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places sorted by digest, equal ones in their order, and where each run of equal ones starts."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, np.flatnonzero(new)


def _without_dead(folder: Path) -> Path:
    """Remove what processes left that were killed while they read."""
    for left in folder.iterdir():
        owner = left.name.partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return folder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
