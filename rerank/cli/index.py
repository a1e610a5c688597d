"""`rerank index`: build the first stage's index of a large dataset ahead of time."""

import argparse

from rerank.intake.storage import load_dataset
from rerank.retrieval.candidates import bm25_of, index_folder
from rerank.wording.language import Say


def index(given: argparse.Namespace, say: Say) -> int:
    """Build what is missing of the BM25 index; a small dataset needs none."""
    dataset = load_dataset(given.dataset)
    if dataset.documents_at is None:
        print(say("This dataset is small: its index is made in memory when it is needed."))
        return 0

    def tell(done: int, total: int) -> None:
        print(say("{done} of {total} documents", done=f"{done:,}", total=f"{total:,}"), flush=True)

    bm25_of(dataset, tell)
    print(say("Index: {folder}", folder=str(index_folder(dataset))))
    return 0
