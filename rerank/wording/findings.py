"""Findings of intake as sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from rerank.intake.findings import Finding
from rerank.intake.noting import capped
from rerank.wording.facts import in_words
from rerank.wording.language import Say, later
from rerank.wording.names import SEVERITIES, name_of

FINDINGS: Mapping[str, str] = {
    "nul_bytes": later("The file holds NUL bytes: it is binary, or UTF-16 without its mark. Save it as UTF-8."),
    "gzip_broken": later("The compressed file is damaged or cut short. Compress it again."),
    "gzip_too_large": later("The file would unpack to more than {max_bytes}. Split it."),
    "archive_not_supported": later("A {kind} file cannot be read here. Unpack it or save it as CSV or JSONL."),
    "encoding_unknown": later("The file is not in UTF-8, UTF-16, CP932 or EUC-JP. Save it as UTF-8."),
    "encodings_mixed": later(
        "Most lines are {encoding}, but {n_lines} lines, of which this is the first, are UTF-8: one of the two would become garbage. Save all of it as UTF-8."
    ),
    "encoding_broken": later("The file starts as {encoding} and does not stay so. Save it as UTF-8."),
    "bytes_not_utf8": later("{n_bytes} bytes are not UTF-8; the rows that hold them are left out."),
    "text_encoding": later("Read as {encoding}."),
    "file_empty": later("The file is empty."),
    "wrong_number_of_fields": later("{expected} columns were expected, {found} found."),
    "csv_broken": later("A quotation mark is not closed, or text follows a closing one."),
    "cell_too_long": later(
        "A cell has more than {maximum} characters: a quotation mark is not closed, or the text is too long to be read."
    ),
    "nothing_usable": later(
        "None of the first {n_rows} lines is usable, so the rest of the file was not read. Mend the first of them: a quotation mark that is not closed, or a wrong delimiter, spoils all that follow."
    ),
    "rest_unreadable": later("Quotation marks are so broken that {n_lines} lines from here could not be read."),
    "duplicate_header": later("Two columns are called “{column}”; the first is used."),
    "json_invalid": later("This line is not valid JSON."),
    "json_not_an_object": later("This line is JSON, but not an object in curly brackets."),
    "character_not_allowed": later("The row holds a character that cannot be stored."),
    "trec_line_broken": later("This line is not in TREC's {format} format."),
    "no_rows": later("The file has a header and no rows."),
    "role_unknown": later(
        "It is not clear what this file holds (columns: {columns}). Say whether it is queries, documents, "
        "judgments, candidates or teacher scores."
    ),
    "column_missing": later("{role} need a column for {field}; the columns are: {columns}. Map one to it."),
    "mapped_column_missing": later("The mapping names column “{column}” for {field}, which is not there."),
    "mapped_file_missing": later("The mapping names this file, which is not there."),
    "file_not_read": later("This file was not read: nothing in it looks like part of a sample."),
    "no_queries": later("There are no queries. Upload a file with query_id and text."),
    "no_documents": later("There are no documents. Upload a file with doc_id and text."),
    "no_judgments": later("There are no judgments. Without them nothing can be measured."),
    "id_missing": later("{field} is empty."),
    "id_has_white_space": later("{field} holds white space; exports to TREC will encode it."),
    "id_in_scientific_notation": later(
        "{field} looks like a number that a spreadsheet has shortened. Export the column as text."
    ),
    "query_without_text": later("The query has no text."),
    "document_without_text": later("The document has neither title nor text."),
    "document_huge": later("The document has {n_chars} characters; models read only the beginning."),
    "grade_missing": later("No grade: counted as unjudged."),
    "grade_not_integer": later("The grade is not a whole number."),
    "grade_not_finite": later("The grade is not a finite number."),
    "grade_negative": later("The grade is negative."),
    "grade_too_large": later("The grade is above {maximum}: hardly a grade. Is it the right column?"),
    "score_not_finite": later("The score is not a finite number."),
    "rank_not_integer": later("The rank is not a whole number."),
    "duplicate_query_id": later("This query id came before (line {first_line} of {first_file}); the first is kept."),
    "duplicate_document_id": later(
        "This document id came before (line {first_line} of {first_file}); the first is kept."
    ),
    "ids_written_differently": later(
        "{n_ids} values of {field} point nowhere only because they are written differently: “{here}” here, “{there}” there. A spreadsheet may have removed leading zeros or added “.0”; width or case may differ. Export the ids as text and alike."
    ),
    "orphan_judgment": later("The judgment's {missing} is not in the sample."),
    "orphan_candidate": later("The candidate's {missing} is not in the sample."),
    "orphan_teacher_score": later("The teacher score's {missing} is not in the sample."),
    "duplicate_judgment": later("The same judgment came before (line {first_line} of {first_file})."),
    "contradictory_judgments": later(
        "One pair has several grades ({grades}). Decide which one holds; none is used until then."
    ),
    "duplicate_candidate": later("The same candidate came before (line {first_line} of {first_file})."),
    "duplicate_teacher_score": later("The same teacher score came before (line {first_line} of {first_file})."),
    "contradictory_teacher_scores": later("One pair has several teacher scores ({scores}); none is used."),
    "queries_without_judgments": later(
        "{n_without} of {n_queries} queries have no judgments. They cannot be measured; distillation can use them."
    ),
    "queries_without_relevant": later(
        "{n_without} of {n_queries} queries are judged but have no relevant document; they are left out of the "
        "measurement and counted."
    ),
    "few_judged_queries": later(
        "Only {n_judged} queries have a relevant document. Below {minimum} no comparison is possible at all."
    ),
    "only_positive_judgments": later(
        "None of the {n_judgments} judgments is a 0: unjudged documents count as not relevant."
    ),
    "grade_histogram": later("Judgments per grade: {counts}."),
    "duplicate_document_texts": later("{n_documents} documents repeat the text of an earlier one."),
    "duplicate_query_texts": later("{n_queries} queries repeat the text of an earlier one."),
    "archive_broken": later("The archive cannot be opened. Pack it again."),
    "archive_empty": later(
        "Nothing in the archive looks like a table. Pack the files themselves, not folders of pictures or programs."
    ),
    "archive_encrypted": later("The file wants a password. Pack it without one."),
    "archive_name_repeated": later("Two files in the archive have this name; the first is used."),
    "archive_name_unsafe": later(
        "A file in the archive has a name that leads out of its folder, or lies too deep; it was not read."
    ),
    "archive_nested": later("An archive inside the archive is not read. Unpack it first."),
    "archive_too_large": later("The archive would unpack to more than {max_bytes}; nothing of it was read. Split it."),
    "archive_too_many_files": later("The archive holds {n_files} files; {maximum} is the most."),
    "line_too_long": later(
        "A line has more than {maximum} characters: this is no table. Check how the file was written."
    ),
    "json_broken": later("The file is one JSON document that is not valid from this line on. Export it again."),
    "json_duplicate_key": later(
        "The key “{key}” stands twice in one object: which value counts is unclear. Remove one."
    ),
    "columns_not_read": later("The records have {n_columns} different fields; the {maximum} most frequent are read."),
    "too_many_columns": later("The table has {n_columns} columns; {maximum} is the most. Is the delimiter right?"),
    "parquet_broken": later("The Parquet file is damaged ({reason}). Write it again."),
    "parquet_names_twice": later(
        "Two columns of the Parquet file are called “{column}”; nothing of it was read. Rename one."
    ),
    "parquet_too_large": later(
        "The Parquet file has {n_rows} rows and takes {unpacked_bytes} or more unpacked, which is too much. Take a sample."
    ),
    "workbook_broken": later("The workbook is damaged ({reason}); nothing of it was read. Save it again as xlsx."),
    "workbook_too_large": later(
        "The cells of this sheet hold more than {max_bytes} of text; it was not read. Save it as CSV, or take a sample."
    ),
    "formula_without_value": later(
        "A formula whose result was not saved. Open the workbook and save it, or paste values."
    ),
    "formulas_in_cells": later("{n_rows} rows hold formulas; the results that were saved with them count."),
    "dates_in_cells": later(
        "{n_cells} cells are dates. If an id such as 1-2 was meant, format the column as text and type it again."
    ),
    "digits_lost": later("{n_cells} numbers have more digits than a spreadsheet keeps (15). Import such ids as text."),
    "spreadsheet_error_value": later("The row holds a spreadsheet's error value. Mend the formula."),
    "topic_broken": later("The topic has no number or no title."),
    "ltr_without_document": later(
        "The line does not end in “# document id”, so nobody knows which document was judged."
    ),
    "lists_unequal": later("The row has {n_texts} texts and {n_labels} labels."),
    "list_expected": later("“{column}” is not a list."),
    "ordering_unreadable": later("The teacher's answer names none of the candidates."),
    "ordering_repaired": later(
        "The teacher's order was completed: {n_missing} candidates not named, {n_repeated} named again, {n_unknown} unknown."
    ),
    "ratings_postponed": later(
        "{n_ratings} ratings were postponed or marked as impossible; these pairs count as unjudged."
    ),
    "candidates_without_order": later(
        "The file has no score and no rank: it is no ranking. Its {n_rows} rows give queries and documents only."
    ),
    "judgments_from_training_pairs": later(
        "{n_judgments} judgments come from a training file: what it does not name was never judged, and its negatives may be unchecked. Measure on judgments of your own if you can."
    ),
    "file_repeated": later("The same content as {first_file}; it is read once."),
    "table_left_out": later("Left out, as you chose."),
    "mapping_remembered": later("Columns as you set them for an earlier file with the same header."),
    "queries_derived": later("There is no file of queries: {n_rows} queries were taken from the other files."),
    "documents_derived": later(
        "There is no file of documents: {n_rows} documents were taken from the other files. Unjudged documents are missing then; upload the whole collection if you can."
    ),
    "labels_mapped": later("Labels were read as grades ({scale}). Check that this is what they mean."),
    "labels_unknown": later("The grades are words that are not known ({labels}). Say which grade each stands for."),
    "grades_rescaled": later(
        "Grades on another scale were read as whole grades ({scale}). Check that this is what they mean."
    ),
    "raters_pseudonymised": later(
        "The addresses of {n_raters} raters were replaced by numbers; the dataset does not hold them."
    ),
    "repeated_query": later("The same query came before (line {first_line} of {first_file})."),
    "repeated_document": later("The same document came before (line {first_line} of {first_file})."),
    "orphan_rating": later("The rating's {missing} is not in the sample."),
    "duplicate_rating": later(
        "This rater rated the pair before (line {first_line} of {first_file}); the first rating counts."
    ),
    "raters_agree": later("{n_raters} raters agree well enough on {n_pairs} pairs (Krippendorff's alpha {alpha})."),
    "raters_disagree": later(
        "{n_raters} raters agree poorly on {n_pairs} pairs (Krippendorff's alpha {alpha}, at least {minimum} is wanted). Sharpen the guideline before you measure."
    ),
    "judgments_from_ratings": later(
        "{n_judgments} judgments are the means of {n_raters} raters' ratings, halves rounded up."
    ),
    "judged_in_task": later(
        "{n_judgments} judgments were made in the app by {n_raters} raters; where their grades differ, the median counts."
    ),
    "final_ratings_not_used": later(
        "The final ratings of {n_rows} rows are not used: a file of judgments says what holds."
    ),
    "judgments_implicit": later(
        "{n_judgments} judgments are implicit: clicks against the clicks that the position lets expect. Nobody has judged. {n_few} pairs shown fewer than {minimum} times stay unjudged."
    ),
    "clicks_not_used": later(
        "{n_rows} rows of clicks are not used, because people have judged; the two are never mixed."
    ),
    "clicks_without_impressions": later(
        "The click log has no impressions, so nothing can be corrected for the position. Add what was shown."
    ),
    "clicks_without_positions": later(
        "The click log has no positions, so nothing can be corrected for them. Add the position of each impression."
    ),
    "clicks_missing": later("The click log has impressions and no clicks."),
    "several_runs": later(
        "“{system}” answers the same queries as “{first}”; scores of two systems cannot be mixed. Its {n_rows} rows are not used: choose one of the two."
    ),
    "judged_share": later("Of the first {depth} results of your search {share} are judged."),
    "pool_of_one_search": later(
        "{share} of the judged documents are results of the uploaded search: what another order brings up was mostly never judged and counts as not relevant."
    ),
    "scale_starts_at_one": later(
        "Grades go from 1 to {maximum} and none is 0, so that 1 counts as relevant. If 1 means not relevant, say so with the labels of the file."
    ),
    "frequency_not_positive": later("How often this query was asked is no number above 0; once is taken."),
    "near_duplicate_query": later(
        "Nearly the same as “{first}” (line {first_line} of {first_file}). The two are kept together, so that neither trains what the other tests; they say little more than one query."
    ),
    "near_duplicate_documents": later(
        "{n_documents} of {n_looked_at} documents looked at are nearly the same as an earlier one (this one as {first})."
    ),
    "japanese_text": later(
        "The queries are Japanese (share of Japanese characters: {share}). The embedded model knows English only: choose a Japanese base model, such as {models}."
    ),
    "other_script": later(
        "The texts are not in Latin script (share: {share}). The embedded model knows English only: choose a base model that knows the language, such as {models}."
    ),
    "languages_differ": later(
        "Queries and documents are in different scripts: a search by words finds nothing, and the embedded model does not translate."
    ),
    "markup_in_texts": later(
        "{n_documents} documents hold {markup}; a model reads the marks as words. Remove them if you can."
    ),
    "direction_characters": later(
        "{n_rows} rows hold invisible characters that change the direction of writing. Remove them: what is shown is not what is stored."
    ),
    "personal_data": later(
        "{role}: {n_rows} rows hold an e-mail address or a telephone number. They can be masked when the dataset is saved."
    ),
    "segments_proposed": later("The queries have no segments; {proposal} would divide them ({counts})."),
    "benchmark_cut": later(
        "Only a part of the benchmark was taken: {n_queries} of {n_all_queries} judged queries, {n_documents} of {n_all} documents. Searching fewer documents is easier: figures are not those that are published."
    ),
    "negative_grades": later("{n_judgments} negative grades, which mark spam or doubt, count as 0."),
    "more_findings": later("{n_more} more findings of this kind ({of_code}) are not listed."),
}


def finding_sentence(say: Say, finding: Finding) -> str:
    """Return a finding's sentence in the reader's language."""
    message = FINDINGS.get(finding.code)
    if message is None:
        return finding.code
    return say(message).format_map(in_words(say, finding.facts))


SEVERITY_ORDER = {"error": 0, "warning": 1, "info": 2}


def findings_frame(say: Say, findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings with their sentences, errors first."""
    ordered = sorted(capped(findings), key=lambda finding: SEVERITY_ORDER[finding.severity])
    return pd.DataFrame(
        {
            say("Severity"): [name_of(say, SEVERITIES, finding.severity) for finding in ordered],
            say("What and what to do"): [finding_sentence(say, finding) for finding in ordered],
            say("File"): [finding.file or "" for finding in ordered],
            say("Line"): ["" if finding.line is None else str(finding.line) for finding in ordered],
            say("Value"): [finding.value or "" for finding in ordered],
            say("Rule"): [finding.code for finding in ordered],
        }
    )
