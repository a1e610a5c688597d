"""Every code that intake can report, with the names of its facts; `rerank.wording` makes the sentences."""

from collections.abc import Mapping

FINDINGS: Mapping[str, tuple[str, ...]] = {
    # --- bytes (decoding.py)
    "nul_bytes": (),  # error: a NUL byte means a binary file or UTF-16 without a byte-order mark
    "gzip_broken": (),  # error: the compressed file is truncated or damaged
    "gzip_too_large": ("max_bytes",),  # error: it would unpack to more than the cap
    "archive_not_supported": ("kind",),  # error: zip (also xlsx) or parquet
    "encoding_unknown": (),  # error: not UTF-8, UTF-16, CP932 or EUC-JP; line and value of the first bad byte
    "encoding_broken": ("encoding",),  # error: the byte-order mark promises what the bytes do not keep
    "bytes_not_utf8": ("n_bytes",),  # warning: UTF-8 with a few bad bytes; the rows that hold them are refused
    "text_encoding": ("encoding",),  # info: read as something other than UTF-8
    "file_empty": (),  # error: nothing but white space
    # --- tables (tables.py, delimited.py, jsonl.py, trec.py)
    "wrong_number_of_fields": ("expected", "found"),  # error row
    "csv_broken": (),  # error row: a quote that is never closed, or text after a closing quote
    "rest_unreadable": ("n_lines",),  # error: so many broken quotes that reading stopped at this line
    "duplicate_header": ("column",),  # error: two columns of one name; the first is used
    "json_invalid": (),  # error row
    "json_not_an_object": (),  # error row: valid JSON, but not {...}
    "json_not_lines": (),  # error: one JSON document over many lines instead of one object per line
    "character_not_allowed": (),  # error row: NUL, half a surrogate pair or an undecodable byte
    "trec_line_broken": ("format",),  # error row: not `qid iter docno rel` / `qid Q0 docno rank score tag`
    "no_rows": (),  # error: a header and nothing below it
    # --- roles and columns (reading.py, beir.py)
    "role_unknown": ("columns",),  # error: could be queries, documents, ...: the user must say
    "column_missing": ("field", "role", "columns"),  # error: no column for a field that the role needs
    "mapped_column_missing": ("field", "column"),  # error: the mapping names a column that is not there
    "mapped_file_missing": (),  # warning: the mapping names a file that is not there
    "file_not_read": (),  # info: a file in the folder that no role claims
    "no_queries": (),  # error
    "no_documents": (),  # error
    "no_judgments": (),  # error
    # --- rows (rows.py)
    "id_missing": ("field",),  # error row: query_id or doc_id is empty
    "id_has_white_space": ("field",),  # warning: kept; TREC tools will split it
    "id_in_scientific_notation": ("field",),  # warning: a spreadsheet has probably eaten digits of a long number
    "query_without_text": (),  # error row
    "document_without_text": (),  # warning: neither title nor text; kept
    "document_huge": ("n_chars", "maximum"),  # warning: title and text together; kept
    "grade_missing": (),  # warning (info when the document id is blank too): unjudged, not a judgment
    "grade_not_integer": (),  # error row
    "grade_not_finite": (),  # error row: NaN or infinity
    "grade_negative": (),  # error row
    "grade_too_large": ("maximum",),  # error row: a number above 20 is hardly a grade
    "score_not_finite": (),  # error row: not a number, NaN or infinity
    "rank_not_integer": (),  # error row: not a whole number from 0
    # --- the dataset as a whole (checks.py, pairs.py)
    "duplicate_query_id": ("first_file", "first_line"),  # error row: the first is kept
    "duplicate_document_id": ("first_file", "first_line"),  # error row: the first is kept
    "orphan_judgment": ("missing",),  # error row; missing: query, document or both
    "orphan_candidate": ("missing",),  # error row
    "orphan_teacher_score": ("missing",),  # error row
    "duplicate_judgment": ("first_file", "first_line"),  # warning: same grade; the first is kept
    "contradictory_judgments": ("rows", "grades"),  # error: one pair, several grades; every row is refused
    "duplicate_candidate": ("first_file", "first_line"),  # warning: the better placed is kept
    "duplicate_teacher_score": ("first_file", "first_line"),  # warning: same score; the first is kept
    "contradictory_teacher_scores": ("rows", "scores"),  # error: as for judgments
    "queries_without_judgments": ("n_without", "n_queries"),  # warning; kept: useful for distillation
    "queries_without_relevant": ("n_without", "n_queries"),  # warning: judged, but no grade of 1 or more
    "few_judged_queries": ("n_judged", "minimum"),  # warning: queries with a relevant document, below 15
    "only_positive_judgments": ("n_judgments",),  # info: no grade 0 anywhere
    "grade_histogram": ("counts",),  # info: grade -> number of judgments
    "duplicate_document_texts": ("n_documents",),  # info: documents whose title and text came before
    "duplicate_query_texts": ("n_queries",),  # info: queries whose text came before
    "japanese_text": ("share",),  # info: kana and han among the queries' characters, above 0.2
    # --- bookkeeping
    "more_findings": ("of_code", "n_more"),  # severity of the code: findings beyond the 1,000 stored
}

ERRORS: Mapping[str, tuple[str, ...]] = {
    "input_not_found": ("path",),  # the file or folder does not exist
    "input_unreadable": ("path", "reason"),  # the operating system refuses
    "input_has_errors": ("n_errors",),  # error findings, and only good rows were not asked for
    "dataset_is_empty": ("n_queries", "n_documents"),  # no query or no document is left
    "unknown_role": ("role", "file"),  # a role that is none of the five
    "mapping_unreadable": ("path", "reason"),  # not TOML
    "mapping_invalid": ("path", "section", "reason", "field"),  # unknown_role, no_file, unknown_field, not_text
    "mapping_without_file": ("path", "file"),  # the only file that is read is none of those that it names
    "dataset_not_found": ("digest",),
    "dataset_unreadable": ("digest", "reason"),
}
