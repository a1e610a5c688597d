"""Every page in every language: nothing raised, with an empty home and with a finished experiment."""

from pathlib import Path

import pytest

from rerank.ui.pages import TITLES
from rerank.wording.language import LANGUAGES, speaker
from tests.tiny import finished_experiment
from tests.ui.conftest import open_page

WAY_OUT = {  # what a page without anything to show says
    "data": "There is no dataset yet.",
    "judge": "There is no dataset yet.",
    "plan": "There is no dataset yet.",
    "runs": "No experiment has been started yet.",
    "teacher": "No experiment has been started yet.",
    "results": "There is no result yet.",
    "queries": "There is no result yet.",
    "demo": "There is no result yet.",
}
SUBHEADERS = {  # what a page shows of a finished experiment
    "overview": "Four steps",
    "data": "Grades",
    "plan": "Lock and start",
    "teacher": "Where teacher and human disagree most",
    "results": "Strategies side by side",
    "queries": "Both orders",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished experiment."""
    folder = tmp_path_factory.mktemp("finished")
    finished_experiment(folder)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TITLES)
def test_a_page_with_an_empty_home_names_a_way_out(name: str, language: str) -> None:
    say = speaker(language)
    page = open_page(name, lang=language)
    assert not page.exception
    assert page.title[0].value == say(TITLES[name])
    assert [item.value for item in page.info] == ([say(WAY_OUT[name])] if name in WAY_OUT else [])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TITLES)
def test_a_page_shows_a_finished_experiment(
    name: str, language: str, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    say = speaker(language)
    page = open_page(name, lang=language)
    assert not page.exception
    assert not page.error
    assert page.title[0].value == say(TITLES[name])
    if name in SUBHEADERS:
        assert say(SUBHEADERS[name]) in [item.value for item in page.subheader]
    if name in ("runs", "teacher", "results", "queries", "demo"):
        assert page.selectbox[0].options[0].startswith("tiny · ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_whose_home_cannot_be_says_so(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "file" / "x"))
    page = open_page("overview", lang=language)
    assert not page.exception
    (said,) = page.error
    assert "RERANK" in said.value
    assert "Not a directory" in said.value
