"""Columns of text too large for memory: Arrow's own buffers in files, mapped when they are read."""

import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import pandas as pd
import pyarrow as pa

_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)  # what "str" means in pandas


class ColumnWriter:
    """Appends rows of text to a folder: per column the bytes one after another, and where each text ends."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Create the folder if it is missing; what it holds under these names is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.names = tuple(names)
        self.n_rows = 0
        self._ends = dict.fromkeys(self.names, 0)
        self._files: dict[str, tuple[BinaryIO, BinaryIO]] = {}
        for name in self.names:
            offsets = (folder / f"{name}.offsets").open("wb")
            offsets.write(np.zeros(1, dtype=np.int64).tobytes())
            self._files[name] = (offsets, (folder / f"{name}.bytes").open("wb"))

    def write(self, frame: pd.DataFrame) -> None:
        """Append a frame's rows; it has all columns, without missing values."""
        for name in self.names:
            array = pa.array(frame[name], type=pa.large_string())
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            _, offsets, data = array.buffers()
            places = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
            written, texts = self._files[name]
            written.write((places[1:] - places[0] + self._ends[name]).tobytes())
            if data is not None:
                texts.write(data.slice(int(places[0]), int(places[-1] - places[0])))
            self._ends[name] += int(places[-1] - places[0])
        self.n_rows += len(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the files."""
        for offsets, texts in self._files.values():
            offsets.close()
            texts.close()


def n_rows_in(folder: Path, name: str) -> int:
    """Return how many rows a column has."""
    return (folder / f"{name}.offsets").stat().st_size // 8 - 1


def mapped_columns(folder: Path, names: Sequence[str]) -> pd.DataFrame:
    """Return columns as a frame over the mapped files: a text is read from disk when it is looked at.

    Raises OSError when a file is missing and ValueError when its parts do not belong together.
    """
    found = {}
    for name in names:
        offsets, texts = folder / f"{name}.offsets", folder / f"{name}.bytes"
        n_rows, n_bytes = n_rows_in(folder, name), texts.stat().st_size
        ends = np.memmap(offsets, dtype=np.int64, mode="r", shape=(n_rows + 1,))
        if int(ends[-1]) != n_bytes:
            raise ValueError(name)
        data = pa.py_buffer(np.memmap(texts, dtype=np.uint8, mode="r")) if n_bytes else pa.py_buffer(b"")
        array = pa.LargeStringArray.from_buffers(n_rows, pa.py_buffer(ends), data)
        found[name] = pd.Series(pd.array(pa.chunked_array([array]), dtype=_TEXT))
    return pd.DataFrame(found, copy=False)


def batches_of(folder: Path, names: Sequence[str], n_rows: int = 50_000) -> Iterator[pd.DataFrame]:
    """Yield the rows in order, `n_rows` at a time, by plain reading: memory holds one batch."""
    total = n_rows_in(folder, names[0])
    ends = {name: np.memmap(folder / f"{name}.offsets", dtype=np.int64, mode="r") for name in names}
    files = {name: (folder / f"{name}.bytes").open("rb") for name in names}
    try:
        for start in range(0, total, n_rows):
            stop = min(total, start + n_rows)
            found = {}
            for name in names:
                places = np.array(ends[name][start : stop + 1])
                data = files[name].read(int(places[-1] - places[0]))
                buffers = pa.py_buffer(places - places[0]), pa.py_buffer(data)
                array = pa.LargeStringArray.from_buffers(stop - start, *buffers)
                found[name] = pd.Series(pd.array(pa.chunked_array([array]), dtype=_TEXT))
            yield pd.DataFrame(found, copy=False)
    finally:
        for file in files.values():
            file.close()


def rows_at(folder: Path, names: Sequence[str], places: Sequence[int]) -> pd.DataFrame:
    """Return a few rows by plain reading: a mapped file would bring the surroundings of each into memory."""
    found = {}
    for name in names:
        ends = np.memmap(folder / f"{name}.offsets", dtype=np.int64, mode="r")
        texts = []
        with (folder / f"{name}.bytes").open("rb") as file:
            for place in places:
                file.seek(int(ends[place]))
                texts.append(file.read(int(ends[place + 1] - ends[place])).decode())
        found[name] = pd.Series(texts, dtype="str")
    return pd.DataFrame(found)


def link_columns(source: Path, target: Path, names: Sequence[str]) -> None:
    """Let another folder have the columns too: by hard links, or by copies where the file system knows none."""
    target.mkdir(parents=True)
    for name, kind in itertools.product(names, ("offsets", "bytes")):
        file = f"{name}.{kind}"
        try:
            os.link(source / file, target / file)
        except OSError:
            shutil.copyfile(source / file, target / file)
