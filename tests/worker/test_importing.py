"""Importing from the inbox: a dataset and a record of what was found, or the findings and why nothing was stored."""

from pathlib import Path

import pytest

from rerank.errors import RerankError
from rerank.intake.inbox import entry_path, import_record, import_record_path, inbox_entries
from rerank.intake.storage import list_datasets
from rerank.store.home import inbox
from rerank.worker.importing import ImportSpec, run_import
from rerank.worker.reporter import Silent


def put(documents: str = "doc_id,text\nd1,red ones\nd2,a blue one\n") -> None:
    folder = inbox() / "shop"
    folder.mkdir()
    (folder / "queries.csv").write_text("query_id,query\nq1,red shoes\nq2,blue hat\n")
    (folder / "documents.csv").write_text(documents)
    (folder / "qrels.csv").write_text("query_id,doc_id,grade\nq1,d1,2\nq2,d2,1\n")


def test_a_folder_of_the_inbox_is_stored() -> None:
    put()
    assert [(entry.name, entry.n_files) for entry in inbox_entries()] == [("shop", 3)]
    run_import(ImportSpec("shop", "My shop", sample_queries=1), Silent(), import_record_path("job"))
    found = import_record("job")
    assert found is not None
    stored = list_datasets()[0]
    assert (found["digest"], stored["name"], stored["n_queries"]) == (stored["digest"], "My shop", 1)
    assert (found["counts"]["queries"], found["counts"]["documents"]) == (1, 2)
    assert found["sampling"]["queries"]["of"] == 2
    assert (inbox() / "shop" / "queries.csv").is_file()


def test_errors_store_nothing_and_are_on_record() -> None:
    put("doc_id,text\nd1,red ones\nd2,a blue one\nd3,one,two\n")
    with pytest.raises(RerankError) as refused:
        run_import(ImportSpec("shop", "x"), Silent(), import_record_path("job"))
    assert refused.value.code == "input_has_errors"
    assert not list_datasets()
    found = import_record("job")
    assert found is not None
    assert found["digest"] is None
    assert "wrong_number_of_fields" in {finding["code"] for finding in found["findings"]}
    run_import(ImportSpec("shop", "x", keep_good_rows=True), Silent(), import_record_path("job"))
    assert list_datasets()[0]["n_rejected"] == 1


def test_only_what_lies_in_the_inbox_is_imported(tmp_path: Path) -> None:
    put()
    (tmp_path / "secret").mkdir()
    (inbox() / "link").symlink_to(tmp_path / "secret")
    (inbox() / ".hidden").write_text("x")
    assert [entry.name for entry in inbox_entries()] == ["shop"]
    for name in ("link", ".hidden", "../secret", "shop/queries.csv", "", str(tmp_path / "secret")):
        with pytest.raises(RerankError) as refused:
            entry_path(name)
        assert refused.value.code == "input_not_found"
