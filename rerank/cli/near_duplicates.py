"""`rerank near-duplicates`: search all documents of a stored dataset for near-duplicates."""

import argparse
from pathlib import Path

from rerank.intake.document_duplicates import search_duplicates, unjudged_copies
from rerank.intake.storage import load_dataset
from rerank.report.spreadsheets import csv_bytes
from rerank.store.artefacts import write_bytes
from rerank.wording.duplicates import duplicates_sentence, unjudged_sentence
from rerank.wording.language import Say


def near_duplicates(given: argparse.Namespace, say: Say) -> int:
    """Search, unless that was done, say what was found and write it; a killed search goes on where it was."""
    dataset = load_dataset(given.dataset)
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = done * 10 // total
        if tenth > told:
            told = tenth
            print(say("{done} of {total} documents", done=f"{done:,}", total=f"{total:,}"), flush=True)

    found = search_duplicates(dataset, tell)
    copies = unjudged_copies(dataset, found)
    print(duplicates_sentence(say, found))
    if len(copies):
        print(unjudged_sentence(say, copies))
    for path, frame in ((given.csv, found.pairs), (given.unjudged, copies)):
        if path:
            write_bytes(Path(path), csv_bytes(frame))
    return 0
