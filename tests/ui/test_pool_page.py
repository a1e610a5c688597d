"""Pooling among many documents on the page: a job searches, then the task is made at once."""

from pathlib import Path

import pytest

from rerank.jobs import queue
from rerank.judging import pool
from rerank.judging.tasks import tasks_of
from rerank.store import judging
from rerank.worker.pooling import run_pool
from rerank.worker.reporter import Silent
from tests.judging.tasks import stored_dataset
from tests.ui.conftest import open_page


def test_the_page_of_a_large_dataset_offers_the_job_and_then_makes_the_task(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_AT_ONCE", 10)
    dataset = stored_dataset()
    started: list[tuple[str, object]] = []

    def submit(kind: str, spec: object):
        started.append((kind, spec))
        return queue.submit(kind, spec)[0]  # type: ignore[arg-type]

    monkeypatch.setattr("rerank.ui.job_button.start", submit)
    page = open_page("judge", dataset=dataset.digest)
    assert page.button(key="create_task").disabled
    page.button(key="pool").click().run()
    assert not page.exception
    spec = {"dataset": dataset.digest, "depth": 10}
    assert started == [("pool", spec)]
    run_pool(spec, Silent())
    page = open_page("judge", dataset=dataset.digest)
    assert "pool" not in [button.key for button in page.button]
    page.button(key="create_task").click().run()
    assert not page.exception
    assert len(judging.read_pairs(tasks_of([dataset.digest])[0].id)) > 0
