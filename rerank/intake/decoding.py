"""From bytes to text, or to the reason why not."""

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass

from rerank.intake.findings import Finding
from rerank.intake.noting import note

MAX_TEXT_BYTES = 256 * 2**20
KNOWN_MARKS = (  # longest first: the mark of UTF-32-LE starts with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = ((b"PK\x03\x04", "zip"), (b"PAR1", "parquet"))
_KANA = re.compile("[\u3041-\u30ff]")
_HAN = re.compile("[\u4e00-\u9fff]")
_HAN_PAIR = re.compile("[\u4e00-\u9fff]{2,}")
_UNLIKELY = re.compile("[\uff61-\uff9f\ue000-\uf8ff]")  # half-width katakana, private use: the wrong codec
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@")
_ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Decoded:
    """A file's text (None when it cannot be read), the codec that read it, and what there is to say."""

    text: str | None
    encoding: str | None
    findings: tuple[Finding, ...]


def _refused(code: str, file: str, line: int | None = None, value: str | None = None, **facts: object) -> Decoded:
    return Decoded(None, None, (note("error", code, file, line, value, **facts),))


def line_at(data: bytes, position: int) -> tuple[int, str]:
    """Return the number and the text, best effort, of the line that holds a byte."""
    start = data.rfind(b"\n", 0, position) + 1
    line = data[start : start + 400].split(b"\n")[0]
    return data.count(b"\n", 0, position) + 1, line.decode("utf-8", "replace")


def japanese(data: bytes) -> tuple[str, str] | None:
    """Return text and codec when the bytes are plausible CP932 or EUC-JP, else None.

    Both codecs accept much that is neither; kana, or han in runs, tell Japanese from accented Latin letters.
    """
    best: tuple[float, str, str] | None = None
    for encoding in ("cp932", "euc_jp"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        n_kana, n_han = len(_KANA.findall(text)), len(_HAN.findall(text))
        n_paired = sum(len(run) for run in _HAN_PAIR.findall(text))
        n_unlikely = len(_UNLIKELY.findall(text))
        if n_unlikely > n_kana + n_han or (n_kana == 0 and 2 * n_paired < n_han) or n_kana + n_han == 0:
            continue
        score = n_kana + n_han - 2.0 * n_unlikely
        if best is None or score > best[0]:
            best = (score, text, encoding)
    return None if best is None else (best[1], best[2])


@dataclass(frozen=True)
class Mixture:
    """Lines of Japanese in UTF-8 beside lines that are none: how many, where the first is, the codec of the others."""

    n_utf8: int
    n_other: int
    first: int
    encoding: str | None


def mixture_in(data: bytes) -> Mixture | None:
    """Return what is mixed in bytes, None when no line is Japanese in UTF-8.

    Kana and han take three bytes there: bytes of CP932 or EUC-JP hardly ever look like them by chance.
    """
    others: list[bytes] = []
    n_utf8 = first = position = 0
    for line in data.split(b"\n"):
        if not line.isascii():
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                others.append(line)
            else:
                if _KANA.search(text) or _HAN.search(text):
                    first = first if n_utf8 else position
                    n_utf8 += 1
        position += len(line) + 1
    if not n_utf8:
        return None
    found = japanese(b"\n".join(others))
    return Mixture(n_utf8, len(others), first, found[1] if found else None)


def is_escaped_japanese(data: bytes) -> bool:
    """Tell whether ASCII bytes are ISO-2022-JP, the Japanese of old mail and mainframes."""
    return any(mark in data for mark in _ISO_2022_JP)


def is_nearly_utf8(n_bad: int, n_good: int) -> bool:
    """Say whether so few bytes are forbidden, beside characters above ASCII, that the others are UTF-8."""
    return 10 * n_bad <= n_good


def _without_mark(data: bytes, file: str) -> Decoded:
    """Decode bytes that carry no byte-order mark: UTF-8 first, then nearly UTF-8, then Japanese codecs."""
    if data.isascii() and is_escaped_japanese(data):
        try:
            text = data.decode("iso2022_jp")
        except UnicodeDecodeError as problem:
            line, value = line_at(data, problem.start)
            return _refused("encoding_broken", file, line, value, encoding="iso2022_jp")
        return Decoded(text, "iso2022_jp", (note("info", "text_encoding", file, encoding="iso2022_jp"),))
    try:
        return Decoded(data.decode("utf-8"), "utf-8", ())
    except UnicodeDecodeError as problem:
        line, value = line_at(data, problem.start)
    text = data.decode("utf-8", "surrogateescape")
    n_bad = len(_ESCAPED.findall(text))
    n_good = sum(1 for character in text if ord(character) > 127) - n_bad
    is_nearly = is_nearly_utf8(n_bad, n_good)
    mixed = None if is_nearly else mixture_in(data)  # line by line: only where it decides anything
    if is_nearly or (mixed and mixed.n_utf8 > mixed.n_other):
        return Decoded(text, "utf-8", (note("warning", "bytes_not_utf8", file, line, value, n_bytes=n_bad),))
    if mixed and mixed.encoding:
        line, value = line_at(data, mixed.first)
        return _refused("encodings_mixed", file, line, value, encoding=mixed.encoding, n_lines=mixed.n_utf8)
    found = japanese(data)
    if found is None:
        return _refused("encoding_unknown", file, line, value)
    return Decoded(*found, (note("info", "text_encoding", file, encoding=found[1]),))


def decode(data: bytes, file: str, max_bytes: int = MAX_TEXT_BYTES) -> Decoded:
    """Return the text of a file: UTF-8, UTF-16 with its mark, CP932, EUC-JP or ISO-2022-JP, plain or gzip.

    A gzip file may unpack to `max_bytes` at most. Bytes that UTF-8 forbids in a file that is UTF-8 otherwise
    stay in the text as lone surrogates, so that only their rows are refused. Raises nothing.
    """
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(max_bytes + 1)
        except (OSError, EOFError, zlib.error):
            return _refused("gzip_broken", file)
        if len(data) > max_bytes:
            return _refused("gzip_too_large", file, max_bytes=max_bytes)
    for magic, kind in _BINARY:
        if data.startswith(magic):
            return _refused("archive_not_supported", file, kind=kind)
    for mark, encoding in KNOWN_MARKS:
        if data.startswith(mark):
            try:
                decoded = Decoded(data.decode(encoding), encoding.removesuffix("-sig"), ())
            except UnicodeDecodeError as problem:
                line, value = line_at(data, problem.start)
                return _refused("encoding_broken", file, line, value, encoding=encoding)
            break
    else:
        if b"\0" in data:
            return _refused("nul_bytes", file, *line_at(data, data.index(b"\0")))
        decoded = _without_mark(data, file)
    if decoded.text is None:
        return decoded
    if "\0" in decoded.text:
        line = decoded.text.count("\n", 0, decoded.text.index("\0")) + 1
        return _refused("nul_bytes", file, line)
    if not decoded.text.strip():
        return _refused("file_empty", file)
    if decoded.encoding in ("utf-16", "utf-32"):
        finding = note("info", "text_encoding", file, encoding=decoded.encoding)
        return Decoded(decoded.text, decoded.encoding, (finding,))
    return decoded
