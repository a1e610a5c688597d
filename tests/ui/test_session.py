"""One visitor's address, language and way into a page."""

import pytest
from streamlit.testing.v1 import AppTest

from rerank.ui.pages import TITLES
from rerank.wording.language import speaker
from tests.ui.conftest import ROOT, open_page


def asking(script: str, **parameters: str) -> AppTest:
    """A page of a few lines, with the address's parameters."""
    app = AppTest.from_string(script)
    app.query_params.update(parameters)
    return app.run()


ASKED = """
import streamlit as st
from rerank.ui.session import asked_for
st.text(repr(asked_for("dataset", ["a", "b"])))
"""


@pytest.mark.parametrize(
    ("parameters", "found"),
    [({}, "None"), ({"dataset": "b"}, "'b'"), ({"dataset": "../b"}, "None"), ({"other": "b"}, "None")],
)
def test_only_an_option_can_be_asked_for(parameters: dict[str, str], found: str) -> None:
    assert asking(ASKED, **parameters).text[0].value == found


def test_a_choice_is_written_into_the_address() -> None:
    script = "from rerank.ui.session import remember\nremember('dataset', 'b')"
    app = asking(script, dataset="a", lang="ja")
    assert dict(app.query_params.items()) == {"dataset": "b", "lang": "ja"}


LANGUAGE = "import streamlit as st\nfrom rerank.ui.session import language\nst.text(language())"


@pytest.mark.parametrize(("asked", "spoken"), [("ja", "ja"), ("en", "en"), ("fr", "en"), ("<script>", "en")])
def test_the_address_decides_about_the_language_when_it_is_one_of_ours(asked: str, spoken: str) -> None:
    assert asking(LANGUAGE, lang=asked).text[0].value == spoken


def test_the_language_stays_when_the_address_says_nothing_any_more() -> None:
    app = asking(LANGUAGE, lang="ja")
    app.query_params.clear()
    assert app.run().text[0].value == "ja"


def test_a_page_alone_sends_the_visitor_through_the_app_with_its_address() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "results.py"))
    app.query_params.update({"experiment": "0123456789ab", "lang": "ja"})
    app.run()
    assert app.session_state["wished_page"] == ("results", {"experiment": "0123456789ab", "lang": "ja"})
    assert app.title[0].value == speaker("ja")("Results")


def test_a_wish_is_granted_once_with_its_address() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["wished_page"] = ("runs", {"experiment": "0123456789ab", "lang": "ja"})
    app.run()
    assert app.title[0].value == speaker("ja")("Runs")
    assert "wished_page" not in app.session_state
    assert app.query_params["experiment"] == "0123456789ab"


def test_a_wish_for_no_page_of_ours_opens_the_overview() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["wished_page"] = ("../secrets", {})
    app.run()
    assert not app.exception
    assert app.title[0].value == TITLES["overview"]


def test_the_switch_changes_the_language_of_the_whole_page() -> None:
    app = open_page("plan", lang="en")
    assert app.title[0].value == "Plan"
    app.segmented_control("language_switch").set_value("ja").run()
    assert app.title[0].value == speaker("ja")("Plan")
    assert app.query_params["lang"] == "ja"
