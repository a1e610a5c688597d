"""Bad input: a finding with file, line, value and rule; every row is kept or kept aside."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank.errors import RerankError
from rerank.intake.check_report import report_of
from rerank.intake.codes import FINDINGS
from rerank.intake.finish import finish
from rerank.intake.noting import count_errors
from rerank.intake.reading import Draft, Source, read_files
from rerank.intake.storage import load_dataset, load_findings, load_rejected, save_dataset

QUERIES = Source("queries.csv", b"query_id,query\nq1,red\nq2,blue\n")
DOCUMENTS = Source("docs.csv", b"doc_id,title,text\nd1,a,one\nd2,b,two\n")


def judged(text: str) -> Draft:
    return read_files([QUERIES, DOCUMENTS, Source("j.csv", text.encode())])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("q1,d1,high", "grade_not_integer"),
        ("q1,d1,1.5", "grade_not_integer"),
        ("q1,d1,-1", "grade_negative"),
        ("q1,d1,nan", "grade_not_finite"),
        ("q1,d1,1e999", "grade_not_finite"),
        ("q1,d1,1000", "grade_too_large"),
        ("q1,d1,", "grade_missing"),
        ("q1,,1", "id_missing"),
        ("q9,d1,1", "orphan_judgment"),
        ("q1,d9,1", "orphan_judgment"),
        ("q1,d1", "wrong_number_of_fields"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_value(row: str, code: str) -> None:
    draft = judged(f"query_id,doc_id,grade\nq2,d2,1\n{row}\n")
    found = next(finding for finding in draft.findings if finding.code == code)
    assert (found.file, found.line) == ("j.csv", 3)
    assert found.value is not None
    assert found.value.startswith("q")
    assert [(rejected.line, rejected.code) for rejected in draft.rejected] == [(3, code)]
    assert len(draft.frames["judgments"]) == 1


def test_contradictory_judgments_are_all_refused_and_equal_ones_kept_once() -> None:
    draft = judged("query_id,doc_id,grade\nq1,d1,1\nq1,d1,2\nq2,d2,1\nq2,d2,1\n")
    assert len(draft.frames["judgments"]) == 1
    codes = {finding.code: finding for finding in draft.findings}
    assert codes["contradictory_judgments"].facts["grades"] == ["1", "2"]
    assert codes["duplicate_judgment"].facts["first_line"] == 4
    assert sorted(row.line for row in draft.rejected) == [2, 3, 5]


def test_duplicate_ids_keep_the_first() -> None:
    documents = Source("docs.csv", b"doc_id,title,text\nd1,a,one\nd1,b,two\n")
    draft = read_files([QUERIES, documents])
    assert list(draft.frames["documents"]["title"]) == ["a"]
    assert "duplicate_document_id" in {finding.code for finding in draft.findings}


def test_the_user_decides_about_good_rows_and_nothing_is_lost() -> None:
    draft = judged("query_id,doc_id,grade\nq1,d1,2\nq2,d2,bad\n")
    with pytest.raises(RerankError, match="input_has_errors"):
        finish(draft, "x")
    dataset = finish(draft, "x", keep_good_rows=True)
    save_dataset(dataset, draft.findings, draft.rejected)
    assert dataset.manifest["keep_good_rows"] is True
    assert len(load_dataset(dataset.digest).judgments) == 1
    kept_aside = load_rejected(dataset.digest)
    assert json.loads(kept_aside["row"][0])["grade"] == "bad"
    assert count_errors(load_findings(dataset.digest)) == 1


def test_rows_left_out_for_an_error_are_counted_by_role_and_harmless_ones_are_not() -> None:
    rows = ["q1,d1,1", "q1,d1,2", "q1,d2,2", "q1,d2,2", "q2,d2,", "q2,d1,bad", "q9,d1,1", "q2"]
    draft = judged("\n".join(["query_id,doc_id,grade", *rows]) + "\n")
    dataset = finish(draft, "x", keep_good_rows=True)
    assert dataset.manifest["left_out"] == {
        "judgments": {
            "contradictory_judgments": 2,
            "grade_not_integer": 1,
            "orphan_judgment": 1,
            "wrong_number_of_fields": 1,
        }
    }


def test_the_digest_is_of_the_content_and_not_of_order_or_name() -> None:
    one = finish(judged("query_id,doc_id,grade\nq1,d1,2\nq2,d2,1\n"), "one")
    other = finish(judged("query_id,doc_id,grade\nq2,d2,1\nq1,d1,2\n"), "other")
    changed = finish(judged("query_id,doc_id,grade\nq2,d2,1\nq1,d1,1\n"), "one")
    assert one.digest == other.digest != changed.digest


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b" \n\n", "file_empty"),
        (b"a\x00b", "nul_bytes"),
        (b"PK\x03\x04rest", "archive_broken"),
        (b"\x1f\x8bbroken", "gzip_broken"),
        (b"\xff\xfe\x00", "encoding_broken"),
        (b"query_id,doc_id,grade\n", "no_rows"),
        (b"[1, 2]", "json_not_an_object"),
        (b"[1, 2", "json_broken"),
        (b"{broken\n", "json_invalid"),
        (b"{}\n5\n", "json_not_an_object"),
        (b"colour,size,weight\nred,x,heavy\n", "role_unknown"),
    ],
)
def test_unreadable_files_say_why(data: bytes, code: str) -> None:
    draft = read_files([Source("file", data)])
    assert code in {finding.code for finding in draft.findings}


def test_a_mapping_to_a_column_that_is_gone_is_said() -> None:
    source = Source("q.csv", b"a,b\n1,x\n", "queries", {"text": "gone"})
    assert "mapped_column_missing" in {finding.code for finding in read_files([source]).findings}


def test_a_dataset_that_is_not_there_is_a_clear_error() -> None:
    for digest in ("", "../../etc", "f" * 64):
        with pytest.raises(RerankError, match="dataset_not_found"):
            load_dataset(digest)


def test_the_report_counts_and_lists() -> None:
    report = report_of(judged("query_id,doc_id,grade\nq1,d1,2\nq2,d2,bad\n"))
    assert (report["n_queries"], report["n_documents"], report["n_judgments"]) == (2, 2, 1)
    assert {"severity", "code", "file", "line", "value"} <= set(report["findings"][0])


ROLES = st.sampled_from([None, "queries", "documents", "judgments", "candidates", "teacher_scores"])
ROWS = st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), max_size=8)


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()), role=ROLES)
def test_any_bytes_give_findings_and_never_a_traceback(data: bytes, role: str | None) -> None:
    draft = read_files([Source("any", data, role), QUERIES])
    assert {finding.code for finding in draft.findings} <= set(FINDINGS)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, header=st.sampled_from(["query_id,doc_id,grade", "doc_id,title,text", "qid\tdocid\tscore", "query"]))
def test_any_table_gives_findings_and_never_a_traceback(rows: list[list[str]], header: str) -> None:
    text = header + "\n" + "\n".join(",".join(row) for row in rows)
    draft = read_files([Source("any.csv", text.encode("utf-8", "surrogatepass")), QUERIES, DOCUMENTS])
    assert {finding.code for finding in draft.findings} <= set(FINDINGS)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["q1", "q9", ""]), st.sampled_from(["d1", "d2", "x"]), st.sampled_from("012x ")),
        max_size=12,
    )
)
def test_every_row_is_kept_or_kept_aside(rows: list[tuple[str, str, str]]) -> None:
    text = "query_id,doc_id,grade\n" + "".join(f"{','.join(row)}\n" for row in rows)
    draft = judged(text)
    aside = [row for row in draft.rejected if row.file == "j.csv"]
    assert len(draft.frames["judgments"]) + len(aside) == len(rows)


def test_file_names_are_only_text(tmp_path: Path) -> None:
    draft = read_files([Source("../../etc/passwd", b"query_id,query\nq1,x\n")])
    assert draft.files[0].name == "../../etc/passwd"
    assert not (tmp_path / "etc").exists()
