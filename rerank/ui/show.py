"""Tables and figures, each with its download."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from rerank.ui.safe import csv_bytes, markdown
from rerank.wording.errors import error_sentence
from rerank.wording.language import Say


def table(say: Say, frame: pd.DataFrame, name: str, *, height: int | None = None) -> None:
    """Show a frame with a button that downloads it as CSV; `name` is the file's name and the key."""
    st.dataframe(frame, hide_index=True, width="stretch", key=f"table_{name}", height=height or "auto")
    download(say, frame, name)


def download(say: Say, frame: pd.DataFrame, name: str) -> None:
    """Show the download button of a frame."""
    st.download_button(
        say("CSV: {name}", name=name),
        data=lambda: csv_bytes(frame),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        on_click="ignore",
    )


def figure(say: Say, drawn: go.Figure, frame: pd.DataFrame, name: str, alt: str) -> None:
    """Show a figure with its numbers as a download and a description for those who cannot see it."""
    st.plotly_chart(drawn, width="stretch", key=f"figure_{name}", config={"displaylogo": False}, alt=alt)
    download(say, frame, name)


def problem(say: Say, code: str, facts: dict[str, object]) -> None:
    """Show an error's sentence; what it quotes from the user's files stays text."""
    st.error(markdown(error_sentence(say, code, facts)))
