"""MS MARCO triples without header: query, positive, negative, as ids or as texts."""

import pandas as pd

from rerank.intake.formats.columns import renamed, share_whole
from rerank.intake.formats.pairs_from_texts import tables_of_pairs
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import LINE, Table, fixed

LONG_ID = 3  # grades have fewer digits


def _ids(table: Table) -> bool:
    if not all(share_whole(table.rows[name]) == 1.0 for name in table.columns):
        return False
    return bool((table.rows["3"].str.strip().str.len() >= LONG_ID).mean() > 0.5)


def _texts(table: Table) -> bool:
    lengths = [float(table.rows[name].str.len().mean()) for name in table.columns]
    return min(lengths[1:]) > 40 and min(lengths[1:]) > lengths[0] and share_whole(table.rows["3"]) == 0.0


def sniff(table: Table) -> bool:
    """Say whether there are three columns without names that hold a query and two passages or their ids."""
    return table.headerless and len(table.columns) == 3 and len(table.rows) > 0 and (_ids(table) or _texts(table))


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return judgments 1 and 0, and the texts when there are any."""
    if _ids(table):
        positive = renamed(table, {"query_id": "1", "doc_id": "2"}).assign(grade="1")
        negative = renamed(table, {"query_id": "1", "doc_id": "3"}).assign(grade="0")
        rows = pd.concat([positive, negative], ignore_index=True)
        rows = rows.drop_duplicates(["query_id", "doc_id", "grade"]).sort_values(LINE, kind="stable")
        ledger.findings.append(note("warning", "judgments_from_training_pairs", file, n_judgments=len(rows)))
        return [fixed(rows, "triples", "judgments", ("query_id", "doc_id", "grade"))]
    pairs = [
        pair
        for line, query, good, bad in table.rows[[LINE, "1", "2", "3"]].itertuples(index=False, name=None)
        for pair in ((line, query, good, "1"), (line, query, bad, "0"))
    ]
    return tables_of_pairs("triples", pairs, file, ledger)
