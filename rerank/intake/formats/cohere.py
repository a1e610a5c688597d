"""Cohere's re-rank fine-tuning file: `query, relevant_passages[], hard_negatives[]`."""

from rerank.intake.formats.columns import has, list_in, names_of
from rerank.intake.formats.pairs_from_texts import Pair, tables_of_pairs
from rerank.intake.noting import Ledger, refuse, row_json
from rerank.intake.tables import LINE, Table


def sniff(table: Table) -> bool:
    """Say whether the columns are Cohere's."""
    return has(table, "query", "relevant_passages")


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return judgments 1 and 0 with their texts; rows without a list of passages are refused."""
    names = names_of(table)
    pairs: list[Pair] = []
    for row in table.rows.to_dict("records"):
        line, query = int(row[LINE]), str(row[names["query"]])
        good = list_in(str(row[names["relevant_passages"]]))
        if good is None:
            text = row_json({str(name): value for name, value in row.items()})
            refuse(ledger, "error", "list_expected", file, line, query, text, column="relevant_passages")
            continue
        bad = list_in(str(row[names["hard_negatives"]])) if "hard_negatives" in names else None
        pairs += [(line, query, text, "1") for text in good]
        pairs += [(line, query, text, "0") for text in bad or ()]
    return tables_of_pairs("cohere", pairs, file, ledger)
