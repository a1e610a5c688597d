"""Every format is recognised by its content and becomes the same rows; hostile files become findings."""

import gzip
import io
import time
import zipfile

import pytest

from rerank.intake.formats.registry import FORMATS
from rerank.intake.reading import Draft, read_files
from rerank.intake.sources import Choice, Source, key_of
from tests.intake.layouts import DOCUMENTS, LAYOUTS, QUERIES, Layout, parquet, text, workbook


def errors(draft: Draft) -> list[str]:
    # A layout alone is no complete sample; what is missing is not what these tests are about.
    incomplete = {"no_queries", "no_documents", "no_judgments"}
    return [found.code for found in draft.findings if found.severity == "error" and found.code not in incomplete]


def codes(draft: Draft) -> set[str]:
    return {found.code for found in draft.findings}


def checked(draft: Draft, layout: Layout) -> None:
    frames = draft.frames
    texts = {row.doc_id: f"{row.title} {row.text}" for row in frames["documents"].itertuples()}
    passages = {doc_id: row.strip() for doc_id, row in texts.items() if doc_id.startswith("text-")}

    def of(frame: str, value: str) -> list[tuple[str, str, float]]:
        rows = frames[frame][["query_id", "doc_id", value]].itertuples(index=False, name=None)
        return [(query, passages.get(document, document), number) for query, document, number in rows]

    assert errors(draft) == []
    if layout.judgments is not None:
        assert sorted(of("judgments", "grade")) == sorted(layout.judgments)
    if layout.candidates is not None:
        assert of("candidates", "rank") == layout.candidates
    if layout.teacher_scores is not None:
        assert sorted(of("teacher_scores", "score")) == sorted(layout.teacher_scores)
    queries = dict(frames["queries"][["query_id", "text"]].itertuples(index=False, name=None))
    assert dict(layout.queries).items() <= queries.items()
    assert dict(layout.documents).items() <= texts.items()


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised_by_its_content(name: str) -> None:
    layout = LAYOUTS[name]
    draft = read_files(layout.files)
    assert name in {file.layout for file in draft.files}
    checked(draft, layout)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised_in_an_archive(name: str) -> None:
    layout = LAYOUTS[name]
    endings = {"xlsx", "parquet", "csv", "tsv", "json", "jsonl", "txt"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in layout.files:
            known = file.name.rsplit(".", 1)[-1] in endings
            archive.writestr(f"sample/{file.name}{'' if known else '.txt'}", file.data)
    checked(read_files([Source("sample.zip", out.getvalue())]), layout)


def test_there_is_a_file_of_every_format() -> None:
    assert set(LAYOUTS) == set(FORMATS)


def test_raters_are_kept_and_their_addresses_are_not() -> None:
    draft = read_files(LAYOUTS["quepid_book"].files)
    ratings = draft.frames["ratings"]
    assert sorted(ratings["rater"].unique()) == ["rater 1", "rater 2"]
    assert len(ratings) == 3  # the one that cannot be rated is told
    assert "ratings_postponed" in codes(draft)


def test_a_judge_per_column_without_telling_names() -> None:
    book = text("book.csv", "query,docid,Anna,Ben\nred shoes,d1,2,1\nblue hat,d2,,0\n")
    draft = read_files([DOCUMENTS, book])
    assert list(draft.frames["judgments"]["grade"]) == [2, 0]  # 1.5 is rounded up
    assert list(draft.frames["ratings"]["rater"]) == ["Anna", "Ben", "Ben"]


@pytest.mark.parametrize(
    ("labels", "grades"),
    [
        (["Exact", "Partial", "Irrelevant"], [2, 1, 0]),
        (["E", "S", "C", "I"], [3, 2, 1, 0]),
        (["Exact", "Substitute", "Complement", "Irrelevant"], [3, 2, 1, 0]),
        (["○", "△", "×"], [2, 1, 0]),
        (["◎", "〇", "△", "✕"], [3, 2, 1, 0]),
        (["高", "中", "低"], [2, 1, 0]),
        (["はい", "いいえ"], [1, 0]),
        (["100", "10", "1", "0"], [3, 2, 1, 0]),
        (["1.0", "0.1", "0.01", "0.0"], [3, 2, 1, 0]),
        (["3.000", "0.000"], [3, 0]),
    ],
    ids=lambda value: "-".join(map(str, value)),
)
def test_labels_in_words_and_other_scales_become_grades(labels: list[str], grades: list[int]) -> None:
    names = [f"d{place}" for place in range(len(labels))]
    documents = text("documents.csv", "doc_id,text\n" + "".join(f"{name},about {name}\n" for name in names))
    rows = "".join(f"q1,{name},{label}\n" for name, label in zip(names, labels, strict=True))
    draft = read_files([QUERIES, documents, text("j.csv", f"query_id,doc_id,label\n{rows}")])
    assert list(draft.frames["judgments"]["grade"]) == grades
    assert errors(draft) == []
    assert labels[0] == "3.000" or {"labels_mapped", "grades_rescaled"} & codes(draft)


def test_three_raters_and_a_final_grade_are_no_run() -> None:
    rows = "query-id\tcorpus-id\trater1\trater2\trater3\tfinal\nq1\td1\t2\t3\t2\t2\nq2\td2\t0\t0\t1\t0\n"
    draft = read_files([QUERIES, DOCUMENTS, text("individual_ratings.tsv", rows)])
    assert draft.files[2].layout == "raters_wide"
    assert list(draft.frames["judgments"]["grade"]) == [2, 0]
    assert len(draft.frames["ratings"]) == 6


def test_unknown_labels_are_listed_and_the_user_says_what_they_mean() -> None:
    judgments = text("j.csv", "query_id,doc_id,label\nq1,d1,super\nq2,d2,meh\n")
    draft = read_files([QUERIES, DOCUMENTS, judgments])
    assert next(found for found in draft.findings if found.code == "labels_unknown").facts["labels"] == ["super", "meh"]
    said = {key_of(judgments.sha256): Choice(labels={"super": 2, "meh": 0})}
    draft = read_files([QUERIES, DOCUMENTS, judgments], choices=said)
    assert list(draft.frames["judgments"]["grade"]) == [2, 0]
    assert errors(draft) == []


def test_a_scale_from_one_to_four_is_told() -> None:
    judgments = text("j.csv", "query_id,doc_id,grade\nq1,d1,4\nq2,d2,1\n")
    assert "scale_starts_at_one" in codes(read_files([QUERIES, DOCUMENTS, judgments]))


def test_a_user_may_leave_a_sheet_out() -> None:
    source = LAYOUTS["workbook"].files[0]
    draft = read_files([source], choices={key_of(source.sha256, "candidates"): Choice("leave_out")})
    assert "candidates" not in draft.frames
    assert len(draft.frames["judgments"]) == 2


def test_an_own_file_wins_over_texts_told_by_the_way() -> None:
    draft = read_files([QUERIES, *LAYOUTS["raters_wide"].files])
    assert list(draft.frames["queries"]["query_id"]) == ["q1", "q2"]
    assert [row.query_id for row in draft.frames["judgments"].itertuples()] == ["q1", "q2"]


def test_tabs_win_over_commas_in_texts() -> None:
    collection = text("collection.tsv", "1\tred, blue, green and more\n2\tone\n3\ta, b\n")
    assert list(read_files([collection]).frames["documents"]["doc_id"]) == ["1", "2", "3"]


def test_gzip_of_a_workbook_is_a_workbook() -> None:
    draft = read_files([Source("a.gz", gzip.compress(LAYOUTS["workbook"].files[0].data))])
    assert len(draft.frames["judgments"]) == 2


# --- workbooks, Parquet and JSON with traps


def test_ids_that_a_spreadsheet_has_spoilt_are_told() -> None:
    import datetime

    rows = [["query_id", "doc_id", "rating"], [datetime.date(2024, 1, 2), 7.0, 1], [1e16, "007", 2]]
    draft = read_files([Source("book.xlsx", workbook({"judgments": rows}))])
    assert {"dates_in_cells", "digits_lost"} <= codes(draft)
    assert [(row.file, row.line) for row in draft.rejected] == [
        ("book.xlsx › judgments", 2),
        ("book.xlsx › judgments", 3),
    ]
    assert '"doc_id": "007"' in draft.rejected[1].row
    assert '"doc_id": "7"' in draft.rejected[0].row


def test_a_formula_without_a_saved_result_refuses_its_row() -> None:
    rows = [["query_id", "query"], ["q1", "red"], ["q2", '=CONCATENATE("blue"," hat")'], ["q3", "green"]]
    draft = read_files([Source("book.xlsx", workbook({"queries": rows}))])
    assert list(draft.frames["queries"]["query_id"]) == ["q1", "q3"]
    found = next(found for found in draft.findings if found.code == "formula_without_value")
    assert (found.line, found.value) == (3, '=CONCATENATE("blue"," hat")')
    assert "formulas_in_cells" in codes(draft)


def test_nested_parquet_is_flattened_and_deeper_values_are_json() -> None:
    data = parquet(query_id=["1"], text=["red"], metadata=[{"segment": "tail", "more": {"a": [1, 2]}}], tags=[["x"]])
    draft = read_files([Source("q.parquet", data)])
    assert list(draft.frames["queries"]["segment"]) == ["tail"]
    assert draft.files[0].preview["metadata.more"][0] == '{"a": [1, 2]}'


def test_whole_numbers_of_a_parquet_file_with_gaps_stay_ids() -> None:
    draft = read_files([Source("d.parquet", parquet(doc_id=[7.0, None, 8.0], text=["a", "b", "c"]))])
    assert list(draft.frames["documents"]["doc_id"]) == ["7", "8"]
    assert "id_missing" in codes(draft)


def test_a_key_that_stands_twice_refuses_its_row() -> None:
    draft = read_files([text("q.jsonl", '{"_id": "1", "text": "a", "text": "b"}\n{"_id": "2", "text": "c"}\n')])
    assert [(row.line, row.code) for row in draft.rejected] == [(1, "json_duplicate_key")]
    assert list(draft.frames["queries"]["query_id"]) == ["2"]


# --- archives and sizes


def packed(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


CSV = b"query_id,query\nq1,red\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (packed(**{"../../etc/cron.csv": CSV}), "archive_name_unsafe"),
        (packed(**{"/etc/cron.csv": CSV}), "archive_name_unsafe"),
        (packed(**{"C:\\windows\\x.csv": CSV}), "archive_name_unsafe"),
        (packed(**{"a/" * 40 + "x.csv": CSV}), "archive_name_unsafe"),
        (packed(**{"bomb.csv": b"0" * (600 * 2**20)}), "archive_too_large"),
        (packed(**{"inner.zip": packed(**{"q.csv": CSV})}), "archive_nested"),
        (packed(**{f"{n}.csv": b"" for n in range(1001)}), "archive_too_many_files"),
        (packed(**{"photo.png": b"x"}), "archive_empty"),
        (packed(**{"q.csv": CSV})[:-30], "archive_broken"),
        (b"7z\xbc\xaf\x27\x1cxxxx", "archive_not_supported"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "archive_not_supported"),
        (b"PAR1 nothing PAR1", "parquet_broken"),
        (packed(**{"xl/workbook.xml": b"<nothing/>"}), "workbook_broken"),
        (b"x" * (17 * 2**20), "line_too_long"),
        ((",".join(f"c{n}" for n in range(1_000_000))).encode() + b"\n", "too_many_columns"),
        (b"[" * 200_000, "json_broken"),
        (b'{"a": ' * 200_000, "json_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_file_is_refused_whole(data: bytes, code: str) -> None:
    draft = read_files([Source("hostile", data)])
    assert code in codes(draft)
    assert all(frame.empty for frame in draft.frames.values())


@pytest.mark.parametrize(
    "data",
    [b"<top>\n" * 100_000, b"1 qid:" + b"a" * 200_000 + b"#", b"# qid:1:" + b" " * 200_000 + b"x\n1 qid:1 # d1"],
    ids=["topics", "judgments", "comment"],
)
def test_no_pattern_takes_a_time_that_grows_with_the_square(data: bytes) -> None:
    start = time.process_time()
    read_files([Source("slow", data)])
    assert time.process_time() - start < 5  # it was minutes


@pytest.mark.parametrize("text_of", ["[", "<p", "**", "a@", "0-1", "[a]("])
def test_no_text_keeps_the_checks_busy(text_of: str) -> None:
    start = time.process_time()
    read_files([QUERIES, text("d.csv", f"doc_id,text\nd1,{text_of * 100_000}\n")])
    assert time.process_time() - start < 5


def test_many_queries_alike_but_for_a_number_are_not_compared_with_each_other() -> None:
    numbered = "".join(f"q{n},what is query number {n}\n" for n in range(1500))
    start = time.process_time()
    draft = read_files([text("queries.csv", f"query_id,query\n{numbered}"), DOCUMENTS])
    assert time.process_time() - start < 15
    assert "near_duplicate_query" not in codes(draft)


def test_a_truncated_member_refuses_the_whole_archive() -> None:
    whole = bytearray(packed(**{"queries.csv": CSV, "documents.csv": b"doc_id,text\n" + b"d1,some text\n" * 500}))
    at = whole.index(b"documents.csv") + 40
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    draft = read_files([Source("a.zip", bytes(whole))])
    assert "archive_broken" in codes(draft)
    assert all(frame.empty for frame in draft.frames.values())


def test_an_encrypted_member_is_named() -> None:
    data = bytearray(packed(**{"q.csv": CSV}))
    data[6] |= 1  # the flag in the member's own header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    draft = read_files([Source("a.zip", bytes(data))])
    assert next(found.file for found in draft.findings if found.code == "archive_encrypted") == "a.zip/q.csv"


def test_a_million_different_keys_are_not_a_million_columns() -> None:
    import json

    rows = [json.dumps({"_id": str(n), "text": "x", **{f"k{n}_{m}": 1 for m in range(50)}}) for n in range(100)]
    draft = read_files([text("queries.jsonl", "\n".join(rows))])
    assert "columns_not_read" in codes(draft)
    assert len(draft.frames["queries"]) == 100


def test_the_same_file_twice_is_read_once() -> None:
    draft = read_files([QUERIES, DOCUMENTS, text("a.txt", "q1 0 d1 2\n"), text("b.txt", "q1 0 d1 2\n")])
    assert "file_repeated" in codes(draft)
    assert len(draft.frames["judgments"]) == 1


def test_two_runs_of_the_same_queries_are_not_mixed() -> None:
    runs = [text("a.run", "q1 Q0 d1 1 0.1 a\nq2 Q0 d2 1 0.1 a\n"), text("b.run", "q1 Q0 d2 1 99.5 b\n")]
    draft = read_files([QUERIES, DOCUMENTS, text("q.txt", "q1 0 d1 2\nq2 0 d2 0\n"), *runs])
    found = next(found for found in draft.findings if found.code == "several_runs")
    assert found.file == "b.run"
    assert len(draft.frames["candidates"]) == 2
    assert [(row.file, row.code) for row in draft.rejected] == [("b.run", "several_runs")]


def test_a_run_in_two_files_is_one_run() -> None:
    runs = [text("a.run", "q1 Q0 d1 1 0.1 a\n"), text("b.run", "q2 Q0 d2 1 99.5 a\n")]
    draft = read_files([QUERIES, DOCUMENTS, *runs])
    assert "several_runs" not in codes(draft)
    assert len(draft.frames["candidates"]) == 2


def test_document_ids_with_blanks_survive_in_trec_files() -> None:
    documents = text("documents.csv", "doc_id,text\nmy doc,one\nd2,two\n")
    draft = read_files([QUERIES, documents, text("q.txt", "q1 0 my doc 2\nq2 0 d2 0\nq1 0 d2 1\n")])
    assert ("q1", "my doc") in list(
        draft.frames["judgments"][["query_id", "doc_id"]].itertuples(index=False, name=None)
    )
