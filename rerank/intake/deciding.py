"""What a table is: its role and columns, by the user's word, its headers and its file's name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.formats.workbook import role_of_sheet
from rerank.intake.mapping import (
    REQUIRED,
    ROLES,
    column_called,
    guess_headerless,
    guess_role,
    propose,
    text_columns,
)
from rerank.intake.noting import Ledger, note
from rerank.intake.sources import Choice
from rerank.intake.tables import Table


@dataclass(frozen=True)
class Decided:
    """A table with its role and columns; `known` tells whether the headers alone said so."""

    table: Table
    role: str
    mapping: dict[str, str]


def decide(table: Table, choice: Choice, file: str, ledger: Ledger) -> Decided | None:
    """Return a table's role and mapping: the user's word first, then the headers and the file's name."""
    columns = table.columns
    if choice.role is not None and choice.role not in ROLES:
        raise RerankError("unknown_role", role=choice.role, file=file)
    role: str | None = choice.role
    mapping = dict(choice.mapping)
    if table.headerless and not mapping:
        last = table.rows[columns[-1]].str.fullmatch(r"\s*\d{1,2}\s*")
        guessed = guess_headerless(len(columns), file, bool(last.mean() > 0.5))
        if guessed is not None and role in (None, guessed[0]):
            return Decided(table, *guessed)
    if role is None:
        scores = [name for name in columns if name.lower() == "score"]
        whole = bool(scores) and bool(table.rows[scores[0]].str.fullmatch(r"\s*\d{1,2}\s*").mean() > 0.5)
        role = role_of_sheet(table.part) or guess_role(columns, file, whole)
    if role is None:
        ledger.findings.append(note("error", "role_unknown", file, 1, columns=", ".join(columns[:30])))
        return None
    for name, column in list(mapping.items()):
        if column not in columns:
            ledger.findings.append(note("error", "mapped_column_missing", file, 1, column, field=name, column=column))
            del mapping[name]
    taken = set(mapping.values())
    proposed = propose([name for name in columns if name not in taken], role)
    if role == "queries":
        frequency = column_called([name for name in columns if name not in taken], role, "frequency")
        proposed |= {} if frequency is None else {"frequency": frequency}
    return Decided(table, role, {**proposed, **mapping})


def is_complete(role: str, mapping: Mapping[str, str], table: Table, file: str, ledger: Ledger) -> bool:
    """Tell whether a table has the columns that its role needs; each that is missing is told."""
    missing = [name for name in REQUIRED[role] if name not in mapping]
    if role == "documents" and "title" in mapping:
        missing = [name for name in missing if name != "text"]
    if role == "candidates" and not {"rank", "score"} & set(mapping):
        missing.append("rank")
    for name in missing:
        listed = ", ".join(table.columns[:30])
        ledger.findings.append(note("error", "column_missing", file, 1, field=name, role=role, columns=listed))
    return not missing


def beside(decided: Decided) -> list[Decided]:
    """Return the queries and documents that a table of pairs tells by the way."""
    table, mapping = decided.table, decided.mapping
    if decided.role in ("queries", "documents") or not {"query_id", "doc_id"} <= set(mapping):
        return []
    query, title, text = text_columns(table.columns, mapping)
    if query is None and table.headerless and _are_words(table.rows[mapping["query_id"]]):
        query = mapping["query_id"]  # OpenSearch's `query,docid,rating` without its header
    found = []
    if query is not None:
        found.append(Decided(table, "derived_queries", {"query_id": mapping["query_id"], "text": query}))
    named = {name: column for name, column in (("title", title), ("text", text)) if column is not None}
    if named:
        found.append(Decided(table, "derived_documents", {"doc_id": mapping["doc_id"], **named}))
    return found


def _are_words(cells: "pd.Series[str]") -> bool:
    """Tell whether cells are texts rather than ids: of ids hardly any is without a digit."""
    return bool(cells.str.contains(r"\d", regex=True).mean() < 0.2)
