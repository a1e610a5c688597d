"""Decision and verdicts on a page: words first, a sign beside them, colour last."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.planning.overrides import overrides
from rerank.ui.safe import markdown
from rerank.wording.decisions import decision_headline, decision_in_numbers, decision_reasons, what_would_change
from rerank.wording.language import Say
from rerank.wording.names import VERDICT_SIGNS
from rerank.wording.plans import guardrail_sentences
from rerank.wording.record import look_sentence, override_sentences
from rerank.wording.verdicts import comparison_sentence, reservations

_GOOD = ("adopt_single_stage", "add_second_stage", "adopt_free_baseline")
_OPEN = ("train_more_seeds", "collect_judgments")


def decision_banner(say: Say, result: Mapping[str, Any], *, brief: bool = False) -> None:
    """Show the decision in one sentence, with its numbers and reasons below.

    brief: where the locked questions do not stand beside it: they count among its numbers, and only guardrails that
    are broken are named.
    """
    code = result["decision"]["code"]
    box = st.success if code in _GOOD else st.info if code in _OPEN else st.warning
    lines = [*decision_in_numbers(say, result, with_locked=brief), *decision_reasons(say, result)]
    reasons = "\n".join(f"- {markdown(line, 600)}" for line in lines)
    change = markdown(what_would_change(say, result))
    box(f"**{markdown(decision_headline(say, result))}**\n\n{reasons}\n\n{change}")
    for sentence in override_sentences(say, overrides(result["experiment"])):
        st.warning(markdown(sentence), icon=":material/signature:")
    guarded = guardrail_sentences(say, result, only_broken=brief)
    if guarded:
        st.caption("\n".join(f"- {markdown(sentence)}" for sentence in guarded))
    look = look_sentence(say, result)
    if look:
        st.warning(markdown(look), icon=":material/visibility:")


def confirmatory_verdicts(say: Say, result: Mapping[str, Any]) -> None:
    """Show the locked questions with their answers and reservations."""
    for comparison in result["comparisons"]:
        if comparison["confirmatory"]:
            with st.container(border=True):
                sign = VERDICT_SIGNS[comparison["verdict"]]
                st.markdown(f"**{sign}** {markdown(comparison_sentence(say, comparison))}")
                reasons = reservations(say, comparison)
                if reasons:
                    st.caption(markdown(reasons))
