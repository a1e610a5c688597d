"""From a file's text to rows of strings that know their line."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from rerank.intake.delimited import read_delimited
from rerank.intake.jsonl import read_jsonl
from rerank.intake.noting import Ledger, note
from rerank.intake.trec import looks_like_qrels, looks_like_run, read_trec

LINE = "line"


@dataclass(frozen=True)
class Table:
    """A file as rows: `rows` has the file's columns and `line` (int), all other values are text.

    layout: csv, jsonl, qrels or run; the last two have fixed columns and need no mapping.
    """

    rows: pd.DataFrame
    layout: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the file's own columns in order."""
        return tuple(str(name) for name in self.rows.columns if name != LINE)


def lines_of(text: str) -> list[str]:
    """Return lines as an editor counts them: only CR, LF and CRLF end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_table(text: str, file: str, ledger: Ledger, named: Collection[str] = ()) -> Table | None:
    """Return a file's table; None, with a finding, when there is no row in it. Raises nothing."""
    lines = lines_of(text)
    head = [line for line in lines[:50] if line.strip()]
    if head and head[0].lstrip().startswith("{"):
        rows, layout = read_jsonl(lines, file, ledger), "jsonl"
    elif head and head[0].lstrip().startswith("["):
        ledger.findings.append(note("error", "json_not_lines", file, 1))
        return None
    elif looks_like_run(head):
        rows, layout = read_trec(lines, "run", file, ledger), "run"
    elif looks_like_qrels(head):
        rows, layout = read_trec(lines, "qrels", file, ledger), "qrels"
    else:
        rows, layout = read_delimited(lines, file, ledger, named), "csv"
    if rows.empty:
        ledger.findings.append(note("error", "no_rows", file))
        return None
    return Table(rows, layout)
