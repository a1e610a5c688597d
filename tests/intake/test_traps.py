"""Traps of real files: encodings, packed sizes, ids and names that something on the way has changed."""

import io
import time
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rerank.cli.check import print_draft
from rerank.intake.formats import parquet
from rerank.intake.reading import Draft, Source, read_files
from rerank.wording.language import speaker

QUERIES = Source("queries.csv", b"query_id,query\nq1,red\nq2,blue\n")
DOCUMENTS = Source("docs.csv", b"doc_id,title,text\n0001,a,one\n0002,b,two\n")
JAPANESE = "query_id,query\nq1,赤い靴を買いたい\nq2,青い帽子\n"


def codes(draft: Draft) -> dict[str, int | None]:
    """The findings with the line of the first of each."""
    found: dict[str, int | None] = {}
    for finding in draft.findings:
        found.setdefault(finding.code, finding.line)
    return found


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-16", "utf-32", "iso2022_jp"])
def test_japanese_encodings_are_read_and_told(encoding: str) -> None:
    draft = read_files([Source("queries.csv", JAPANESE.encode(encoding))])
    assert list(draft.frames["queries"]["text"]) == ["赤い靴を買いたい", "青い帽子"]
    assert "text_encoding" in codes(draft)


def test_a_file_that_mixes_two_encodings_is_not_half_garbage() -> None:
    windows = "".join(f"d{place},赤い靴です\n" for place in range(8)).encode("cp932")
    mostly = Source("d.csv", b"doc_id,text\n" + windows + "e1,青い帽子\n".encode())
    assert codes(read_files([QUERIES, mostly]))["encodings_mixed"] == 10
    few = "".join(f"d{place},赤い靴です\n" for place in range(8)).encode() + "e1,青い\n".encode("cp932")
    draft = read_files([QUERIES, Source("d.csv", b"doc_id,text\n" + few)])
    assert codes(draft)["bytes_not_utf8"] == 10
    assert len(draft.frames["documents"]) == 8
    assert [row.line for row in draft.rejected] == [10]


@pytest.mark.parametrize(
    ("start", "kind"), [(b"<!DOCTYPE html>\n<html>", "html"), (b" <HTML lang=ja>", "html"), (b"\x89PNG\r\n", "png")]
)
def test_what_is_no_table_is_called_by_its_name(start: bytes, kind: str) -> None:
    draft = read_files([QUERIES, Source("docs.csv", start + b"a,b,c\n")])
    found = next(finding for finding in draft.findings if finding.file == "docs.csv")
    assert (found.code, found.facts["kind"]) == ("archive_not_supported", kind)


def test_a_cell_that_is_too_long_is_not_called_a_broken_quote() -> None:
    draft = read_files([QUERIES, Source("d.csv", b'doc_id,text\nd1,"' + b"x" * (5 * 2**20) + b'"\nd2,fine\n')])
    assert codes(draft)["cell_too_long"] == 2
    assert list(draft.frames["documents"]["doc_id"]) == ["d2"]


def parquet_bytes(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def test_a_text_that_parquet_stores_once_for_a_hundred_thousand_rows_does_not_fill_the_memory() -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 100_000]))
    data = parquet_bytes(pa.table({"doc_id": [str(place) for place in range(100_000)], "text": texts}))
    assert len(data) < 2 * 2**20
    draft = read_files([QUERIES, Source("d.parquet", data)])
    assert "parquet_too_large" in codes(draft)
    assert draft.frames["documents"].empty


def test_pieces_of_a_parquet_file_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"doc_id": [f"d{place}" for place in range(500)], "text": [f"word {place % 7}" for place in range(500)]}
    source = Source("d.parquet", parquet_bytes(pa.table({**rows, "n": [{"a": place} for place in range(500)]})))
    whole = read_files([QUERIES, source]).frames["documents"]
    monkeypatch.setattr(parquet, "_PIECE_BYTES", 100)
    assert read_files([QUERIES, source]).frames["documents"].equals(whole)
    assert list(whole["text"]) == rows["text"]
    assert list(whole["line"]) == list(range(1, 501))


def test_two_columns_of_one_name_in_parquet_are_not_one_of_them() -> None:
    arrays = [pa.array(["d1", "d2"]), pa.array(["x", "y"]), pa.array(["z", "w"])]
    data = parquet_bytes(pa.Table.from_arrays(arrays, names=["doc_id", "text", "text"]))
    assert "parquet_names_twice" in codes(read_files([QUERIES, Source("d.parquet", data)]))


def workbook_of_one_text(n_chars: int, n_rows: int) -> bytes:
    """A workbook whose cells all name one text that is stored once."""
    head = '<?xml version="1.0"?>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = (("workbook.xml", "sheet.main"), ("worksheets/sheet1.xml", "worksheet"))
    parts = "".join(
        f'<Override PartName="/xl/{name}" ContentType="{kind}.{what}+xml"/>'
        for name, what in (*names, ("sharedStrings.xml", "sharedStrings"))
    )
    rows = "".join(f'<row><c><v>{n}</v></c><c t="s"><v>2</v></c></row>' for n in range(n_rows))
    texts = "".join(f"<si><t>{word}</t></si>" for word in ("doc_id", "text", "x" * n_chars))
    files = {
        "[Content_Types].xml": f'{head}<Types xmlns="{package}/content-types">{parts}</Types>',
        "_rels/.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{head}<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="documents" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="b" '
        f'Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'{head}<sst xmlns="{main}">{texts}</sst>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{main}"><sheetData><row><c t="s"><v>0</v></c>'
        f'<c t="s"><v>1</v></c></row>{rows}</sheetData></worksheet>',
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_text_that_a_workbook_stores_once_for_every_row_does_not_keep_the_page_busy() -> None:
    small = read_files([QUERIES, Source("b.xlsx", workbook_of_one_text(10, 3))])
    assert list(small.frames["documents"]["text"]) == ["x" * 10] * 3
    large = read_files([QUERIES, Source("b.xlsx", workbook_of_one_text(2**20, 5000))])
    assert codes(large)["workbook_too_large"] == 257  # 256 rows of 1 MiB are too many together with their ids
    assert large.frames["documents"].empty


@pytest.mark.parametrize(
    ("written", "field"),
    [("q1,1,2\nq2,2,1", "doc_id"), ("q1,1.0,2", "doc_id"), ("q1,０００１,2", "doc_id"), ("Q1,0001,2", "query_id")],
)
def test_ids_that_differ_only_in_writing_are_told_as_such(written: str, field: str) -> None:
    judged = Source("j.csv", f"query_id,doc_id,grade\n{written}\n".encode())
    draft = read_files([QUERIES, DOCUMENTS, judged])
    found = next(finding for finding in draft.findings if finding.code == "ids_written_differently")
    assert (found.facts["field"], found.line) == (field, 2)
    assert found.facts["there"] in ("0001", "q1")
    assert "orphan_judgment" in codes(draft)  # told, not guessed


def test_ids_that_are_nowhere_are_not_said_to_be_written_differently() -> None:
    judged = Source("j.csv", b"query_id,doc_id,grade\nq1,3,2\nq9,0001,1\n")
    assert "ids_written_differently" not in codes(read_files([QUERIES, DOCUMENTS, judged]))


def test_many_repeats_of_one_judgment_are_refused_in_seconds() -> None:
    n = 20_000
    judged = Source("j.csv", b"query_id,doc_id,grade\n" + b"q1,0001,2\n" * n)
    start = time.perf_counter()
    draft = read_files([QUERIES, DOCUMENTS, judged])
    assert time.perf_counter() - start < 20  # a look into an index per row took more than a minute
    assert len(draft.rejected) == n - 1
    repeats = [finding for finding in draft.findings if finding.code == "duplicate_judgment"]
    assert {finding.facts["first_line"] for finding in repeats} == {2}


@pytest.mark.parametrize("grades", ["②①", "２１"])
def test_digits_of_other_width_are_grades_without_a_word_of_doubt(grades: str) -> None:
    judged = "".join(f"q{place},000{place},{grade}\n" for place, grade in enumerate(grades, start=1))
    draft = read_files([QUERIES, DOCUMENTS, Source("j.csv", f"query_id,doc_id,評価\n{judged}".encode())])
    assert list(draft.frames["judgments"]["grade"]) == [2, 1]
    assert "labels_unknown" not in codes(draft)


def test_a_topic_on_the_line_of_its_root_is_a_topic() -> None:
    topics = '<?xml version="1.0"?><topics task="x"><topic number="7"><query>red &amp; blue</query></topic></topics>'
    draft = read_files([Source("t.xml", topics.encode())])
    assert list(draft.frames["queries"]["text"]) == ["red & blue"]


def test_a_sheet_that_was_refused_is_not_called_empty_as_well() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append([f"c{place}" for place in range(1200)])
    stream = io.BytesIO()
    book.save(stream)
    found = codes(read_files([QUERIES, Source("b.xlsx", stream.getvalue())]))
    assert "too_many_columns" in found
    assert "no_rows" not in found


def test_a_file_name_moves_no_cursor_and_turns_no_writing_around(capsys: pytest.CaptureFixture[str]) -> None:
    draft = read_files([QUERIES, Source("a\nb\x1b[31m\u202egpj.csv", b"doc_id,text\nd7\n")])
    print_draft(speaker("en"), draft)
    printed = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(printed)
    assert "a\ufffdb\ufffd[31m\ufffdgpj.csv:2" in printed


def test_limits_are_told_in_units_that_people_read() -> None:
    from rerank.intake.noting import note
    from rerank.wording.findings import finding_sentence

    finding = note("error", "archive_too_large", "a.zip", max_bytes=512 * 2**20)
    assert "more than 512 MiB;" in finding_sentence(speaker("en"), finding)


def test_judgments_without_a_header_tell_their_queries_when_they_name_them_by_text() -> None:
    documents = Source("collection.tsv", b"d1\tred shoes\nd2\tblue hat\n")
    draft = read_files([documents, Source("j.csv", "red shoes,d1,3\n青い帽子,d2,1\n".encode())])
    assert list(draft.frames["queries"]["text"]) == ["red shoes", "青い帽子"]
    assert len(draft.frames["judgments"]) == 2
    ids = read_files([documents, Source("j.csv", b"q1,d1,3\nq2,d2,1\n")])
    assert "no_queries" in codes(ids)
