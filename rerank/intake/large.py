"""Files too large for memory, read block by block: JSONL, delimited text and Parquet, plain or gzip."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from rerank.intake.content import MAX_LINE_CHARS, Content, DuplicateKeyError, parse_json
from rerank.intake.decoding import (
    KNOWN_MARKS,
    is_escaped_japanese,
    is_nearly_utf8,
    japanese,
    line_at,
    mixture_in,
)
from rerank.intake.formats import delimited, jsonl, parquet
from rerank.intake.formats.registry import TEXT
from rerank.intake.noting import Ledger, note
from rerank.intake.sources import Source
from rerank.intake.tables import Table, lines_of

STREAM_BYTES = 64 * 2**20
BLOCK_CHARS = 8 * 2**20
_SCAN_BYTES = 4 * 2**20
_HEAD_BYTES = 2**20
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass(frozen=True)
class Scan:
    """What one pass over a file's bytes tells; encoding None with a finding when it cannot be read as text."""

    sha256: str
    encoding: str | None


class LargeFile:
    """A file whose rows are read block by block; `layout` is None when only a whole reading could tell what it is."""

    def __init__(self, source: Source, ledger: Ledger, named: Collection[str] = ()) -> None:
        """Look at the first bytes only."""
        self.source = source
        self._ledger = ledger
        self._named = named
        self.encoding: str | None = None
        with source.open() as file:
            head = file.read(_HEAD_BYTES)
        self._is_gzip = head.startswith(_GZIP)
        self.layout = "parquet" if head.startswith(_PARQUET) else self._text_layout(head)

    def _raw(self) -> BinaryIO:
        file = self.source.open()
        return cast("BinaryIO", gzip.GzipFile(fileobj=file)) if self._is_gzip else file

    def _text_layout(self, head: bytes) -> str | None:
        if self._is_gzip:
            try:
                with self._raw() as file:
                    head = file.read(_HEAD_BYTES)
            except (OSError, EOFError, zlib.error):
                return None
        mark = next((codec for start, codec in KNOWN_MARKS if head.startswith(start)), None)
        text = head.decode(mark or "utf-8", "replace")
        if "\n" not in text or (mark is None and b"\0" in head):
            return None
        content = Content.of_block(self.source.name, text[: text.rindex("\n")], 1, Ledger(), self._named)
        if not content.head or content.head[0].lstrip().startswith("["):
            return None  # a JSON list is one document, which is read whole
        if content.head[0].lstrip().startswith("{"):
            return "jsonl" if _is_object(content.head[0]) else None
        layout = next(name for name, module in TEXT.items() if module.sniff(content))
        return layout if layout == "delimited" else None

    def scan(self) -> Scan:
        """Read the file once for its digest and its encoding; findings say what is wrong with it."""
        if self.layout == "parquet":
            return Scan(self.source.sha256, None)
        try:
            return self._scanned()
        except (OSError, EOFError, zlib.error):
            self._ledger.findings.append(note("error", "gzip_broken", self.source.name))
            return Scan(self.source.sha256, None)

    def _scanned(self) -> Scan:
        name, findings = self.source.name, self._ledger.findings
        digest = hashlib.sha256()
        mark: str | None = None
        first_bad: tuple[int, str, bytes, int] | None = None
        n_lines = n_bad = n_other = 0
        is_start, is_iso = True, False
        with self._raw() as file:
            while True:
                piece = file.read(_SCAN_BYTES)
                piece += file.readline(4 * MAX_LINE_CHARS + 1)
                if not piece:
                    break
                digest.update(piece)
                if is_start:
                    mark = next((codec for start, codec in KNOWN_MARKS if piece.startswith(start)), None)
                    is_start = False
                if mark is None or mark == "utf-8-sig":
                    if b"\0" in piece:
                        line, value = line_at(piece, piece.index(b"\0"))
                        findings.append(note("error", "nul_bytes", name, n_lines + line, value))
                        return Scan(self.source.sha256, None)
                    if len(piece) > 4 * MAX_LINE_CHARS:
                        findings.append(note("error", "line_too_long", name, n_lines + 1, maximum=MAX_LINE_CHARS))
                        return Scan(self.source.sha256, None)
                    is_iso |= is_escaped_japanese(piece)
                    bad, other = _bad_bytes(piece)
                    if bad and first_bad is None:
                        at = _first_bad(piece)
                        line, value = line_at(piece, at)
                        first_bad = (n_lines + line, value, piece, n_lines)
                    n_bad += bad
                    n_other += other
                n_lines += piece.count(b"\n")
        sha256 = self.source.sha256 if self._is_gzip else digest.hexdigest()
        if mark is not None and mark != "utf-8-sig":
            self.encoding = mark
            findings.append(note("info", "text_encoding", name, encoding=mark))
        elif first_bad is None and is_iso and n_other == 0:
            self.encoding = "iso2022_jp"
            findings.append(note("info", "text_encoding", name, encoding="iso2022_jp"))
        elif first_bad is None:
            self.encoding = mark or "utf-8"
        elif is_nearly_utf8(n_bad, n_other):
            self.encoding = mark or "utf-8"
            findings.append(note("warning", "bytes_not_utf8", name, first_bad[0], first_bad[1], n_bytes=n_bad))
        else:
            found, mixed = japanese(first_bad[2]), mixture_in(first_bad[2])
            if mixed and mixed.encoding:
                at, value = line_at(first_bad[2], mixed.first)
                facts = {"encoding": mixed.encoding, "n_lines": mixed.n_utf8}
                findings.append(note("error", "encodings_mixed", name, first_bad[3] + at, value, **facts))
            elif found is None:
                findings.append(note("error", "encoding_unknown", name, first_bad[0], first_bad[1]))
            else:
                self.encoding = found[1]
                findings.append(note("info", "text_encoding", name, encoding=found[1]))
        return Scan(sha256, self.encoding)

    def tables(self, ledger: Ledger) -> Iterator[Table]:
        """Yield the rows block by block; refused rows and findings of a block are in the ledger when it comes."""
        if self.layout == "parquet":
            yield from self._parquet(ledger)
            return
        rows = delimited.BlockReader(self.source.name, self._named)
        for text, first_line, last in self._blocks(ledger):
            if self.layout == "jsonl":
                yield from jsonl.read(Content.of_block(self.source.name, text, first_line, ledger, self._named))
            else:
                yield Table(rows.rows(lines_of(text), first_line, ledger, last=last), "delimited")
        rows.end(ledger)

    def _blocks(self, ledger: Ledger) -> Iterator[tuple[str, int, bool]]:
        """Yield whole lines, the number of the first of them, and whether they are the last."""
        encoding = self.encoding or "utf-8"
        errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
        first_line = 1
        with self._raw() as raw, io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="") as file:
            try:
                text = _block(file)
                while text:
                    following = _block(file)
                    n_lines = len(lines_of(text)) - 1
                    if len(text) > BLOCK_CHARS + MAX_LINE_CHARS:
                        line = note("error", "line_too_long", self.source.name, first_line, maximum=MAX_LINE_CHARS)
                        ledger.findings.append(line)
                        return
                    whole = text.removesuffix("\n").removesuffix("\r")
                    yield whole, first_line, not following
                    first_line += n_lines
                    text = following
            except (UnicodeDecodeError, OSError, EOFError, zlib.error):
                broken = note("error", "encoding_broken", self.source.name, first_line, encoding=encoding)
                ledger.findings.append(broken)

    def _parquet(self, ledger: Ledger) -> Iterator[Table]:
        where = pa.BufferReader(self.source.data) if self.source.path is None else str(self.source.path)
        yield from parquet.tables(where, self.source.name, ledger)


def _block(file: io.TextIOWrapper) -> str:
    return file.read(BLOCK_CHARS) + file.readline(MAX_LINE_CHARS + 1)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except DuplicateKeyError:
        return True
    except (ValueError, RecursionError):
        return False


def _bad_bytes(piece: bytes) -> tuple[int, int]:
    """Return how many bytes UTF-8 forbids and how many other characters are not ASCII."""
    if piece.isascii():
        return 0, 0
    text = piece.decode("utf-8", "surrogateescape")
    n_other = len(text) - len(text.encode("ascii", "ignore"))
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        n_bad = sum(1 for character in text if "\udc80" <= character <= "\udcff")
        return n_bad, n_other - n_bad
    return 0, n_other


def _first_bad(piece: bytes) -> int:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.start
    return 0


def is_large(source: Source) -> bool:
    """Say whether a file is to be read block by block, if it can be."""
    return source.n_bytes > STREAM_BYTES
