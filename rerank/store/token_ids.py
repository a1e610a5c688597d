"""Token ids on disk: ragged, memory-mapped, named by digests, whole or not there."""

import hashlib
import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rerank.store.artefacts import write_atomically
from rerank.store.home import room

Ids = NDArray[np.int32]

# A file: magic, numbers of texts and of ids, check of the index; then keys in order, where each text's ids end,
# a check of each text's ids; then all ids.
_MAGIC = b"rerank ids 1\n\0\0\0"
_KEY, _CHECK = 32, 16  # bytes
_HEAD = len(_MAGIC) + 2 * 8 + _CHECK
_SUFFIX = ".ids"

# So many files are made one the next time that something is written; large ones stay as they are.
MOST_FILES = 32
LARGE_BYTES = 64 * 2**20


def _check(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=_CHECK).digest()


class _File:
    """One mapped file whose index is sound; a text's ids are checked whenever they are looked up."""

    def __init__(self, path: Path) -> None:
        """Map a file. Raises OSError or ValueError when it is not there, cut or altered."""
        self.path = path
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(mapped)
        head = mapped[:_HEAD]
        n_texts, n_ids = (int(value) for value in np.frombuffer(head, "<i8", 2, len(_MAGIC)))
        start = _HEAD + n_texts * (_KEY + 8 + _CHECK)
        if head[: len(_MAGIC)] != _MAGIC or n_texts < 1 or n_ids < 0 or self.size != start + 4 * n_ids:
            raise ValueError(path.name)
        if _check(head[:-_CHECK], mapped[_HEAD:start]) != head[-_CHECK:]:
            raise ValueError(path.name)
        self.keys = np.frombuffer(mapped, f"S{_KEY}", n_texts, _HEAD)
        self._ends = np.frombuffer(mapped, "<i8", n_texts, _HEAD + n_texts * _KEY)
        self._checks = np.frombuffer(mapped, f"V{_CHECK}", n_texts, _HEAD + n_texts * (_KEY + 8))
        self._ids: Ids = np.frombuffer(mapped, "<i4", n_ids, start)

    def at(self, place: int) -> Ids | None:
        """Return the ids of the text at a place, a view of the map; None when they were altered."""
        ids = self._ids[self._ends[place - 1] if place else 0 : self._ends[place]]
        key = bytes(self.keys[place]).ljust(_KEY, b"\0")
        return ids if _check(key, ids.tobytes()) == self._checks[place].tobytes() else None

    def find(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Ids]]:
        """Yield those of the texts that are here and unaltered."""
        wanted = np.array(keys, dtype=f"S{_KEY}")
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        for number in np.flatnonzero(self.keys[places] == wanted).tolist():
            ids = self.at(int(places[number]))
            if ids is not None:
                yield keys[number], ids


def _write(stream: BinaryIO, texts: Mapping[bytes, Ids]) -> None:
    """Write a file's content; only its index is held in memory."""
    keys = sorted(texts)
    ends = np.cumsum([len(texts[key]) for key in keys], dtype="<i8")
    checks = b"".join(_check(key, texts[key].tobytes()) for key in keys)
    index = b"".join(keys) + ends.tobytes() + checks
    head = _MAGIC + np.array([len(keys), ends[-1]], dtype="<i8").tobytes()
    stream.write(head + _check(head, index) + index)
    for key in keys:
        stream.write(texts[key].astype("<i4", copy=False).tobytes())


class TokenIds:
    """The token ids of texts under one tokenizer, shared by every process of this home.

    A key is a text's SHA-256 (32 bytes). Files are written whole and never changed, so that readers need no lock;
    two writers at most keep a text twice. What is cut or altered on disk counts as not there.
    """

    def __init__(self, tokenizer_digest: str) -> None:
        self._folder = room("tokens") / tokenizer_digest
        self._files: dict[str, _File | None] = {}  # by name; None: not sound

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Ids]:
        """Return the ids of those texts that are known, as read-only views of the mapped files."""
        found = self._among([file for file in self._files.values() if file], keys)
        missing = [key for key in keys if key not in found]
        return found | self._among(self._newer_files(), missing) if missing else found

    def add(self, texts: Mapping[bytes, Ids]) -> None:
        """Write the ids of texts; many small files are made one. Raises OSError when nothing can be written."""
        if not texts:
            return
        self._newer_files()
        small = [file for file in self._files.values() if file and file.size < LARGE_BYTES]
        merged = small if len(small) >= MOST_FILES else []
        whole = dict(texts)
        for file in merged:
            for place in range(len(file.keys)):
                ids = file.at(place)
                if ids is not None:
                    whole.setdefault(bytes(file.keys[place]).ljust(_KEY, b"\0"), ids)
        path = self._folder / f"{_check(*sorted(whole)).hex()}{_SUFFIX}"

        def write(part: Path) -> None:
            with part.open("wb") as stream:
                _write(stream, whole)

        write_atomically(path, write)
        for file in merged:
            self._files.pop(file.path.name, None)
            if file.path != path:
                file.path.unlink(missing_ok=True)  # whoever has mapped it keeps it
        self._open(path)

    def _among(self, files: Sequence[_File], keys: Sequence[bytes]) -> dict[bytes, Ids]:
        found: dict[bytes, Ids] = {}
        for file in files:
            missing = [key for key in keys if key not in found]
            if not missing:
                break
            found.update(file.find(missing))
        return found

    def _newer_files(self) -> list[_File]:
        """Return the sound files that appeared since the last look."""
        paths = sorted(path for path in self._folder.glob(f"*{_SUFFIX}") if path.name not in self._files)
        return [file for path in paths if (file := self._open(path))]

    def _open(self, path: Path) -> _File | None:
        try:
            self._files[path.name] = _File(path)
        except FileNotFoundError:  # another process has just merged it
            return None
        except (OSError, ValueError):
            self._files[path.name] = None
        return self._files[path.name]
