"""Zip and gzip archives as the files in them, within limits."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from rerank.intake.content import Content
from rerank.intake.decoding import MAX_TEXT_BYTES
from rerank.intake.folders import choose
from rerank.intake.formats import workbook
from rerank.intake.noting import Ledger, note
from rerank.intake.sources import Source

MAX_MEMBERS = 1000
MAX_TOTAL_BYTES = 2 * MAX_TEXT_BYTES
MAX_DEPTH = 16
_GZIP = b"\x1f\x8b"
_ENCRYPTED = 0x1
_IS_UTF8 = 0x800
_OTHER = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"%PDF", "pdf"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)

_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!doctype\s+html|<html)\b", re.IGNORECASE)


def unpacked(source: Source, ledger: Ledger) -> list[Source]:
    """Return the files of an archive, or the source itself when it is none. Raises nothing.

    Names stay text: nothing is written to disk. What is too large, encrypted, damaged, nested or named so that it
    would leave its folder is refused with a finding, and the whole archive with it when its size cannot be trusted.
    """
    if source.data.startswith(_GZIP):
        inner = _gunzipped(source.data)
        if inner is not None and (inner.startswith((b"PK", b"PAR1")) or inner[257:262] == b"ustar"):
            return unpacked(replace(source, data=inner), ledger)
        return [source]
    kind = next((name for magic, name in _OTHER if source.data.startswith(magic)), None)
    kind = "tar" if source.data[257:262] == b"ustar" else kind
    kind = "html" if _WEB_PAGE.match(source.data[:1024]) else kind  # often the page that asked to sign in
    if kind is not None:
        ledger.findings.append(note("error", "archive_not_supported", source.name, kind=kind))
        return []
    if not source.data.startswith(b"PK") or workbook.sniff(Content(source.name, source.data, Ledger())):
        return [source]
    before = len(ledger.findings)
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            return list(_members(archive, source, ledger))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError):
        del ledger.findings[before:]
        ledger.findings.append(note("error", "archive_broken", source.name))
        return []


def _gunzipped(data: bytes) -> bytes | None:
    """Return the content when it is small enough and whole; the decoder says what is wrong with any other."""
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            start = stream.read(512)
            if not (start.startswith((b"PK", b"PAR1")) or start[257:262] == b"ustar"):
                return None
            rest = stream.read(MAX_TEXT_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return start + rest if len(rest) <= MAX_TEXT_BYTES else None


def _name(item: zipfile.ZipInfo) -> str:
    """Return a member's name; Japanese Windows writes CP932 where the format says CP437."""
    if not item.flag_bits & _IS_UTF8:
        try:
            return item.filename.encode("cp437").decode("cp932")
        except UnicodeError:
            pass
    return item.filename


def _members(archive: zipfile.ZipFile, source: Source, ledger: Ledger) -> Iterator[Source]:
    items = {}
    for item in archive.infolist():
        name = _name(item).replace("\\", "/")
        parts = PurePosixPath(name).parts
        if item.is_dir() or any(
            (part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts
        ):
            continue
        if ".." in parts or name.startswith("/") or ":" in name or len(parts) > MAX_DEPTH or "\0" in name:
            ledger.findings.append(note("error", "archive_name_unsafe", source.name, value=name))
            continue
        if name in items:
            ledger.findings.append(note("error", "archive_name_repeated", source.name, value=name))
            continue
        items[name] = item
    if len(items) > MAX_MEMBERS:
        ledger.findings.append(
            note("error", "archive_too_many_files", source.name, n_files=len(items), maximum=MAX_MEMBERS)
        )
        return
    chosen, unread = choose(list(items))
    ledger.findings.extend(note("info", "file_not_read", f"{source.name}/{name}") for name in unread)
    if sum(items[name].file_size for name, _ in chosen) > MAX_TOTAL_BYTES:
        ledger.findings.append(note("error", "archive_too_large", source.name, max_bytes=MAX_TOTAL_BYTES))
        return
    found = []
    for name, role in chosen:
        whole = f"{source.name}/{name}"
        if items[name].flag_bits & _ENCRYPTED:
            ledger.findings.append(note("error", "archive_encrypted", whole))
            continue
        data = archive.read(items[name])  # never more than the size that was checked above
        if data.startswith(b"PK") and not workbook.sniff(Content(whole, data, Ledger())):
            ledger.findings.append(note("error", "archive_nested", whole))
            continue
        found.append(Source(whole, data, role))
    if not found:
        ledger.findings.append(note("error", "archive_empty", source.name))
    yield from found
