"""Formats whose columns say everything: they need a name and no reading of their own."""

from rerank.intake.formats.columns import names_of, share_numeric
from rerank.intake.mapping import column_called
from rerank.intake.tables import Table

SIGNATURES = (  # the most telling first
    ("quepid_snapshot", {"snapshot_name", "query_text", "doc_id", "doc_position"}),
    ("quepid_detailed", {"case_id", "query_text", "doc_id", "rating"}),
    ("beir_qrels", {"query-id", "corpus-id", "score"}),
    ("quepid_ratings", {"query", "docid", "rating"}),
    ("quepid_ratings", {"query", "doc_id", "rating"}),
    ("raters_long", {"rater", "rating"}),
    ("beir_texts", {"_id", "text"}),
)


def layout_of(table: Table) -> str:
    """Return the name of a table's format as far as its columns tell."""
    names = set(names_of(table))
    for layout, wanted in SIGNATURES:
        if wanted <= names:
            return layout
    grade = column_called(table.columns, "judgments", "grade")
    if grade is not None and {"query_id", "product_id"} <= names and share_numeric(table.rows[grade]) < 0.5:
        return "wands"
    return table.layout
