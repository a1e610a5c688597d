"""A word of warning when the embedded English model is to read another language."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.adequacy.sample import LANGUAGE_CODES
from rerank.errors import RerankError
from rerank.intake.storage import load_findings
from rerank.planning.plan import Plan
from rerank.ui.safe import markdown
from rerank.ui.show import problem
from rerank.wording.findings import finding_sentence
from rerank.wording.language import Say

EMBEDDED = "embedded"


def language_warning(say: Say, plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Say that the plan's base model does not know the texts' language, and which one does."""
    if plan.base_model != EMBEDDED or not set(LANGUAGE_CODES) & set(manifest["findings"]):
        return
    try:
        findings = load_findings(str(manifest["digest"]))
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    told = [finding for finding in findings if finding.code in LANGUAGE_CODES]
    if told:
        sentences = " ".join(finding_sentence(say, finding) for finding in told)
        field = say("It is set under “Base model” above.")
        st.warning(markdown(f"{sentences} {field}"), icon=":material/translate:")
