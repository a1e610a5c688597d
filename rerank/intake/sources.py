"""What a user hands over: a file's bytes, and what they say about it."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from rerank.digests import digest_of_file
from rerank.errors import RerankError

LEAVE_OUT = "leave_out"


@dataclass(frozen=True)
class Source:
    """One file: its name, its bytes and, if the user said so, its role and `{field: column}`.

    path: where the bytes lie when there are too many to hold; `data` is empty then.
    """

    name: str
    data: bytes
    role: str | None = None
    mapping: Mapping[str, str] | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    path: Path | None = None

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest() if self.path is None else digest_of_file(self.path)

    @cached_property
    def n_bytes(self) -> int:
        """Return the size."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def loaded(self) -> "Source":
        """Return the file with its bytes in memory. Raises RerankError `input_unreadable`."""
        return self if self.path is None else replace(self, data=bytes_of(self.path), path=None)


def bytes_of(path: Path) -> bytes:
    """Return a file's bytes. Raises RerankError `input_unreadable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RerankError("input_unreadable", path=str(path), reason=error.strerror or "") from error


@dataclass(frozen=True)
class Choice:
    """What the user says about a table: its role or `leave_out`, `{field: column}` and `{label: grade}`."""

    role: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)


def key_of(sha256: str, part: str = "") -> str:
    """Return what names a table of a file in choices: 12 digits of the content's and the sheet's digest."""
    return hashlib.sha256(f"{sha256}\0{part}".encode("utf-8", "replace")).hexdigest()[:12] if part else sha256[:12]
