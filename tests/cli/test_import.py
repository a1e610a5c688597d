"""`rerank import` stores what `rerank check` accepts, from a folder or from the inbox."""

from pathlib import Path

import pytest

from rerank.cli.main import main
from rerank.intake import large
from rerank.intake.storage import list_datasets, load_dataset
from rerank.store.home import inbox


def write(folder: Path, documents: str = "doc_id,text\nd1,red ones\nd2,a blue one\n") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "queries.csv").write_text("query_id,query\nq1,red shoes\nq2,blue hat\n")
    (folder / "documents.csv").write_text(documents)
    (folder / "qrels.csv").write_text("query_id,doc_id,grade\nq1,d1,2\nq2,d2,1\n")


def test_a_folder_becomes_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "shop")
    assert main(["import", str(tmp_path / "shop")]) == 0
    stored = list_datasets()[0]
    assert stored["name"] == "shop"
    assert stored["digest"] in capsys.readouterr().out


def test_a_large_file_in_the_inbox_is_stored_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "STREAM_BYTES", 10)
    write(inbox() / "big")
    assert main(["import", "big"]) == 0
    stored = load_dataset(list_datasets()[0]["digest"])
    assert stored.documents_at is not None
    assert stored.documents["text"].tolist() == ["red ones", "a blue one"]


def test_errors_store_nothing_until_good_rows_are_enough(tmp_path: Path) -> None:
    write(tmp_path, "doc_id,text\nd1,red ones\nd2,a blue one\nd3,one,two\n")
    assert main(["import", str(tmp_path)]) == 2
    assert not list_datasets()
    assert main(["import", str(tmp_path), "--keep-good-rows"]) == 0
    assert list_datasets()[0]["n_rejected"] == 1


def test_a_sample_is_stored_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "doc_id,text\n" + "".join(f"d{i},text {i}\n" for i in range(1, 50)))
    assert main(["import", str(tmp_path), "--sample-documents", "10", "--sample-queries", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 of 2 queries" in said
    assert "10 of 49 documents" in said
    assert list_datasets()[0]["sampling"]["documents"] == {"n": 10, "of": 49, "n_named": 1}
