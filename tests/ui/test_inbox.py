"""The inbox on the data page: what lies there, and how its last import ended."""

from rerank.intake.inbox import import_record_path
from rerank.intake.storage import list_datasets
from rerank.jobs import queue
from rerank.store.home import inbox
from rerank.worker.importing import ImportSpec, run_import
from rerank.worker.reporter import Silent
from tests.ui.conftest import open_page


def imported(**spec: object) -> str:
    """A finished import job of the folder `shop`."""
    folder = inbox() / "shop"
    folder.mkdir()
    (folder / "queries.csv").write_text("query_id,query\nq1,red shoes\n")
    (folder / "documents.csv").write_text("doc_id,text\nd1,red ones\nd2,a blue one\n")
    (folder / "qrels.csv").write_text("query_id,doc_id,grade\nq1,d1,2\n")
    chosen = {"entry": "shop", "name": "My *shop*", **spec}
    job, _ = queue.submit("import", chosen)
    queue.claim(job.id, 1)
    run_import(ImportSpec(**chosen), Silent(), import_record_path(job.id))  # type: ignore[arg-type]
    queue.finish(job.id, "done")
    return job.id


def test_an_empty_inbox_says_where_it_is() -> None:
    page = open_page("data")
    assert not page.exception
    assert str(inbox()) in [code.value for code in page.code]
    assert "Nothing is there yet." in [item.value for item in page.caption]


def test_the_last_import_is_shown_with_its_findings() -> None:
    imported(sample_documents=1)
    page = open_page("data")
    assert not page.exception
    assert any("My" in item.value for item in page.success)
    assert any("A sample of 1 of 2 documents" in item.value for item in page.caption)
    assert page.selectbox(key="inbox_entry").value == "shop"
    assert list_datasets()[0]["name"] == "My *shop*"


def test_the_button_starts_one_job(monkeypatch) -> None:
    started: list[tuple[str, object]] = []
    imported()

    def start(kind: str, spec: object):
        started.append((kind, spec))
        return queue.jobs("import")[0]

    monkeypatch.setattr("rerank.ui.job_button.start", start)
    page = open_page("data")
    page.number_input(key="inbox_documents").set_value(1).run()
    page.button(key="import").click().run()
    assert not page.exception
    kind, spec = started[0]
    assert kind == "import"
    assert spec["entry"] == "shop"
    assert spec["sample_documents"] == 1
