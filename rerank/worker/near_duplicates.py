"""The search for documents that are nearly the same, as a job: a million of them take about half an hour."""

from collections.abc import Mapping
from typing import Any

from rerank.intake.document_duplicates import search_duplicates
from rerank.intake.storage import load_dataset
from rerank.worker.reporter import Reporter


def run_near_duplicates(spec: Mapping[str, Any], reporter: Reporter) -> None:
    """Search all documents of a dataset. spec: `dataset`, its digest. Raises what `load_dataset` raises."""
    reporter.progress(phase="reading_documents")

    def tell(done: int, total: int) -> None:
        reporter.progress(phase="reading_documents", share=done / total)
        reporter.breathe()

    search_duplicates(load_dataset(str(spec["dataset"])), tell)
    reporter.progress(phase="done", share=1.0)
