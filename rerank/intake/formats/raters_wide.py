"""Raters in columns: Quepid's book CSV (`query,docid,<judge>…`) and Chorus (`agent_1_rating … final_rating`)."""

import re

import pandas as pd

from rerank.intake.formats.columns import document_column, names_of, query_column, share_whole
from rerank.intake.mapping import folded, is_known
from rerank.intake.noting import Ledger
from rerank.intake.tables import LINE, Table, fixed

_RATER = re.compile(
    r"(rater|judge|agent|annotator|assessor|評価者|判定者)[_ -]?\w{0,3}(_rating|_grade)?|[^@\s]+@[^@\s]+"
)
_FINAL = ("final_rating", "final", "final_grade", "最終評価")


def _raters(table: Table) -> list[str]:
    """Return the judges' columns: by name, or whatever holds small numbers only and has no other meaning."""
    named = [column for column in table.columns if _RATER.fullmatch(folded(column))]
    if len(named) >= 2:
        return named
    others = [column for column in table.columns if not is_known(column) and folded(column) not in _FINAL]
    graded = [column for column in others if share_whole(table.rows[column]) == 1.0 and _is_small(table.rows[column])]
    return graded if len(graded) >= 2 and len(graded) == len(others) else []


def _is_small(cells: "pd.Series[str]") -> bool:
    return bool(cells.str.strip().str.len().max() <= 2)


def sniff(table: Table) -> bool:
    """Say whether a query and a document are followed by at least two judges."""
    return query_column(table) is not None and document_column(table) is not None and len(_raters(table)) >= 2


def read(table: Table, _file: str, _ledger: Ledger) -> list[Table]:
    """Return every judge's ratings; a final rating is the judgment, unless there is a file of judgments."""
    query, document = query_column(table), document_column(table)
    if query is None or document is None:
        return []
    raters = _raters(table)
    parts = [
        pd.DataFrame(
            {
                "query_id": table.rows[query],
                "doc_id": table.rows[document],
                "rater": rater,
                "grade": table.rows[rater],
                LINE: table.rows[LINE],
            }
        )
        for rater in raters
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["grade"].str.strip() != ""].sort_values(LINE, kind="stable")
    fields = ("query_id", "doc_id", "rater", "grade")
    tables = [fixed(rows.astype({"rater": "str"}), "raters_wide", "ratings", fields)]
    names = names_of(table)
    final = next((names[name] for name in _FINAL if name in names), None)
    rest = table.rows.drop(columns=raters)
    if final is not None:
        mapping = {"query_id": query, "doc_id": document, "grade": final}
        tables.insert(0, Table(rest, "raters_wide", role="final_judgments", mapping=mapping))
    else:
        tables.append(Table(rest, "raters_wide", role="pairs", mapping={"query_id": query, "doc_id": document}))
    return tables
