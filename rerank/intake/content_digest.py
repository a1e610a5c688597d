"""The digest that names a dataset: of its sorted content, whatever the order of the rows."""

import hashlib
import heapq
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from rerank.digests import canonical_json, digest_of
from rerank.intake.mapping import FIELDS
from rerank.store.columns import batches_of
from rerank.store.home import room


def _content(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[list[str]]:
    """Return a frame's rows as sorted texts: the same content in another order is the same dataset."""
    rows = frame[list(columns)].astype("str").to_numpy().tolist()
    return sorted(rows)


def dataset_digest(frames: Mapping[str, pd.DataFrame], documents_at: Path | None = None) -> str:
    """Return the SHA-256 of the content of all tables, whatever the order of their rows.

    documents_at: the folder of the documents' columns when they are too many for memory; their frame is not looked at.
    """
    if documents_at is not None:
        others = {role: frame for role, frame in frames.items() if role != "documents"}
        batches = batches_of(documents_at, FIELDS["documents"])
        with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=room("imports")) as runs:
            return streamed_digest(others, batches, Path(runs))
    return digest_of({role: _content(frame, FIELDS[role]) for role, frame in sorted(frames.items())})


def streamed_digest(frames: Mapping[str, pd.DataFrame], documents: Iterable[pd.DataFrame], folder: Path) -> str:
    """Return the same digest when documents, whose ids are unique, come in batches that memory could not hold at once.

    folder: for sorted runs, one per batch, which are merged and removed.
    """
    found = hashlib.sha256(b"{")
    for place, role in enumerate(sorted({*frames, "documents"})):
        found.update(f"{',' if place else ''}{canonical_json(role)}:".encode())
        if role != "documents":
            found.update(canonical_json(_content(frames[role], FIELDS[role])).encode())
            continue
        found.update(b"[")
        for number, row in enumerate(_sorted_rows(documents, folder)):
            found.update(b"," + row if number else row)
        found.update(b"]")
    found.update(b"}")
    return found.hexdigest()


def _sorted_rows(batches: Iterable[pd.DataFrame], folder: Path) -> Iterator[bytes]:
    """Yield all rows as canonical JSON in the order of their ids, by an external merge sort."""
    folder.mkdir(parents=True, exist_ok=True)
    runs: list[Path] = []
    for batch in batches:
        run = folder / f"run-{len(runs)}.jsonl"
        rows = _content(batch, FIELDS["documents"])
        run.write_bytes(b"".join(canonical_json(row).encode() + b"\n" for row in rows))
        runs.append(run)
    with ExitStack() as opened:
        files = [opened.enter_context(run.open("rb")) for run in runs]
        for row, _ in heapq.merge(
            *(((line, _id_of(line)) for line in file) for file in files), key=lambda item: item[1]
        ):
            yield row.removesuffix(b"\n")
    for run in runs:
        run.unlink()


def _id_of(line: bytes) -> str:
    return str(json.loads(line)[0])
