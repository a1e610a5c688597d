"""Findings of intake as sentences."""

from collections.abc import Mapping

from rerank.intake.findings import Finding
from rerank.wording.facts import in_words
from rerank.wording.language import Say, later

FINDINGS: Mapping[str, str] = {
    "nul_bytes": later("The file holds NUL bytes: it is binary, or UTF-16 without its mark. Save it as UTF-8."),
    "gzip_broken": later("The compressed file is damaged or cut short. Compress it again."),
    "gzip_too_large": later("The file would unpack to more than {max_bytes} bytes. Split it."),
    "archive_not_supported": later("A {kind} file cannot be read here. Unpack it or save it as CSV or JSONL."),
    "encoding_unknown": later("The file is not in UTF-8, UTF-16, CP932 or EUC-JP. Save it as UTF-8."),
    "encoding_broken": later("The file starts as {encoding} and does not stay so. Save it as UTF-8."),
    "bytes_not_utf8": later("{n_bytes} bytes are not UTF-8; the rows that hold them are left out."),
    "text_encoding": later("Read as {encoding}."),
    "file_empty": later("The file is empty."),
    "wrong_number_of_fields": later("{expected} columns were expected, {found} found."),
    "csv_broken": later("A quotation mark is not closed, or text follows a closing one."),
    "rest_unreadable": later("Quotation marks are so broken that {n_lines} lines from here could not be read."),
    "duplicate_header": later("Two columns are called “{column}”; the first is used."),
    "json_invalid": later("This line is not valid JSON."),
    "json_not_an_object": later("This line is JSON, but not an object in curly brackets."),
    "json_not_lines": later("The file is one JSON document; one object per line is needed (JSONL)."),
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
    "japanese_text": later(
        "The queries are Japanese (share of Japanese characters: {share}). The embedded model knows English only: "
        "choose a Japanese base model if you can."
    ),
    "more_findings": later("{n_more} more findings of this kind ({of_code}) are not listed."),
}


def finding_sentence(say: Say, finding: Finding) -> str:
    """Return a finding's sentence in the reader's language."""
    message = FINDINGS.get(finding.code)
    if message is None:
        return finding.code
    return say(message).format_map(in_words(say, finding.facts))
