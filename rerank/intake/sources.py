"""What a user hands over: a file's bytes, and what they say about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

LEAVE_OUT = "leave_out"


@dataclass(frozen=True)
class Source:
    """One file: its name, its bytes and, if the user said so, its role and `{field: column}`."""

    name: str
    data: bytes
    role: str | None = None
    mapping: Mapping[str, str] | None = None
    labels: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Choice:
    """What the user says about a table: its role or `leave_out`, `{field: column}` and `{label: grade}`."""

    role: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)


def key_of(sha256: str, part: str = "") -> str:
    """Return what names a table of a file in choices: 12 digits of the content's and the sheet's digest."""
    return hashlib.sha256(f"{sha256}\0{part}".encode("utf-8", "replace")).hexdigest()[:12] if part else sha256[:12]
