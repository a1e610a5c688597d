"""From files to a draft: every role's rows, every finding, every refused row."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.checks import check_whole
from rerank.intake.decoding import decode
from rerank.intake.findings import Finding
from rerank.intake.mapping import (
    FIELDS,
    REQUIRED,
    ROLES,
    FileMapping,
    guess_headerless,
    guess_role,
    propose,
    read_mapping,
)
from rerank.intake.noting import Ledger, RejectedRow, note
from rerank.intake.rows import READERS
from rerank.intake.tables import LINE, Table, read_table

N_PREVIEW = 5
READABLE = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".trec", ".run", ".qrels", ".gz")
_NOT_DATA = ("readme", "source", "stats", "manifest", "licence", "license", "agreement")


@dataclass(frozen=True)
class Source:
    """One file: its name, its bytes and, if the user said so, its role and `{field: column}`."""

    name: str
    data: bytes
    role: str | None = None
    mapping: Mapping[str, str] | None = None


@dataclass(frozen=True)
class FileRead:
    """What was made of one file; `preview` holds its first rows as text."""

    name: str
    role: str | None
    mapping: Mapping[str, str]
    columns: tuple[str, ...]
    preview: pd.DataFrame
    n_rows: int
    n_bytes: int
    sha256: str
    encoding: str | None


@dataclass(frozen=True)
class Draft:
    """What the files hold, before anybody decided to keep it.

    frames: by role, the usable rows with `file` and `line`; roles that no file has are absent.
    """

    frames: Mapping[str, pd.DataFrame]
    files: tuple[FileRead, ...]
    findings: list[Finding] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    facts: Mapping[str, object] = field(default_factory=dict)


def _decide(table: Table, source: Source, ledger: Ledger) -> tuple[str | None, dict[str, str]]:
    """Return a table's role and mapping: the user's word first, then the layout, then the headers."""
    columns = table.columns
    if source.role is not None and source.role not in ROLES:
        raise RerankError("unknown_role", role=source.role, file=source.name)
    if table.layout == "qrels":
        return source.role or "judgments", {name: name for name in ("query_id", "doc_id", "grade")}
    if table.layout == "run":
        of_run = source.role or ("teacher_scores" if "teacher" in source.name.lower() else "candidates")
        return of_run, {name: name for name in FIELDS[of_run] if name in columns}
    role: str | None = source.role
    mapping = dict(source.mapping or {})
    headerless = bool(columns) and columns == tuple(str(number) for number in range(1, len(columns) + 1))
    if headerless and not mapping:
        last = table.rows[columns[-1]].str.fullmatch(r"\s*\d{1,2}\s*")
        guessed = guess_headerless(len(columns), source.name, bool(last.mean() > 0.5))
        if guessed is not None and role in (None, guessed[0]):
            return guessed
    if role is None:
        scores = [name for name in columns if name.lower() == "score"]
        whole = bool(scores) and bool(table.rows[scores[0]].str.fullmatch(r"\s*\d{1,2}\s*").mean() > 0.5)
        role = guess_role(columns, source.name, whole)
    if role is None:
        ledger.findings.append(note("error", "role_unknown", source.name, 1, columns=", ".join(columns[:30])))
        return None, {}
    for name, column in list(mapping.items()):
        if column not in columns:
            ledger.findings.append(
                note("error", "mapped_column_missing", source.name, 1, column, field=name, column=column)
            )
            del mapping[name]
    taken = set(mapping.values())
    proposed = propose([name for name in columns if name not in taken], role)
    return role, {**proposed, **mapping}


def _is_complete(role: str, mapping: Mapping[str, str], table: Table, source: Source, ledger: Ledger) -> bool:
    missing = [name for name in REQUIRED[role] if name not in mapping]
    if role == "documents" and "title" in mapping:
        missing = [name for name in missing if name != "text"]
    if role == "candidates" and not {"rank", "score"} & set(mapping):
        missing.append("rank")
    for name in missing:
        listed = ", ".join(table.columns[:30])
        ledger.findings.append(note("error", "column_missing", source.name, 1, field=name, role=role, columns=listed))
    return not missing


def read_files(sources: Sequence[Source], facts: Mapping[str, object] | None = None) -> Draft:
    """Read files in any of the known layouts and check them as one sample. Raises nothing but RerankError.

    facts: what the user's own manifest says (`synthetic`, `licence`), kept with the dataset.
    """
    ledger = Ledger()
    frames: dict[str, list[pd.DataFrame]] = {}
    files: list[FileRead] = []
    for source in sources:
        decoded = decode(source.data, source.name)
        ledger.findings.extend(decoded.findings)
        role: str | None = None
        mapping: dict[str, str] = {}
        named = set((source.mapping or {}).values())
        table = read_table(decoded.text, source.name, ledger, named) if decoded.text is not None else None
        if table is not None:
            role, mapping = _decide(table, source, ledger)
            if role is not None and _is_complete(role, mapping, table, source, ledger):
                rows = READERS[role](table, mapping, source.name, ledger)
                frames.setdefault(role, []).append(rows)
        files.append(
            FileRead(
                name=source.name,
                role=role,
                mapping=mapping,
                columns=table.columns if table is not None else (),
                preview=table.rows.drop(columns=LINE).head(N_PREVIEW) if table is not None else pd.DataFrame(),
                n_rows=len(table.rows) if table is not None else 0,
                n_bytes=len(source.data),
                sha256=hashlib.sha256(source.data).hexdigest(),
                encoding=decoded.encoding,
            )
        )
    together = {role: pd.concat(parts, ignore_index=True) for role, parts in frames.items()}
    checked = check_whole(together, ledger)
    return Draft(checked, tuple(files), ledger.findings, ledger.rejected, dict(facts or {}))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RerankError("input_unreadable", path=str(path), reason=error.strerror or "") from error


def _beir_files(folder: Path) -> list[tuple[Path, str]] | None:
    """Return the files of a BEIR folder with their roles, None when it is not one."""
    if not (folder / "corpus.jsonl").is_file() or not (folder / "queries.jsonl").is_file():
        return None
    found = [(folder / "queries.jsonl", "queries"), (folder / "corpus.jsonl", "documents")]
    if (folder / "qrels.tsv").is_file():
        found.append((folder / "qrels.tsv", "judgments"))
    elif (folder / "qrels").is_dir():
        found += [(path, "judgments") for path in sorted((folder / "qrels").glob("*.tsv"))]
    for stem, role in (("candidates", "candidates"), ("teacher_scores", "teacher_scores")):
        found += [
            (path, role)
            for path in sorted(folder.glob(f"{stem}.*"))
            if path.suffix in (".csv", ".tsv", ".run", ".trec", ".jsonl", ".txt")
        ]
    return found


def read_folder(path: Path, mapping: Path | None = None) -> Draft:
    """Read a folder: the BEIR layout, or any files of the known kinds; with a mapping, what it names.

    Files that no role claims are listed as findings. Raises RerankError `input_not_found`,
    `input_unreadable` and what `read_mapping` raises.
    """
    if not path.is_dir():
        raise RerankError("input_not_found", path=str(path))
    ledger = Ledger()
    sources: list[Source] = []
    used: set[Path] = set()
    if mapping is not None:
        for item in read_mapping(mapping):
            _add_mapped(path, item, sources, used, ledger)
    else:
        beir = _beir_files(path)
        if beir is not None:
            for file, role in beir:
                sources.append(Source(str(file.relative_to(path)), _bytes_of(file), role))
                used.add(file)
        else:
            for file in sorted(path.iterdir()):
                named = file.name.lower()
                if file.is_file() and file.suffix.lower() in READABLE and not named.startswith(_NOT_DATA):
                    sources.append(Source(file.name, _bytes_of(file)))
                    used.add(file)
    # Notes about the sample are no part of it, and everybody knows.
    unread = [
        file
        for file in sorted(path.iterdir())
        if file.is_file() and file not in used and not file.name.lower().startswith(("readme", "manifest", "licen"))
    ]
    ledger.findings.extend(note("info", "file_not_read", file.name) for file in unread)
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
        return read_files([Source(path.name, _bytes_of(path))])
    ledger = Ledger()
    sources: list[Source] = []
    for item in read_mapping(mapping):
        if (path.parent / item.file).resolve() == path.resolve():
            sources.append(Source(path.name, _bytes_of(path), item.role, dict(item.columns)))
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
    sources.append(Source(item.file, _bytes_of(file), item.role, dict(item.columns)))
    used.add(folder / item.file)


def _facts_of(folder: Path) -> dict[str, object]:
    """Return what a folder's own manifest.json says of its origin; a broken one says nothing."""
    import json

    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    kept = {name: found[name] for name in ("name", "synthetic", "licence", "description") if name in found}
    return {name: value for name, value in kept.items() if isinstance(value, (str, bool))}
