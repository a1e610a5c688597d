"""Every layout that users bring, from bytes to typed rows."""

import gzip
import json
from pathlib import Path

import pytest

from rerank.cli.main import DONE, main
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.reading import Draft, Source, read_files

QUERIES = b"query_id,query\n007,red shoes\n1e5x,blue hat\n"
DOCUMENTS = b'{"_id": "0001", "title": "Shoes", "text": "red ones"}\n{"_id": "2", "text": "a hat"}\n'


def read(judgments: Source, *more: Source) -> Draft:
    return read_files([Source("queries.csv", QUERIES), Source("corpus.jsonl", DOCUMENTS), judgments, *more])


def grades(draft: Draft) -> list[tuple[str, str, int]]:
    return [(row.query_id, row.doc_id, row.grade) for row in draft.frames["judgments"].itertuples()]


@pytest.mark.parametrize(
    "source",
    [
        Source("qrels.tsv", b"query-id\tcorpus-id\tscore\n007\t0001\t3\n1e5x\t2\t0\n"),
        Source("qrels.tsv", b"007\t0001\t3\n1e5x\t2\t0\n"),  # BEIR without header: the first row counts
        Source("qrels.txt", b"007 0 0001 3\n1e5x 0 2 0\n"),
        Source("ratings.csv", b"query,docid,rating\nred shoes,0001,3\nblue hat,2,0\n"),  # by text, as Quepid does
        Source("ratings.csv", b"query_id;doc_id;grade\r\n007;0001;3.000\r\n1e5x;2;0\r\n"),
        Source("j.jsonl", b'{"qid": "007", "docno": "0001", "rel": 3}\n{"qid": "1e5x", "docno": 2, "rel": "0"}\n'),
        Source("ratings.csv.gz", gzip.compress(b"query_id,doc_id,rating\n007,0001,3\n1e5x,2,0\n")),
        Source("j.csv", "クエリID,文書ID,評価\n007,0001,３\n1e5x,2,０\n".encode("cp932")),
        Source("j.csv", "クエリID,文書ID,評価\n007,0001,３\n1e5x,2,０\n".encode("utf-16")),
        Source("j.csv", "クエリID,文書ID,評価\n007,0001,3\n1e5x,2,0\n".encode("euc-jp")),
        Source("j.csv", b"\xef\xbb\xbfquery_id,doc_id,grade\n007,0001,3\n1e5x,2,0\n"),
        Source("j.csv", b"a,b,c\n007,0001,3\n1e5x,2,0\n", "judgments", {"query_id": "a", "doc_id": "b", "grade": "c"}),
    ],
    ids=lambda source: f"{source.name}-{len(source.data)}",
)
def test_judgments_of_every_layout_are_the_same_judgments(source: Source) -> None:
    draft = read(source)
    assert grades(draft) == [("007", "0001", 3), ("1e5x", "2", 0)]
    assert not [finding for finding in draft.findings if finding.severity == "error"]


def test_a_trec_run_becomes_candidates_ordered_by_score() -> None:
    run = Source("bm25.run", b"007 Q0 2 1 1.5 x\n007 Q0 0001 2 2.5 x\n1e5x Q0 2 1 0.1 x\n")
    draft = read(Source("q.txt", b"007 0 0001 1\n"), run)
    found = [(row.query_id, row.doc_id, row.rank) for row in draft.frames["candidates"].itertuples()]
    assert found == [("007", "0001", 1), ("007", "2", 2), ("1e5x", "2", 1)]


def test_teacher_scores_are_told_from_judgments() -> None:
    scores = Source("teacher.csv", b"query_id,doc_id,score\n007,0001,0.93\n1e5x,2,-1.5e-3\n")
    draft = read(Source("q.txt", b"007 0 0001 1\n"), scores)
    assert list(draft.frames["teacher_scores"]["score"]) == [0.93, -0.0015]


def test_quoted_cells_may_hold_newlines_and_keep_the_line_numbers_right() -> None:
    text = b'doc_id,title,text\n1,A,"first\nsecond"\n2,B\n3,C,last\n'
    draft = read_files([Source("docs.csv", text)])
    assert list(draft.frames["documents"]["line"]) == [2, 5]
    wrong = next(finding for finding in draft.findings if finding.code == "wrong_number_of_fields")
    assert (wrong.line, wrong.value) == (4, "2,B")


def test_one_broken_quote_costs_one_row() -> None:
    text = b'doc_id,title,text\n1,A,fine\n2,"B,open\n3,C,fine\n4,D,fine\n'
    draft = read_files([Source("docs.csv", text)])
    assert list(draft.frames["documents"]["doc_id"]) == ["1", "3", "4"]
    assert [(row.line, row.code) for row in draft.rejected] == [(3, "csv_broken")]


def test_bare_quotes_in_tab_separated_texts_are_text() -> None:
    draft = read_files([Source("collection.tsv", b'1\tthe 15" screen\n2\t"quoted" and more\n3\tplain\n')])
    assert list(draft.frames["documents"]["text"]) == ['the 15" screen', '"quoted" and more', "plain"]


def test_segments_come_along() -> None:
    draft = read_files([Source("queries.jsonl", b'{"_id": "1", "text": "x", "metadata": {"segment": "tail"}}\n')])
    assert list(draft.frames["queries"]["segment"]) == ["tail"]


def test_a_folder_says_which_files_it_did_not_read(tmp_path: Path) -> None:
    (tmp_path / "queries.csv").write_bytes(QUERIES)
    (tmp_path / "corpus.jsonl").write_bytes(DOCUMENTS)
    (tmp_path / "qrels.txt").write_bytes(b"007 0 0001 1\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    draft = read_folder(tmp_path)
    assert [finding.file for finding in draft.findings if finding.code == "file_not_read"] == ["photo.png"]
    assert len(draft.frames["judgments"]) == 1


def test_a_mapping_file_names_files_and_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("one,two\nq1,hello\n")
    (tmp_path / "b.csv").write_text("k,v\nd1,world\n")
    (tmp_path / "c.csv").write_text("x,y,z\nq1,d1,2\n")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[queries]\nfile = "a.csv"\nquery_id = "one"\ntext = "two"\n'
        '[documents]\nfile = "b.csv"\ndoc_id = "k"\ntext = "v"\n'
        '[judgments]\nfile = "c.csv"\nquery_id = "x"\ndoc_id = "y"\ngrade = "z"\n'
    )
    assert grades(read_folder(tmp_path, mapping)) == [("q1", "d1", 2)]


@pytest.mark.parametrize(
    ("name", "queries", "documents", "judgments"),
    [
        ("esci_us_sample", 150, 6764, 6678),
        ("jsquad_sample", 599, 2302, 599),
        ("lawqa_jp", 140, 210, 269),
        ("quepid_rating_party", 137, 1558, 1358),
        ("stackfaq", 1249, 719, 7184),
        ("vespa_docs", 26, 5030, 85),
    ],
)
def test_real_collections_import_whole_by_command(
    collections: Path, tmp_path: Path, name: str, queries: int, documents: int, judgments: int
) -> None:
    assert main(["--lang", "en", "check", str(collections / name), "--json", str(tmp_path / "report.json")]) == DONE
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["n_queries"], report["n_documents"], report["n_judgments"]) == (queries, documents, judgments)


def test_the_bundled_sample_is_what_it_says() -> None:
    dataset = finish(read_folder(Path(__file__).resolve().parents[2] / "data" / "sample"), "sample")
    words = dataset.documents["text"].str.split().str.len()
    assert len(dataset.documents) >= 320
    assert words.between(40, 160).all()
    assert not dataset.documents["text"].duplicated().any()
    assert len(dataset.queries) >= 200
    assert dataset.queries["segment"].nunique() >= 3
    assert len(dataset.judgments) >= 2000
    assert dataset.judgments.groupby("query_id").size().min() >= 8
    assert set(dataset.judgments["grade"]) == {0, 1, 2, 3}
    assert dataset.manifest["synthetic"] is True
