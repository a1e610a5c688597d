"""Pairs of many documents are searched for by a job: it can be stopped, goes on, and the page then is quick."""

from pathlib import Path

import pytest

from rerank.jobs.launch import start
from rerank.judging import pool
from rerank.retrieval import candidates
from rerank.store.artefacts import read_parquet
from rerank.worker.pooling import run_pool
from rerank.worker.reporter import Silent, Stopped
from tests.judging.tasks import stored_dataset
from tests.tiny import wait_for_end


class StopsAt(Silent):
    """A reporter that stops a job after some breaths, and counts."""

    def __init__(self, last: int) -> None:
        self.left = last
        self.shares: list[float] = []

    def progress(self, **facts: object) -> None:
        if "share" in facts:
            self.shares.append(float(str(facts["share"])))

    def breathe(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped


def test_a_stopped_search_goes_on_and_finds_what_one_search_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = stored_dataset()
    monkeypatch.setattr(pool, "SEARCHED_AT_ONCE", 15)
    spec = {"dataset": dataset.digest, "depth": 3}
    stopped = StopsAt(1)
    with pytest.raises(Stopped):
        run_pool(spec, stopped)
    path = pool.bm25_ranking_path(dataset, 3)
    assert not path.exists()
    assert len(list(path.with_suffix(".parts").iterdir())) == 2
    again = StopsAt(10)
    run_pool(spec, again)
    assert again.shares == sorted(again.shares)
    assert again.shares[-1] == 1.0
    assert not path.with_suffix(".parts").exists()
    assert read_parquet(path).equals(pool.bm25_ranking(dataset, 3))
    monkeypatch.setattr(candidates, "bm25_of", None)  # what is kept needs no index
    run_pool(spec, Silent())


def test_a_worker_process_searches(home: Path) -> None:
    dataset = stored_dataset()
    job = wait_for_end(start("pool", {"dataset": dataset.digest, "depth": 10}).id, 120)
    assert (job.state, job.progress["share"]) == ("done", 1.0)
    assert pool.bm25_ranking_path(dataset, 10).is_file()
