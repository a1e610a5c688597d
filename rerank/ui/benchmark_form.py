"""A public benchmark by its name: for trying the product without data of one's own."""

import streamlit as st

from rerank.intake.benchmarks import N_DOCUMENTS, N_QUERIES
from rerank.ui.job_button import job_button
from rerank.wording.language import Say


def benchmark_form(say: Say) -> None:
    """Ask for a name and start the import; the dataset appears among the others."""
    with st.expander(say("A public benchmark instead, by its name")):
        st.caption(
            say(
                "Names of ir_datasets, such as beir/scifact/test or mmarco/v2/ja/dev/small. This machine downloads the "
                "whole benchmark from its publisher, whose terms apply; large ones take long, and nothing else runs "
                "meanwhile. Kept are judged queries, their judged documents and a sample of the others, so figures are "
                "not those that are published."
            )
        )
        name = st.text_input(say("Name of the benchmark"), max_chars=200, key="benchmark_name")
        one, two = st.columns(2)
        documents = one.number_input(
            say("Documents besides the judged ones"), 0, 1_000_000, value=N_DOCUMENTS, key="benchmark_documents"
        )
        queries = two.number_input(
            say("At most this many queries"), 1, 100_000, value=N_QUERIES, key="benchmark_queries"
        )
        if name.strip():
            job_button(
                say,
                say("Download and import"),
                "benchmark",
                {"name": name.strip(), "n_documents": int(documents), "n_queries": int(queries)},
            )
