"""What BM25 ranks first among many documents, searched as a job: a page cannot wait for the index."""

from collections.abc import Mapping
from typing import Any

from rerank.intake.storage import load_dataset
from rerank.judging.pool import keep_bm25_ranking
from rerank.worker.reporter import Reporter

INDEXING = 0.8  # of the work, as a rule


def run_pool(spec: Mapping[str, Any], reporter: Reporter) -> None:
    """Index and search. spec: `dataset`, `depth`. Raises what `load_dataset` raises."""
    dataset = load_dataset(str(spec["dataset"]))

    def indexed(done: int, total: int) -> None:
        reporter.progress(phase="indexing", share=INDEXING * done / total)
        reporter.breathe()

    def searched(done: int, total: int) -> None:
        reporter.progress(phase="candidates", share=INDEXING + (1 - INDEXING) * done / total)
        reporter.breathe()

    reporter.progress(phase="indexing", share=0.0)
    keep_bm25_ranking(dataset, int(spec["depth"]), indexed, searched)
    reporter.progress(phase="done", share=1.0)
