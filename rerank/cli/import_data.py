"""`rerank import`: check a sample of any size and store it."""

import argparse

from rerank.cli.check import is_refused, print_draft
from rerank.cli.data import draft_of, saved
from rerank.wording.language import Say
from rerank.wording.sampling import sampling_lines


def import_data(given: argparse.Namespace, say: Say) -> int:
    """Print counts and findings and store the dataset; 2 when errors stand in the way, and nothing is stored."""
    draft = draft_of(given)
    print_draft(say, draft)
    if is_refused(say, draft) and not given.keep_good_rows:
        return 2
    dataset = saved(draft, given)
    print(
        say("Stored: {n} documents under the digest {digest}", n=dataset.manifest["n_documents"], digest=dataset.digest)
    )
    for line in sampling_lines(say, dataset.manifest["sampling"]):
        print(line)
    print(say("Use it in place of a folder: rerank run {digest}", digest=dataset.digest))
    return 0
