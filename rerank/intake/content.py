"""A file opened as far as its formats need: bytes, text, lines, or one JSON document."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from rerank.intake.decoding import decode
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import lines_of

N_HEAD = 50
MAX_LINE_CHARS = 16 * 2**20
MAX_JSON_BYTES = 256 * 2**20


class DuplicateKeyError(ValueError):
    """An object that names a key twice: which of the values is meant is unknown."""


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object's fields for `json.loads`. Raises DuplicateKeyError with the key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise DuplicateKeyError(next(name for name in names if names.count(name) > 1))
    return found


def parse_json(text: str) -> object:
    """Return parsed JSON whose numbers keep the digits they were written with, as text.

    Raises ValueError (DuplicateKeyError among them) or RecursionError.
    """
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=unique_keys)


def is_absurdly_long(data: bytes) -> bool:
    """Tell whether a line has more bytes than the longest line that is read can have in any encoding."""
    limit = MAX_JSON_BYTES if data[:64].lstrip().startswith((b"{", b"[")) else 4 * MAX_LINE_CHARS
    start = 0
    while len(data) - start > limit:
        end = data.rfind(b"\n", start, start + limit + 1)
        if end < 0:
            return True
        start = end + 1
    return False


@dataclass(frozen=True)
class _Document:
    value: object
    is_one: bool  # False: the file is no single JSON document
    broken: bool


class Content:
    """What formats look at when they decide whether a file is theirs; each view is made once."""

    def __init__(self, file: str, data: bytes, ledger: Ledger, named: Collection[str] = ()) -> None:
        """Take a file's name and bytes; `named` are columns that the user's mapping names."""
        self.first_line = 1
        self.file = file
        self.data = data
        self.ledger = ledger
        self.named = frozenset(named)
        self.encoding: str | None = None

    @classmethod
    def of_block(cls, file: str, text: str, first_line: int, ledger: Ledger, named: Collection[str]) -> "Content":
        """Return a part of a file that is read block by block: whole lines, the first of them with its number."""
        found = cls(file, b"", ledger, named)
        found.__dict__["text"] = text  # the cached property, already known
        found.first_line = first_line
        return found

    @cached_property
    def text(self) -> str | None:
        """Return the decoded text; None, with a finding, when there is none or a line is absurdly long."""
        if is_absurdly_long(self.data):  # before a gigabyte is decoded for nothing
            self.ledger.findings.append(note("error", "line_too_long", self.file, 1, maximum=MAX_LINE_CHARS))
            return None
        decoded = decode(self.data, self.file)
        self.ledger.findings.extend(decoded.findings)
        self.encoding = decoded.encoding
        if decoded.text is not None and len(decoded.text) > MAX_LINE_CHARS:
            for number, line in enumerate(lines_of(decoded.text), start=1):
                # One JSON document may be one line; any other line of this length is no row of a table.
                if len(line) > MAX_LINE_CHARS and not line.startswith(("{", "[")):
                    found = note("error", "line_too_long", self.file, number, line, maximum=MAX_LINE_CHARS)
                    self.ledger.findings.append(found)
                    return None
        return decoded.text

    @cached_property
    def lines(self) -> list[str]:
        """Return the text's lines."""
        return lines_of(self.text or "")

    @cached_property
    def head(self) -> list[str]:
        """Return the first lines that are not blank."""
        found: list[str] = []
        for line in self.lines:
            if line.strip():
                found.append(line)
                if len(found) == N_HEAD:
                    break
        return found

    @cached_property
    def _document(self) -> _Document:
        start = self.head[0].lstrip() if self.head else ""
        nothing = _Document(None, False, False)
        if not start.startswith(("{", "[")):
            return nothing
        if start.startswith("{") and len(self.head) > 1:
            try:
                parse_json(self.head[0])
            except DuplicateKeyError:
                return nothing  # still a line of its own
            except (ValueError, RecursionError):
                pass
            else:
                return nothing  # the first line is an object of its own: one object per line
        try:
            return _Document(parse_json(self.text or ""), True, False)
        except DuplicateKeyError as error:
            if len(self.head) == 1 and start.startswith("{"):
                return nothing
            self.ledger.findings.append(note("error", "json_duplicate_key", self.file, 1, str(error), key=str(error)))
            return _Document(None, True, True)
        except (ValueError, RecursionError) as error:
            if start.startswith("{"):
                return nothing  # read line by line, so that every broken line is named
            line = getattr(error, "lineno", 1)
            value = self.lines[line - 1] if line <= len(self.lines) else ""
            self.ledger.findings.append(note("error", "json_broken", self.file, line, value))
            return _Document(None, True, True)

    @property
    def document(self) -> object:
        """Return the parsed value when the file is one JSON document, else None; numbers are text."""
        return self._document.value

    @property
    def is_broken_document(self) -> bool:
        """Tell whether the file starts as one JSON document and is not; the finding is written."""
        return self._document.broken
