"""Near-duplicate documents in words."""

import pandas as pd

from rerank.intake.document_duplicates import Duplicates
from rerank.wording.language import Say


def duplicates_sentence(say: Say, found: Duplicates) -> str:
    """Return how many documents repeat others."""
    if found.pairs.empty:
        return say("None of {n} documents nearly repeats another.", n=f"{found.n_documents:,}")
    return say(
        "{n} of {all} documents nearly repeat one of {n_groups} others.",
        n=f"{len(found.pairs):,}",
        all=f"{found.n_documents:,}",
        n_groups=f"{found.n_groups:,}",
    )


def unjudged_sentence(say: Say, copies: pd.DataFrame) -> str:
    """Return how many unjudged pairs have a judged copy, and what to do."""
    return say(
        "{n} pairs of query and document are unjudged although the query judged a copy of the document. If the copy "
        "deserves the same grade, add these rows to your judgments; {n_relevant} of them would be relevant.",
        n=f"{len(copies):,}",
        n_relevant=f"{int((copies['grade'] > 0).sum()):,}",
    )
