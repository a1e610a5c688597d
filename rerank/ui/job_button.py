"""A button that starts a short job and watches it until the page can show what it wrote."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.ui.safe import markdown
from rerank.ui.show import problem
from rerank.wording.language import Say
from rerank.wording.progress import progress_line


def job_button(say: Say, label: str, kind: str, spec: Mapping[str, Any]) -> None:
    """Offer a job; while it runs, show its progress; when it has ended, draw the page again."""
    slot = f"{kind}_job"
    if st.button(label, key=kind):
        st.session_state[slot] = start(kind, spec).id
    identity = st.session_state.get(slot)
    if not identity:
        return
    live = queue.job(identity).is_live

    @st.fragment(run_every="1s" if live else None)
    def watch() -> None:
        job = queue.job(identity)
        if job.is_live:
            st.info(markdown(progress_line(say, job)))
            return
        st.session_state.pop(slot, None)
        if job.state == "failed" and job.error is not None:
            problem(say, str(job.error["code"]), dict(job.error["facts"]))
        elif live:
            st.rerun()

    watch()
