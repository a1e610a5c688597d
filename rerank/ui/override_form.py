"""Overriding a decision or a verdict: a name and a reason, which stay in the record."""

from collections.abc import Mapping
from typing import Any, get_args

import streamlit as st

from rerank.decide.evidence import DECISIONS
from rerank.errors import RerankError
from rerank.planning.overrides import record_override
from rerank.stats.comparison import Verdict
from rerank.ui.safe import plain
from rerank.ui.show import problem
from rerank.wording.language import Say
from rerank.wording.names import DECISION_NAMES, VERDICTS, name_of, strategy_name


def override_form(say: Say, result: Mapping[str, Any]) -> None:
    """Ask what is overridden, what counts instead, by whom and why."""
    st.caption(
        say(
            "Every computed number stays. Your decision is shown beside it, on this page, in the terminal and in the "
            "exported files, with your name and reason."
        )
    )
    locked = [item for item in result["comparisons"] if item["confirmatory"]]
    subjects: list[tuple[str, ...]] = [(), *((item["reference"], item["challenger"]) for item in locked)]
    computed: dict[tuple[str, ...], str] = {
        (item["reference"], item["challenger"]): str(item["verdict"]) for item in locked
    }
    computed[()] = str(result["decision"]["code"])

    def named(subject: tuple[str, ...]) -> str:
        if not subject:
            return say("The decision")
        reference, challenger = (strategy_name(say, name) for name in subject)
        return say("Verdict on {challenger} against {reference}", challenger=challenger, reference=reference)

    subject = st.selectbox(say("What is overridden"), subjects, format_func=named, key="override_subject")
    choices = [code for code in (get_args(Verdict) if subject else DECISIONS) if code != computed[subject]]
    words = VERDICTS if subject else DECISION_NAMES
    decided = st.selectbox(
        say("What counts instead"),
        choices,
        format_func=lambda code: name_of(say, words, code),
        key=f"override_to_{'_'.join(subject)}",
    )
    by = st.text_input(say("Your name"), key="override_by", max_chars=80)
    reason = st.text_input(say("Reason"), key="override_reason", max_chars=300)
    if st.button(say("Override"), key="override", disabled=not by.strip() or not reason.strip()):
        try:
            record_override(
                result["experiment"],
                subject=subject,
                computed=computed[subject],
                decided=decided,
                by=plain(by.strip()),
                reason=plain(reason.strip()),
            )
        except RerankError as error:
            problem(say, error.code, error.facts)
            return
        st.rerun()
