"""Near-duplicate documents in words."""

import pandas as pd

from rerank.intake.document_duplicates import Duplicates
from rerank.wording.language import Say
from rerank.wording.numbers import count


def duplicates_sentence(say: Say, found: Duplicates) -> str:
    """Return how many documents repeat others."""
    if found.pairs.empty:
        return say("None of {n} documents nearly repeats another.", n=count(found.n_documents))
    return say(
        "{n} of {all} documents nearly repeat one of {n_groups} others.",
        n=count(len(found.pairs)),
        all=count(found.n_documents),
        n_groups=count(found.n_groups),
    )


def unjudged_sentence(say: Say, copies: pd.DataFrame) -> str:
    """Return how many unjudged pairs have a judged copy, and what to do."""
    return say(
        "{n} pairs of query and document are unjudged although the query judged a copy of the document. If the copy "
        "deserves the same grade, add these rows to your judgments; {n_relevant} of them would be relevant.",
        n=count(len(copies)),
        n_relevant=count(int((copies["grade"] > 0).sum())),
    )
