"""Digests that name artefacts: equal content, equal name."""

import hashlib
import json
from pathlib import Path


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys, no spaces and no NaN: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """Return the SHA-256 (64 hex digits) of a JSON-serialisable value's canonical form."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 (64 hex digits) of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
