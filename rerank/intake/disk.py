"""Samples on this machine's disk: a folder or a single file, with or without a mapping."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from rerank.errors import RerankError
from rerank.intake.folders import choose
from rerank.intake.large import is_large
from rerank.intake.mapping import FileMapping, read_mapping
from rerank.intake.noting import Ledger, note
from rerank.intake.reading import Draft, read_files
from rerank.intake.sources import Source

MAX_FILES = 1000
MAX_DEPTH = 3


def _source_of(
    path: Path,
    name: str,
    role: str | None = None,
    mapping: Mapping[str, str] | None = None,
    labels: Mapping[str, int] | None = None,
) -> Source:
    """Return a file with its bytes, or with its place when it is large."""
    found = Source(name, b"", role, mapping, labels or {}, path)
    try:
        return found if is_large(found) else found.loaded()
    except OSError as error:
        raise RerankError("input_unreadable", path=str(path), reason=error.strerror or "") from error


def _names_in(folder: Path) -> list[str]:
    """Return the files of a folder to a depth of 3, without hidden ones and links that lead out of it."""
    found: list[str] = []
    for at, inner, files in os.walk(folder):
        depth = len(Path(at).relative_to(folder).parts)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and depth + 1 < MAX_DEPTH)
        found += [
            (Path(at) / name).relative_to(folder).as_posix()
            for name in sorted(files)
            if not name.startswith(".") and folder.resolve() in (Path(at) / name).resolve().parents
        ]
        if len(found) > MAX_FILES:
            raise RerankError("folder_too_full", path=str(folder), maximum=MAX_FILES)
    return found


def read_folder(path: Path, mapping: Path | None = None) -> Draft:
    """Read a folder: the BEIR layout, or any files of the known kinds; with a mapping, what it names.

    Files that no role claims are listed as findings. Raises RerankError `input_not_found`, `input_unreadable`,
    `folder_too_full` (above 1,000 files) and what `read_mapping` raises.
    """
    if not path.is_dir():
        raise RerankError("input_not_found", path=str(path))
    ledger = Ledger()
    sources: list[Source] = []
    names = _names_in(path)
    chosen, unread = choose(names)
    if mapping is not None:
        used: set[Path] = set()
        for item in read_mapping(mapping):
            _add_mapped(path, item, sources, used, ledger)
        unread = [name for name in choose(names)[1] + [name for name, _ in chosen] if path / name not in used]
    else:
        sources = [_source_of(path / name, name, role) for name, role in chosen]
    ledger.findings.extend(note("info", "file_not_read", name) for name in sorted(unread))
    draft = read_files(sources, _facts_of(path))
    draft.findings[:0] = ledger.findings
    return draft


def read_file(path: Path, mapping: Path | None = None) -> Draft:
    """Read a single file: as its content suggests, or with a mapping as each of its tables that names the file says.

    Raises RerankError `input_not_found`, `input_unreadable`, `mapping_without_file` and what `read_mapping` raises.
    """
    if not path.is_file():
        raise RerankError("input_not_found", path=str(path))
    if mapping is None:
        return read_files([_source_of(path, path.name)])
    ledger = Ledger()
    sources: list[Source] = []
    for item in read_mapping(mapping):
        if (path.parent / item.file).resolve() == path.resolve():
            sources.append(_source_of(path, path.name, item.role, dict(item.columns), item.labels))
        else:
            ledger.findings.append(note("warning", "mapped_file_missing", item.file))
    if not sources:
        raise RerankError("mapping_without_file", path=str(mapping), file=path.name)
    draft = read_files(sources)
    draft.findings[:0] = ledger.findings
    return draft


def _add_mapped(folder: Path, item: FileMapping, sources: list[Source], used: set[Path], ledger: Ledger) -> None:
    file = (folder / item.file).resolve()
    if folder.resolve() not in file.parents or not file.is_file():
        ledger.findings.append(note("warning", "mapped_file_missing", item.file))
        return
    sources.append(_source_of(file, item.file, item.role, dict(item.columns), item.labels))
    used.add(folder / item.file)


def _facts_of(folder: Path) -> dict[str, object]:
    """Return what a folder's own manifest.json says of its origin; a broken one says nothing."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    kept = {name: found[name] for name in ("name", "synthetic", "licence", "description") if name in found}
    return {name: value for name, value in kept.items() if isinstance(value, (str, bool))}
