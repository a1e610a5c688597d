"""What belongs to one visitor: language and the query parameters of the address."""

import streamlit as st

from rerank.wording.language import DEFAULT, LANGUAGES, Say, speaker

LANGUAGE = "language"


def _from_browser() -> str:
    locale = str(st.context.locale or "")
    return locale[:2] if locale[:2] in LANGUAGES else DEFAULT


def language() -> str:
    """Return the visitor's language: the address (`?lang=`), else what was chosen, else the browser's."""
    asked = st.query_params.get("lang", "")
    if asked in LANGUAGES:
        st.session_state[LANGUAGE] = asked
    elif LANGUAGE not in st.session_state:
        st.session_state[LANGUAGE] = _from_browser()
    return str(st.session_state[LANGUAGE])


def current_say() -> Say:
    """Return the visitor's `Say`."""
    return speaker(language())


def asked_for(name: str, options: list[str]) -> str | None:
    """Return the address's parameter when it is one of the options, else None."""
    given = st.query_params.get(name)
    return given if given in options else None


def remember(name: str, value: str) -> None:
    """Write a choice into the address, so that the page can be sent to somebody."""
    if st.query_params.get(name) != value:
        st.query_params[name] = value
