"""Numbers, tables and figures, the latter two with their download."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from rerank.report.spreadsheets import csv_bytes
from rerank.ui.safe import markdown, plain
from rerank.wording.columns import column_help
from rerank.wording.errors import error_sentence
from rerank.wording.language import Say
from rerank.wording.width import width_of

WHOLE_ROWS = 20  # a table of this size is shown whole, a longer one scrolls
SENTENCE_PIXELS, MAX_LINES = 540, 4  # of a column that is read, not scanned
NARROW_PIXELS = 180  # of a first column that leaves a telephone room for the second and third
LINES_FROM = 66  # pixels of a row: Streamlit 1.67 breaks lines in rows of more than 64 only


def numbers(shown: Iterable[tuple[str, str | int]]) -> None:
    """Show labelled numbers as cards, as many in a row as the screen is wide."""
    with st.container(horizontal=True, gap="small"):
        for label, value in shown:
            st.metric(label, value, border=True, width="content")


def user_rows(frame: pd.DataFrame, *, height: int | None = None) -> None:
    """Show rows of the user's own, headings and texts without what would disturb the text around them."""
    shown = frame.rename(columns={name: plain(name, 60) for name in frame.columns})
    for name in shown.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in shown.dtypes]]:
        shown[name] = [plain(cell) for cell in shown[name]]
    st.dataframe(shown, hide_index=True, width="stretch", height=height or "auto")


def table(
    say: Say,
    frame: pd.DataFrame,
    name: str,
    *,
    height: int | None = None,
    sentences: str | None = None,
    is_narrow: bool = False,
) -> None:
    """Show a frame with a button that downloads it as CSV; `name` is the file's name and the key.

    sentences: a column whose texts are shown whole, on several lines. is_narrow: the first column takes two lines
    rather than a telephone's whole width.
    """
    first = frame.columns[0]
    settings: dict[str, Any] = {}
    row_height = None
    for column in frame.columns:
        explained = column_help(say, str(column))
        if column == sentences:
            settings[column] = st.column_config.Column(width=SENTENCE_PIXELS, help=explained)
            longest = max(width_of(str(text)) for text in frame[column])
            n_lines = -(-7 * longest // (SENTENCE_PIXELS - 24))  # 7 pixels a letter, 20 a line
            row_height = max(LINES_FROM, 14 + 20 * min(MAX_LINES, n_lines)) if n_lines > 1 else None
        elif pd.api.types.is_float_dtype(frame[column]):
            settings[column] = st.column_config.NumberColumn(format="%.3f", help=explained)
        elif column in (first, say("Significance")):  # never cut off; the columns that follow may be scrolled to
            width = _width([column, *frame[column]])
            if is_narrow and column == first and width > NARROW_PIXELS:
                width, row_height = NARROW_PIXELS, LINES_FROM
            settings[column] = st.column_config.Column(width=width, help=explained)
        elif explained:
            settings[column] = st.column_config.Column(help=explained)
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        key=f"table_{name}",
        row_height=row_height,
        height=height or ("content" if len(frame) <= WHOLE_ROWS else "auto"),
        column_config=settings,
    )
    download(say, frame, name)


def _width(texts: Iterable[object]) -> int:
    """Return the pixels that the longest of some texts needs in a table, within reason."""
    letters = max(width_of(str(text)) for text in texts)
    return min(320, 8 * letters + 24)


def download(say: Say, frame: pd.DataFrame, name: str, *, label: str | None = None) -> None:
    """Show the download button of a frame."""
    st.download_button(
        label or say("Download as CSV"),
        data=lambda: csv_bytes(frame),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def figure(say: Say, drawn: go.Figure, frame: pd.DataFrame, name: str, alt: str) -> None:
    """Show a figure with its numbers as a table on demand and as a download, and a description in words."""
    st.plotly_chart(drawn, width="stretch", key=f"figure_{name}", config={"displaylogo": False}, alt=alt)
    if st.toggle(say("Show as a table"), key=f"numbers_{name}"):
        st.dataframe(frame, hide_index=True, width="stretch", key=f"shown_{name}")
    download(say, frame, name)


def problem(say: Say, code: str, facts: dict[str, object]) -> None:
    """Show an error's sentence; what it quotes from the user's files stays text."""
    st.error(markdown(error_sentence(say, code, facts)))
