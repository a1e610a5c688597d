"""Documents that are nearly the same: searched by a job, shown with what they mean for the judgments."""

import pandas as pd
import streamlit as st

from rerank.intake.dataset import Dataset
from rerank.ui import cached
from rerank.ui.job_button import job_button
from rerank.ui.show import download, user_rows
from rerank.wording.duplicates import duplicates_sentence, unjudged_sentence
from rerank.wording.language import Say
from rerank.wording.numbers import count

SHOWN_ROWS = 1000


def duplicates_view(say: Say, dataset: Dataset) -> None:
    """Offer the search among all documents, or show what it found."""
    st.subheader(say("Documents that repeat each other"), anchor=False)
    found = cached.duplicates(dataset.digest)
    if found is None:
        st.caption(
            say(
                "Two copies of a document divide what is known of it: one is judged relevant, the other counts as not "
                "relevant. The import looked at 2,000 documents at most; this looks at all {n}, beside other work.",
                n=count(len(dataset.documents)),
            )
        )
        job_button(say, say("Search all documents"), "near_duplicates", {"dataset": dataset.digest})
        return
    searched, copies = found
    st.write(duplicates_sentence(say, searched))
    if len(searched.pairs):
        named = {"doc_id": say("Document"), "like": say("Nearly the same as"), "similarity": say("Similarity (0–1)")}
        _rows(say, searched.pairs.rename(columns=named), "near_duplicates")
    if len(copies):
        st.write(unjudged_sentence(say, copies))
        # Columns keep the names of a judgments file: the download can be uploaded with the others.
        _rows(say, copies, "unjudged_copies")


def _rows(say: Say, frame: pd.DataFrame, name: str) -> None:
    """Show the first rows; the download holds all of them, with ids as they are."""
    user_rows(frame.head(SHOWN_ROWS), height=300 if len(frame) > 7 else None)
    download(say, frame, name)
