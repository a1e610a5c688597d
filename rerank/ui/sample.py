"""The bundled sample, one click away."""

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.storage import list_datasets, save_dataset
from rerank.store.home import bundled
from rerank.ui.show import problem
from rerank.wording.language import Say


def load_sample() -> str:
    """Import the bundled sample and return its digest; importing it again changes nothing."""
    draft = read_folder(bundled("sample"))
    dataset = finish(draft, str(draft.facts.get("name", "sample")))
    save_dataset(dataset, draft.findings, draft.rejected)
    return dataset.digest


def sample_button(say: Say) -> None:
    """Offer the bundled sample, if it is not there yet; show it when it was loaded."""
    known = list_datasets()
    if any(item["synthetic"] for item in known):
        return
    st.write(
        say("No data at hand? The bundled sample is a fictional company's internal support knowledge base (synthetic).")
    )
    if st.button(say("Load the bundled sample"), type="secondary" if known else "primary", key="load_sample"):
        try:
            digest = load_sample()
        except RerankError as error:
            problem(say, error.code, error.facts)
        else:
            st.switch_page("pages/data.py", query_params={"dataset": digest})
