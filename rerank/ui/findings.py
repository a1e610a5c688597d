"""Findings as a table with its download."""

from collections.abc import Sequence

import streamlit as st

from rerank.intake.findings import Finding
from rerank.ui.safe import plain
from rerank.ui.show import table
from rerank.wording.findings import findings_frame
from rerank.wording.language import Say


def findings_table(say: Say, findings: Sequence[Finding], name: str) -> None:
    """Show findings; nothing found is said as well."""
    st.subheader(say("Findings"), anchor=False)
    if not findings:
        st.success(say("Nothing to complain about."))
        return
    frame = findings_frame(say, findings).map(plain)
    table(say, frame, name, sentences=str(frame.columns[1]))
