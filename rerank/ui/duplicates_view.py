"""Documents that are nearly the same: searched by a job, shown with what they mean for the judgments."""

import streamlit as st

from rerank.intake.dataset import Dataset
from rerank.intake.document_duplicates import Duplicates, found_duplicates, unjudged_copies
from rerank.ui.job_button import job_button
from rerank.ui.safe import plain
from rerank.ui.show import table
from rerank.wording.duplicates import duplicates_sentence, unjudged_sentence
from rerank.wording.language import Say


def duplicates_view(say: Say, dataset: Dataset) -> None:
    """Offer the search among all documents, or show what it found."""
    st.subheader(say("Documents that repeat each other"), anchor=False)
    found = found_duplicates(dataset)
    if found is None:
        st.caption(
            say(
                "Two copies of a document divide what is known of it: one is judged relevant, the other counts as not "
                "relevant. The import looked at 2,000 documents at most; this looks at all {n}, beside other work.",
                n=f"{len(dataset.documents):,}",
            )
        )
        job_button(say, say("Search all documents"), "near_duplicates", {"dataset": dataset.digest})
        return
    st.write(duplicates_sentence(say, found))
    if found.pairs.empty:
        return
    _pairs(say, found)
    _copies(say, dataset, found)


def _pairs(say: Say, found: Duplicates) -> None:
    named = {"doc_id": say("Document"), "like": say("Nearly the same as"), "similarity": say("Similarity (0–1)")}
    shown = found.pairs.assign(**{name: [plain(cell, 80) for cell in found.pairs[name]] for name in ("doc_id", "like")})
    table(say, shown.rename(columns=named), "near_duplicates", height=300 if len(shown) > 7 else None)


def _copies(say: Say, dataset: Dataset, found: Duplicates) -> None:
    copies = unjudged_copies(dataset, found)
    if copies.empty:
        return
    st.write(unjudged_sentence(say, copies))
    # Columns keep the names of a judgments file: the download can be uploaded with the others.
    shown = copies.assign(
        **{name: [plain(cell, 80) for cell in copies[name]] for name in ("query_id", "doc_id", "like")}
    )
    table(say, shown, "unjudged_copies", height=300 if len(shown) > 7 else None)
