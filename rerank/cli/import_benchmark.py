"""`rerank import-benchmark`: a public benchmark by its name, as a dataset."""

import argparse

from rerank.intake.benchmarks import Wanted, read_benchmark
from rerank.intake.finish import finish
from rerank.intake.storage import save_dataset
from rerank.wording.findings import finding_sentence
from rerank.wording.language import Say

TOLD = ("benchmark_cut", "negative_grades")


def import_benchmark(given: argparse.Namespace, say: Say) -> int:
    """Download, cut, check and store; print the counts and the digest. Raises what `read_benchmark` raises."""
    wanted = Wanted(given.benchmark, n_documents=given.documents, n_queries=given.queries)
    draft = read_benchmark(wanted)
    dataset = finish(draft, given.name or wanted.name, keep_good_rows=True)
    save_dataset(dataset, draft.findings, draft.rejected)
    counts = {name: int(dataset.manifest[name]) for name in ("n_queries", "n_documents", "n_judgments")}
    print(say("{n_queries} queries, {n_documents} documents, {n_judgments} judgments", **counts))
    for finding in draft.findings:
        if finding.code in TOLD:
            print(finding_sentence(say, finding))
    print(say("Stored: {n} documents under the digest {digest}", n=counts["n_documents"], digest=dataset.digest))
    print(say("Use it in place of a folder: rerank run {digest}", digest=dataset.digest))
    return 0
