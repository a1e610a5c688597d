"""Choosing a dataset or an experiment: in the address, so that a page can be sent to somebody."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from rerank.intake.storage import list_datasets
from rerank.planning.experiments import list_experiments
from rerank.ui.safe import plain
from rerank.ui.session import asked_for, remember
from rerank.wording.language import Say

DATASET, EXPERIMENT = "dataset", "experiment"


def pick(label: str, parameter: str, options: Sequence[str], names: dict[str, str]) -> str:
    """Return what was chosen from a list: the address first, then the last choice, then the first option."""
    # The widget's key holds the options' names too: a key alone would keep an option that is gone.
    known = asked_for(parameter, list(options)) or st.session_state.get(f"last_{parameter}")
    index = options.index(known) if known in options else 0
    chosen = st.selectbox(
        label, options, index=index, format_func=lambda option: names.get(option, option), key=f"pick_{parameter}"
    )
    st.session_state[f"last_{parameter}"] = chosen
    remember(parameter, chosen)
    return chosen


def choose_dataset(say: Say) -> dict[str, Any] | None:
    """Return the chosen dataset's manifest; None, with a way out, when there is none."""
    found = list_datasets()
    if not found:
        st.info(say("There is no dataset yet."))
        st.page_link("pages/data.py", label=say("Upload a sample or load the bundled one"), icon=":material/upload:")
        return None
    names = {item["digest"]: f"{plain(item['name'], 60)} · {item['digest'][:8]}" for item in found}
    digest = pick(say("Dataset"), DATASET, list(names), names)
    return next(item for item in found if item["digest"] == digest)


def choose_experiment(say: Say, *, with_result: bool = False) -> str | None:
    """Return the chosen experiment's id; None, with a way out, when there is none."""
    found = [item for item in list_experiments() if item["has_result"] or not with_result]
    if not found:
        st.info(say("There is no result yet.") if with_result else say("No experiment has been started yet."))
        st.page_link("pages/plan.py", label=say("Make a plan and start it"), icon=":material/edit_note:")
        return None
    names = {item["id"]: experiment_label(item) for item in found}
    return pick(say("Experiment"), EXPERIMENT, list(names), names)


def experiment_label(item: Mapping[str, Any]) -> str:
    """Return how an experiment is told from others of the same name: by its time and the beginning of its id."""
    return f"{plain(item['name'], 60)} · {item['locked_at'][:16].replace('T', ' ')} · {item['id'][:6]}"
