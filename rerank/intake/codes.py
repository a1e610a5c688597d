"""Every code that intake can report, with the names of its facts; `rerank.wording` makes the sentences."""

from collections.abc import Mapping

FINDINGS: Mapping[str, tuple[str, ...]] = {
    # --- bytes (decoding.py)
    "nul_bytes": (),  # error: a NUL byte means a binary file or UTF-16 without a byte-order mark
    "gzip_broken": (),  # error: the compressed file is truncated or damaged
    "gzip_too_large": ("max_bytes",),  # error: it would unpack to more than the cap
    "archive_not_supported": ("kind",),  # error: tar, 7z, rar, xls, pdf, ...
    "archive_broken": (),  # error: a zip file that cannot be opened
    "archive_empty": (),  # error: nothing in the archive looks like a table
    "archive_encrypted": (),  # error: the file in the archive wants a password
    "archive_name_repeated": (),  # error: two files of one name in the archive; the first is used
    "archive_name_unsafe": (),  # error: an absolute path, `..`, or more than 16 folders deep
    "archive_nested": (),  # error: an archive in the archive
    "archive_too_large": ("max_bytes",),  # error: it would unpack to more than the cap; nothing of it is used
    "archive_too_many_files": ("n_files", "maximum"),  # error
    "line_too_long": ("maximum",),  # error: a line of more than 16 Mi characters
    "encoding_unknown": (),  # error: not UTF-8, UTF-16, CP932 or EUC-JP; line and value of the first bad byte
    "encodings_mixed": ("encoding", "n_lines"),  # error: some lines are UTF-8, most are CP932 or EUC-JP
    "encoding_broken": ("encoding",),  # error: the byte-order mark promises what the bytes do not keep
    "bytes_not_utf8": ("n_bytes",),  # warning: UTF-8 with a few bad bytes; the rows that hold them are refused
    "text_encoding": ("encoding",),  # info: read as something other than UTF-8
    "file_empty": (),  # error: nothing but white space
    # --- tables (tables.py, delimited.py, jsonl.py, trec.py)
    "wrong_number_of_fields": ("expected", "found"),  # error row
    "csv_broken": (),  # error row: a quote that is never closed, or text after a closing quote
    "cell_too_long": ("maximum",),  # error row: a cell of more than 4 Mi characters, or a quote that is never closed
    "nothing_usable": ("n_rows",),  # error: so many lines and no row among them; the rest of the file is not read
    "rest_unreadable": ("n_lines",),  # error: so many broken quotes that reading stopped at this line
    "duplicate_header": ("column",),  # error: two columns of one name; the first is used
    "json_invalid": (),  # error row
    "json_not_an_object": (),  # error row: valid JSON, but not {...}
    "json_broken": (),  # error: one JSON document that breaks off or is wrong at this line
    "json_duplicate_key": ("key",),  # error row (error of the file in one JSON document): which value counts?
    "columns_not_read": ("n_columns", "maximum"),  # warning: more names than that; the rarest are not read
    "too_many_columns": ("n_columns", "maximum"),  # error
    "parquet_broken": ("reason",),  # error
    "parquet_names_twice": ("column",),  # error: two columns of one name; which one counts?
    "parquet_too_large": ("n_rows", "unpacked_bytes"),  # error: above 10 million rows or 2 GiB unpacked
    "workbook_broken": ("reason",),  # error: nothing of the workbook is used
    "workbook_too_large": ("max_bytes",),  # error: the cells of a sheet hold more text than that
    "formula_without_value": (),  # error row: the program that wrote the file saved no result
    "formulas_in_cells": ("n_rows",),  # warning: the saved results count
    "dates_in_cells": ("n_cells",),  # warning: is a date what was meant?
    "digits_lost": ("n_cells",),  # warning: numbers of 16 digits and more, of which a spreadsheet keeps 15
    "spreadsheet_error_value": (),  # error row: #REF! and its like
    "topic_broken": (),  # error row: a TREC topic without number or title
    "ltr_without_document": (),  # error row: RankLib line without `# document` at its end
    "lists_unequal": ("n_texts", "n_labels"),  # error row
    "list_expected": ("column",),  # error row
    "ordering_unreadable": (),  # error row: a teacher's answer that names none of the candidates
    "ordering_repaired": ("n_missing", "n_repeated", "n_unknown"),  # warning: completed in the given order
    "ratings_postponed": ("n_ratings",),  # info: Quepid's "judge later" and "cannot be rated"
    "candidates_without_order": ("n_rows",),  # warning: top1000 has no scores; only its texts are used
    "judgments_from_training_pairs": ("n_judgments",),  # warning: positives and negatives of a training file
    "character_not_allowed": (),  # error row: NUL, half a surrogate pair or an undecodable byte
    "trec_line_broken": ("format",),  # error row: not `qid iter docno rel` / `qid Q0 docno rank score tag`
    "no_rows": (),  # error: a header and nothing below it
    # --- roles, columns and labels (reading.py, labels.py)
    "file_repeated": ("first_file",),  # warning: the same bytes again; read once
    "table_left_out": (),  # info: by the user's word
    "mapping_remembered": (),  # info: columns as the user set them for an earlier file
    "queries_derived": ("n_rows",),  # info: no file of queries; taken from the judgments' own texts
    "documents_derived": ("n_rows",),  # info
    "labels_mapped": ("scale",),  # warning: words as grades; the user checks the scale
    "labels_unknown": ("labels",),  # error: words that are no known scale
    "grades_rescaled": ("scale",),  # warning: 100/10/1/0, halves, ... as whole grades
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
    "raters_pseudonymised": ("n_raters",),  # info: addresses became rater 1, 2, ...
    # --- the dataset as a whole (checks.py, pairs.py, agreement.py, clicks.py, pool.py)
    "repeated_query": ("first_file", "first_line"),  # warning: the same row again
    "repeated_document": ("first_file", "first_line"),  # warning: the same row again
    "orphan_rating": ("missing",),  # error row
    "duplicate_rating": ("first_file", "first_line"),  # warning: one rater, one pair; the first is kept
    "raters_agree": ("alpha", "n_raters", "n_pairs"),  # info: Krippendorff's alpha, interval
    "raters_disagree": ("alpha", "n_raters", "n_pairs", "minimum"),  # warning: alpha below .667
    "final_ratings_not_used": ("n_rows",),  # info: there is a file of judgments
    "judgments_from_ratings": ("n_judgments", "n_raters"),  # info: means, halves rounded up
    "judged_in_task": ("n_judgments", "n_raters"),  # info: added in the app, version.py of rerank/judging
    "judgments_implicit": ("n_judgments", "n_few", "minimum"),  # warning: from clicks, not from people who judged
    "clicks_not_used": ("n_rows",),  # info: people have judged
    "clicks_without_impressions": (),  # error: the position cannot be corrected for
    "clicks_without_positions": (),  # error: the position cannot be corrected for
    "clicks_missing": (),  # error: impressions only
    "several_runs": ("system", "first", "n_rows"),  # error: candidates of a second system for the same queries
    "judged_share": ("share", "depth"),  # info; warning below .5
    "pool_of_one_search": ("share",),  # warning: judged documents are nearly all from the uploaded run
    "scale_starts_at_one": ("maximum",),  # warning: 1 counts as relevant
    "duplicate_query_id": ("first_file", "first_line"),  # error row: the first is kept
    "duplicate_document_id": ("first_file", "first_line"),  # error row: the first is kept
    "ids_written_differently": (
        "field",
        "n_ids",
        "here",
        "there",
    ),  # warning: ids of orphans, but for zeros, case, width
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
    "frequency_not_positive": (),  # warning: how often a query was asked is no number above 0; once is taken
    "near_duplicate_query": ("first", "first_file", "first_line"),  # warning: kept in one part of every division
    "near_duplicate_documents": ("n_documents", "n_looked_at", "first"),  # info
    # --- texts (texts.py, personal.py, segments.py)
    "japanese_text": ("share", "models"),  # warning: kana and han among the queries' characters, above 0.2
    "other_script": ("share", "models"),  # warning: another script than Latin
    "languages_differ": (),  # warning: queries and documents in different scripts
    "markup_in_texts": ("markup", "n_documents"),  # info: HTML or Markdown
    "direction_characters": ("n_rows",),  # warning: bidirectional controls
    "personal_data": ("role", "n_rows"),  # warning: e-mail addresses or telephone numbers
    "segments_proposed": ("proposal", "counts"),  # info
    # --- public benchmarks (benchmarks.py)
    "benchmark_cut": ("n_queries", "n_all_queries", "n_documents", "n_all"),  # warning: figures are not the published
    "negative_grades": ("n_judgments",),  # info: spam or doubt; counted as 0
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
    "folder_too_full": ("path", "maximum"),
    "sample_not_positive": ("what", "n"),  # a sample of no queries or documents
    "sample_without_segments": (),  # no query has a segment to draw by
    "sample_without_frequencies": (),  # every query was asked once, as far as the files tell
    "unknown_segments": ("proposal",),  # neither length nor form
    "benchmarks_not_installed": (),  # the extra ir-datasets
    "unknown_benchmark": ("name",),
    "benchmark_not_judged": ("name",),  # a name that stands for documents only, or for queries without judgments
    "benchmark_unreachable": ("name", "reason"),  # no network, terms that nobody agreed to, a broken download
    "dataset_not_found": ("digest",),
    "dataset_unreadable": ("digest", "reason"),
}
