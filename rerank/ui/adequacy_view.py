"""Is this sample good enough? The answer in words, what it rests on, and what to judge next."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.adequacy.answer import Code
from rerank.adequacy.report import Adequacy
from rerank.errors import RerankError
from rerank.report.spreadsheets import csv_bytes
from rerank.ui import cached
from rerank.ui.safe import markdown, plain
from rerank.ui.show import problem, table, user_rows
from rerank.wording.adequacy import (
    answer_sentence,
    basis_sentence,
    figures_frame,
    said_sentence,
    segments_frame,
    to_judge_frame,
    why_sentences,
)
from rerank.wording.language import Say

SHOWN_TO_JUDGE = 50
ICONS: Mapping[Code, str] = {
    "enough": ":material/check_circle:",
    "large_effects_only": ":material/warning:",
    "not_enough": ":material/block:",
}


def adequacy_view(say: Say, manifest: Mapping[str, Any]) -> None:
    """Answer for one dataset; no training, the search by words is computed once."""
    digest = str(manifest["digest"])
    try:
        with st.spinner(say("Searching by words, to see what is judged …")):
            found = cached.adequacy(digest)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    _answer(say, found, digest)
    _to_judge(say, found, digest)
    st.subheader(say("What the answer rests on"), anchor=False)
    figures = figures_frame(say, found.sample)
    table(say, figures, "sample_figures", sentences=str(figures.columns[-1]))
    st.caption(markdown(basis_sentence(say, found.sample)))
    if found.sample.segments:
        st.subheader(say("Which segments can be spoken about?"), anchor=False)
        frame = segments_frame(say, found.sample)
        frame[frame.columns[0]] = [plain(name, 60) for name in frame[frame.columns[0]]]
        table(say, frame, "sample_segments")


def _answer(say: Say, found: Adequacy, digest: str) -> None:
    shown = {"enough": st.success, "large_effects_only": st.warning, "not_enough": st.error}[found.answer.code]
    shown(f"**{markdown(answer_sentence(say, found.answer))}**", icon=ICONS[found.answer.code])
    why, steps = st.columns(2, gap="medium")
    with why:
        st.subheader(say("Why"), anchor=False)
        st.markdown("\n".join(f"- {markdown(item)}" for item in why_sentences(say, found.answer, found.sample)))
    with steps:
        st.subheader(say("What to do next"), anchor=False)
        lines = [said_sentence(say, item, found.sample) for item in found.answer.steps]
        if lines:
            st.markdown("\n".join(f"{place}. {markdown(line)}" for place, line in enumerate(lines, 1)))
        st.page_link(
            "pages/plan.py",
            label=say("Make a plan with this dataset"),
            icon=":material/edit_note:",
            query_params={"dataset": digest},
        )
        st.page_link(
            "pages/judge.py",
            label=say("Judge what nobody has judged yet"),
            icon=":material/rate_review:",
            query_params={"dataset": digest},
        )


def _to_judge(say: Say, found: Adequacy, digest: str) -> None:
    rows = found.to_judge
    if rows.empty:
        return
    with st.container(border=True):
        heading = say("What to judge next, the most informative first")
        st.markdown(f"**{markdown(heading)}**")
        st.caption(
            say(
                "Fill in the column “grade”, then upload this file together with the files of the sample; rows "
                "that stay empty stay unjudged."
            )
        )
        st.download_button(
            say("Download the list to judge ({n} rows)", n=f"{len(rows):,}"),
            data=lambda: csv_bytes(rows),
            file_name=f"to-judge-{digest[:8]}.csv",
            mime="text/csv",
            key="sample_to_judge",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.expander(say("The first {n} rows", n=min(SHOWN_TO_JUDGE, len(rows)))):
            user_rows(to_judge_frame(say, rows.head(SHOWN_TO_JUDGE)), height=320)
            st.caption(
                say(
                    "Weight: how far the document can move the difference between two of the searches "
                    "that were looked at (1 = the first place)."
                )
            )
