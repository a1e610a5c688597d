"""What the strategies' short names stand for."""

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from rerank.planning.plan import CONTROLS, FUSION, SINGLE_STAGE, TWO_STAGE
from rerank.wording.language import Say
from rerank.wording.names import STRATEGY_EXPLANATIONS, strategy_name


def explain(say: Say, names: Iterable[str]) -> None:
    """Say what the trained ones among the named strategies do; the others' names speak for themselves."""
    shown = set(names)
    for group in (SINGLE_STAGE, TWO_STAGE, CONTROLS):
        parts = [
            f"**{strategy_name(say, name)}** {say(STRATEGY_EXPLANATIONS[name])}"
            for name in group
            if name in shown and not name.endswith(FUSION)
        ]
        if parts:
            st.caption(" · ".join(parts))
    if any(name.endswith(FUSION) for name in shown):
        st.caption(say("**… + fusion** The same scores mixed with embedding and first stage; nothing more is trained."))


def shown_first(result: Mapping[str, Any]) -> str:
    """Return the strategy that is set beside the first stage until another one is chosen: the recommended one.

    When nothing or the first stage is recommended it is the best single stage, else the last strategy.
    """
    decision, names = result["decision"], list(result["strategies"])
    wanted = (decision.get("recommended_strategy"), decision["single_strategy"])
    return next((str(name) for name in wanted if name in names[1:]), names[-1])
