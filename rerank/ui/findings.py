"""Findings as a table with its download."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from rerank.intake.findings import Finding
from rerank.intake.noting import capped
from rerank.ui.safe import plain
from rerank.ui.show import table
from rerank.wording.findings import finding_sentence
from rerank.wording.language import Say
from rerank.wording.names import SEVERITIES, name_of

_ORDER = {"error": 0, "warning": 1, "info": 2}


def findings_frame(say: Say, findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings with their sentences, errors first."""
    ordered = sorted(capped(findings), key=lambda finding: _ORDER[finding.severity])
    return pd.DataFrame(
        {
            say("Severity"): [name_of(say, SEVERITIES, finding.severity) for finding in ordered],
            say("What and what to do"): [plain(finding_sentence(say, finding)) for finding in ordered],
            say("File"): [plain(finding.file or "", 200) for finding in ordered],
            say("Line"): ["" if finding.line is None else str(finding.line) for finding in ordered],
            say("Value"): [plain(finding.value or "", 200) for finding in ordered],
            say("Rule"): [finding.code for finding in ordered],
        }
    )


def findings_table(say: Say, findings: Sequence[Finding], name: str) -> None:
    """Show findings; nothing found is said as well."""
    st.subheader(say("Findings"), anchor=False)
    if not findings:
        st.success(say("Nothing to complain about."))
        return
    table(say, findings_frame(say, findings), name)
