"""From files to a draft: every role's rows, every finding, every refused row."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from rerank.intake.archives import unpacked
from rerank.intake.checks import check_whole
from rerank.intake.content import Content
from rerank.intake.deciding import Decided, beside, decide, is_complete
from rerank.intake.findings import Finding
from rerank.intake.formats.registry import by_columns, open_tables
from rerank.intake.labels import graded, labels_in
from rerank.intake.large import LargeFile, is_large
from rerank.intake.mapping import (
    FIELDS,
    ROLES,
    Confidence,
    confidence_of,
)
from rerank.intake.noting import Ledger, RejectedRow, capped, note
from rerank.intake.rows import READERS
from rerank.intake.sources import LEAVE_OUT, Choice, Source, key_of
from rerank.intake.spool import DocumentSpool
from rerank.intake.tables import LINE, Table

N_PREVIEW = 5
PREVIEW_CHARS = 2000
MAX_EMPTY_BLOCKS = 8
_DERIVED = {"derived_queries": "queries", "derived_documents": "documents"}


@dataclass(frozen=True)
class FileRead:
    """What was made of one table of a file; `preview` holds its first rows as text.

    key: names the table in choices. layout: the format it was recognised as. role: None when nobody knows, or the
    first of several. outputs: rows by role. is_fixed: the format says what the columns are. labels: the values of a
    grade column with the grades that they stand for (None: their own).
    """

    name: str
    role: str | None
    mapping: Mapping[str, str]
    columns: tuple[str, ...]
    preview: pd.DataFrame
    n_rows: int
    n_bytes: int
    sha256: str
    encoding: str | None
    key: str = ""
    part: str = ""
    layout: str | None = None
    confidence: Confidence | None = None
    outputs: Mapping[str, int] = field(default_factory=dict)
    is_fixed: bool = False
    labels: tuple[str, ...] = ()
    left_out: bool = False


@dataclass(frozen=True)
class Draft:
    """What the files hold, before anybody decided to keep it.

    frames: by role, the usable rows with `file` and `line`; roles that no file has are absent.
    spool: where documents lie that are too many for memory; their frame reads them from there, without file and line.
    """

    frames: Mapping[str, pd.DataFrame]
    files: tuple[FileRead, ...]
    findings: list[Finding] = field(default_factory=list)
    rejected: Sequence[RejectedRow] = field(default_factory=list)
    facts: Mapping[str, object] = field(default_factory=dict)
    spool: DocumentSpool | None = None


class Reader:
    """Collects what the files hold, file by file."""

    def __init__(
        self, choices: Mapping[str, Choice], recall: Callable[[tuple[str, ...]], Choice | None] | None
    ) -> None:
        self.choices = choices
        self.recall = recall
        self.ledger = Ledger()
        self.frames: dict[str, list[pd.DataFrame]] = {}
        self.final: list[tuple[str, Decided]] = []
        self.derived: dict[str, list[tuple[str, Decided]]] = {}
        self.files: list[FileRead] = []
        self.seen: dict[tuple[object, ...], str] = {}
        self.spool: DocumentSpool | None = None

    def open(self, source: Source) -> None:
        """Read a file, block by block when it is large and holds documents, else whole; archives are unpacked."""
        if is_large(source) and self._stream(source):
            return
        for inner in unpacked(source.loaded(), self.ledger):
            if not (is_large(inner) and self._stream(inner)):
                self.read(inner)

    def _is_new(self, source: Source) -> bool:
        said = (source.sha256, source.role, tuple(sorted((source.mapping or {}).items())))
        if said in self.seen and source.n_bytes:
            first = self.seen[said]
            self.ledger.findings.append(note("warning", "file_repeated", source.name, first_file=first))
            return False
        self.seen[said] = source.name
        return True

    def _stream(self, source: Source) -> bool:
        """Read documents block by block; False, with nothing done, when the file holds something else."""
        block = Ledger()
        named = self._named(source)
        file = LargeFile(source, block, named)
        if file.layout is None:
            return False
        scan = file.scan()
        if any(finding.severity == "error" for finding in block.findings):
            self.ledger.findings.extend(block.findings)
            self._unread(source, None)
            return True
        key = key_of(scan.sha256)
        tables = file.tables(block)
        raw: Table | None = None
        for n_empty, table in enumerate(tables, start=1):
            if len(table.rows):
                raw = table
                break
            if n_empty == MAX_EMPTY_BLOCKS:  # a quotation mark that is never closed makes no line usable, to the end
                self.ledger.findings.extend(capped(block.findings))
                self.ledger.findings.append(note("error", "nothing_usable", source.name, n_rows=len(block.rejected)))
                self._unread(source, scan.encoding)
                return True
        if raw is None:
            return False
        choice = self._choice(source, key, raw.columns, block)
        opened = [raw] if choice.role is not None or choice.mapping else by_columns(raw, source.name, block)
        if choice.role == LEAVE_OUT or opened[0].role is not None:
            return False
        decided = decide(opened[0], choice, source.name, block)
        if decided is not None and decided.role != "documents":
            return False
        if not self._is_new(source):
            return True
        n_rows = len(raw.rows)
        if decided is None or not is_complete(decided.role, decided.mapping, raw, source.name, block):
            self.ledger.findings.extend(block.findings)
            decided = None
        else:
            spool = self._spooled()
            n_rows = 0
            for table in itertools.chain([raw], tables):
                if len(table.rows):
                    spool.add(READERS["documents"](table, decided.mapping, source.name, block))
                    n_rows += len(table.rows)
                spool.take(block, self.ledger)
            spool.take(block, self.ledger)
        self.files.append(
            FileRead(
                name=source.name,
                role=decided.role if decided else None,
                mapping=decided.mapping if decided else {},
                columns=raw.columns,
                preview=_preview(raw),
                n_rows=n_rows,
                n_bytes=source.n_bytes,
                sha256=scan.sha256,
                encoding=scan.encoding,
                key=key,
                layout=opened[0].layout,
                confidence=confidence_of(decided.role, decided.mapping) if decided else None,
                outputs={"documents": n_rows} if decided else {},
            )
        )
        return True

    def _spooled(self) -> DocumentSpool:
        """Return where documents go from now on; those in memory go there first."""
        if self.spool is None:
            self.spool = DocumentSpool(self.ledger)
            for frame in self.frames.pop("documents", []):
                self.spool.add(frame)
        return self.spool

    def read(self, source: Source) -> None:
        """Read one file that is no archive."""
        if not self._is_new(source):
            return
        content = Content(source.name, source.data, self.ledger, self._named(source))
        tables = open_tables(content)
        parts = list(dict.fromkeys(table.part for table in tables))
        if not parts:
            self._unread(source, content.encoding)
        for part in parts:
            self._part(source, part, [table for table in tables if table.part == part], content.encoding)

    def _named(self, source: Source) -> set[str]:
        chosen = self.choices.get(key_of(source.sha256))
        return set((source.mapping or {}).values()) | set(chosen.mapping.values() if chosen else ())

    def _unread(self, source: Source, encoding: str | None) -> None:
        self.files.append(
            FileRead(
                name=source.name,
                role=None,
                mapping={},
                columns=(),
                preview=pd.DataFrame(),
                n_rows=0,
                n_bytes=len(source.data),
                sha256=source.sha256,
                encoding=encoding,
                key=key_of(source.sha256),
            )
        )

    def _choice(self, source: Source, key: str, columns: tuple[str, ...], ledger: Ledger) -> Choice:
        chosen = self.choices.get(key)
        if chosen is not None:
            return chosen
        if source.role is not None or source.mapping or self.recall is None:
            return Choice(source.role, dict(source.mapping or {}), source.labels)
        remembered = self.recall(columns)
        if remembered is None:
            return Choice()
        ledger.findings.append(note("info", "mapping_remembered", source.name))
        return remembered

    def _part(self, source: Source, part: str, tables: list[Table], encoding: str | None) -> None:
        """Read the tables of one sheet, or of a file without sheets."""
        key = key_of(source.sha256, part)
        file = f"{source.name} › {part}" if part else source.name
        raw = tables[0]
        choice = self._choice(source, key, raw.columns, self.ledger)
        found: list[Decided] = []
        is_fixed = True
        layout: str = raw.layout
        confidence: Confidence | None = "high"
        if choice.role == LEAVE_OUT:
            self.ledger.findings.append(note("info", "table_left_out", file))
        elif raw.role is not None:
            found = [self._retyped(table, choice) for table in tables]
        else:
            opened = [raw] if choice.role is not None or choice.mapping else by_columns(raw, file, self.ledger)
            layout = opened[0].layout if opened else raw.layout
            if opened and opened[0].role is not None:
                found = [Decided(table, table.role or "", dict(table.mapping or {})) for table in opened]
            else:
                is_fixed = False
                decided = decide(opened[0] if opened else raw, choice, file, self.ledger)
                found = [decided] if decided is not None else []
                confidence = confidence_of(decided.role, decided.mapping) if decided is not None else None
        outputs: dict[str, int] = {}
        labels: tuple[str, ...] = ()
        for decided in [*found, *(more for one in found for more in beside(one))]:
            if decided.role in _DERIVED:
                self.derived.setdefault(_DERIVED[decided.role], []).append((file, decided))
                continue
            if decided.role == "final_judgments":
                self.final.append((file, decided))
                continue
            if decided.role not in READERS or not is_complete(
                decided.role, decided.mapping, decided.table, file, self.ledger
            ):
                continue
            table = decided.table
            if decided.role in ("judgments", "ratings"):
                labels = labels or tuple(labels_in(table, decided.mapping["grade"]))
                table = graded(table, decided.mapping["grade"], choice.labels, file, self.ledger)
            rows = READERS[decided.role](table, decided.mapping, file, self.ledger)
            if decided.role == "documents" and self.spool is not None:
                self.spool.add(rows)
            else:
                self.frames.setdefault(decided.role, []).append(rows)
            outputs[decided.role] = outputs.get(decided.role, 0) + len(table.rows)
        role = next((one.role for one in found if one.role in ROLES), None)
        self.files.append(
            FileRead(
                name=file,
                role=role,
                mapping=found[0].mapping if found else {},
                columns=raw.columns,
                preview=_preview(raw),
                n_rows=len(raw.rows),
                n_bytes=len(source.data),
                sha256=source.sha256,
                encoding=encoding,
                key=key,
                part=part,
                layout=layout,
                confidence=confidence if found else None,
                outputs=outputs,
                is_fixed=is_fixed and choice.role is None,
                labels=labels,
                left_out=choice.role == LEAVE_OUT,
            )
        )

    def _retyped(self, table: Table, choice: Choice) -> Decided:
        """Return a table of a fixed format, under the user's role when it has the columns for it."""
        role, mapping = table.role or "", dict(table.mapping or {})
        if choice.role is not None and choice.role != role:
            named = {name: name for name in FIELDS[choice.role] if name in table.rows.columns}
            return Decided(table, choice.role, named)
        return Decided(table, role, mapping)

    def derive(self) -> None:
        """Take queries, documents and final judgments out of other files where no file of their own was given."""
        for file, decided in self.final:
            if "judgments" in self.frames:
                n_rows = len(decided.table.rows)
                self.ledger.findings.append(note("info", "final_ratings_not_used", file, n_rows=n_rows))
                continue
            table = graded(decided.table, decided.mapping["grade"], {}, file, self.ledger)
            self.frames["judgments"] = [READERS["judgments"](table, decided.mapping, file, self.ledger)]
        for role, found in self.derived.items():
            if role in self.frames or (role == "documents" and self.spool is not None):
                continue
            parts = []
            for file, decided in found:
                identifier = decided.mapping["query_id" if role == "queries" else "doc_id"]
                texts = [column for name, column in decided.mapping.items() if name not in ("query_id", "doc_id")]
                rows = decided.table.rows
                filled = (rows[identifier].str.strip() != "") & (rows[texts].apply(_stripped) != "").any(axis=1)
                first = rows[filled].drop_duplicates(identifier)
                if len(first):
                    part = Table(first, decided.table.layout)
                    parts.append(READERS[role](part, decided.mapping, file, self.ledger))
            if parts:
                key = "query_id" if role == "queries" else "doc_id"
                together = pd.concat(parts, ignore_index=True).drop_duplicates(key)
                self.frames[role] = [together]
                code = "queries_derived" if role == "queries" else "documents_derived"
                self.ledger.findings.append(note("info", code, n_rows=len(together)))


def _preview(table: Table) -> pd.DataFrame:
    rows = table.rows.drop(columns=LINE).head(N_PREVIEW)
    return rows.apply(lambda cells: cells.str.slice(0, PREVIEW_CHARS)) if len(table.columns) else rows


def _stripped(cells: "pd.Series[str]") -> "pd.Series[str]":
    return cells.str.strip()


def read_files(
    sources: Sequence[Source],
    facts: Mapping[str, object] | None = None,
    choices: Mapping[str, Choice] | None = None,
    recall: Callable[[tuple[str, ...]], Choice | None] | None = None,
) -> Draft:
    """Read files in any of the known formats, archives among them, and check them as one sample.

    facts: what the user's own manifest says (`synthetic`, `licence`), kept with the dataset. choices: what the user
    says about single tables, by `FileRead.key`. recall: returns what was said earlier about a table with these
    columns. Raises nothing but RerankError.
    """
    reader = Reader(choices or {}, recall)
    for source in sources:
        reader.open(source)
    reader.derive()
    together = {role: pd.concat(parts, ignore_index=True) for role, parts in reader.frames.items()}
    spool, ledger = reader.spool, reader.ledger
    checked = check_whole(together, ledger, spool)
    rejected = ledger.rejected if spool is None else spool.rejected
    return Draft(checked, tuple(reader.files), ledger.findings, rejected, dict(facts or {}), spool)
