"""A benchmark is imported by a worker process; what goes wrong there is a sentence on the page."""

from pathlib import Path

import pytest

from rerank.intake.storage import list_datasets
from rerank.jobs.launch import start
from tests.tiny import wait_for_end

LIBRARY = """
from collections import namedtuple
Doc = namedtuple("Doc", "doc_id text")
Query = namedtuple("Query", "query_id text")
Qrel = namedtuple("Qrel", "query_id doc_id relevance")
class Tiny:
    has_docs = has_queries = has_qrels = lambda self: True
    docs_iter = lambda self: (Doc(f"d{n}", f"text {n}") for n in range(30))
    queries_iter = lambda self: iter([Query("q1", "one")])
    qrels_iter = lambda self: iter([Qrel("q1", "d1", 1)])
def load(name):
    return {"tiny": Tiny()}[name]
"""


def test_a_benchmark_arrives_as_a_dataset_or_as_an_error(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ir_datasets.py").write_text(LIBRARY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = wait_for_end(start("benchmark", {"name": "tiny", "n_documents": 5, "n_queries": 10}).id, 60)
    assert job.state == "done"
    (manifest,) = list_datasets()
    assert (manifest["digest"], manifest["n_documents"]) == (job.progress["dataset"], 6)
    failed = wait_for_end(start("benchmark", {"name": "tiny/other", "n_documents": 5, "n_queries": 10}).id, 60)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "unknown_benchmark"
