"""The pages, their names and the guard that every page file calls first."""

import contextlib
from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitAPIException

from rerank.store.unwritable import unwritable
from rerank.ui.session import current_say, language
from rerank.ui.show import problem
from rerank.wording.language import LANGUAGES, Say, later

TITLES: Mapping[str, str] = {
    "overview": later("Overview"),
    "data": later("Data"),
    "judge": later("Judging"),
    "plan": later("Plan"),
    "runs": later("Runs"),
    "teacher": later("Teacher"),
    "results": later("Results"),
    "queries": later("Queries"),
    "demo": later("Demo"),
}
READY = "navigation_ready"
WISH = "wished_page"


def open_page(name: str) -> Say:
    """Enter a page: through `app.py` first if it has not run yet; returns the visitor's `Say`.

    When the first request after a server start is a page's own address, Streamlit runs the page file
    without `app.py`; the page then asks for the detour and is opened again with its query parameters.
    """
    if not st.session_state.get(READY):
        st.session_state[WISH] = (name, st.query_params.to_dict())
        with contextlib.suppress(StreamlitAPIException):  # the page runs alone, in a test
            st.switch_page("app.py")
    say = current_say()
    _header(name, say)
    return say


def _header(name: str, say: Say) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(say(TITLES[name]), anchor=False)
        _switch()


def _switch() -> None:
    def chosen() -> None:
        picked = st.session_state["language_switch"]
        if picked in LANGUAGES:
            st.query_params["lang"] = picked

    st.session_state["language_switch"] = language()
    st.segmented_control(
        "Language · 言語",
        options=list(LANGUAGES),
        format_func=lambda code: LANGUAGES[code],
        key="language_switch",
        on_change=chosen,
        label_visibility="collapsed",
        width="content",
    )


def run_app() -> None:
    """Build the navigation and run the page that was asked for."""
    say = current_say()
    files = {name: st.Page(f"pages/{name}.py", title=say(title), url_path=name) for name, title in TITLES.items()}

    def start() -> None:
        st.switch_page(files["overview"], query_params=st.query_params.to_dict())

    # The default page's address is "/" and nothing else: as a page of its own it leaves "/overview" valid.
    begin = st.Page(start, title="Rerank", default=True, visibility="hidden")
    st.session_state[READY] = True
    page = st.navigation([begin, *files.values()], position="top")
    st.set_page_config(page_title=f"{page.title} · Rerank", page_icon=ICON, layout="wide")
    wish = st.session_state.pop(WISH, None)
    if wish is not None and wish[0] in files:
        st.switch_page(files[wish[0]], query_params=wish[1])
    try:
        page.run()
    except Exception as error:
        refused = unwritable(error)
        if refused is None:
            raise
        problem(say, refused.code, refused.facts)


ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<rect width='32' height='32' rx='6' fill='%231f5fa8'/>"
    "<path d='M7 9h18M7 16h12M7 23h7' stroke='white' stroke-width='3' stroke-linecap='round'/></svg>"
)
