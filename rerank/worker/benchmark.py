"""A public benchmark, downloaded and stored as a job: a page cannot wait for it."""

from collections.abc import Mapping
from typing import Any

from rerank.intake.benchmarks import N_DOCUMENTS, N_QUERIES, Wanted, read_benchmark
from rerank.intake.finish import finish
from rerank.intake.storage import save_dataset
from rerank.worker.reporter import Reporter


def run_benchmark(spec: Mapping[str, Any], reporter: Reporter) -> None:
    """Import a benchmark. spec: `name`, `n_documents`, `n_queries`. The progress names the dataset at the end.

    Raises what `read_benchmark` raises.
    """
    reporter.progress(phase="downloading")

    def tell(n_documents: int) -> None:
        reporter.progress(phase="downloading", n_documents=n_documents)
        reporter.breathe()

    wanted = Wanted(str(spec["name"]), int(spec.get("n_documents", N_DOCUMENTS)), int(spec.get("n_queries", N_QUERIES)))
    draft = read_benchmark(wanted, tell)
    dataset = finish(draft, wanted.name, keep_good_rows=True)
    save_dataset(dataset, draft.findings, draft.rejected)
    reporter.progress(phase="done", share=1.0, dataset=dataset.digest)
