"""Every page in every language: nothing raised, with an empty home and with a finished experiment."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rerank.ui.pages import TITLES
from rerank.ui.strategies import shown_first
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


@pytest.fixture
def changed(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that opens the results of a copy of the finished experiment, changed by it."""

    def opened(change: Any) -> Any:
        home = tmp_path / "changed"
        shutil.copytree(finished, home)
        monkeypatch.setenv("RERANK_HOME", str(home))
        (path,) = home.glob("experiments/*/result.json")
        result = json.loads(path.read_text(encoding="utf-8"))
        change(result)
        path.write_text(json.dumps(result), encoding="utf-8")
        return open_page("results", lang="en")

    return opened


@pytest.mark.parametrize(("limit", "is_said"), [(5, True), (1000, False), (None, False)])
def test_results_say_when_the_plan_left_queries_out(changed: Any, limit: int | None, is_said: bool) -> None:
    page = changed(lambda result: result["plan"].update(max_queries=limit))
    assert not page.exception
    found = [item.value for item in page.caption if "queries were used" in item.value]
    assert len(found) == is_said
    assert all("Only 5 of " in text for text in found)


def test_the_recommended_free_mixture_is_taken_along_as_a_recipe(changed: Any) -> None:
    page = changed(lambda result: result["decision"].update(recommended_strategy="embedding+fusion"))
    assert not page.exception
    assert [item for item in page.info if "needs no trained model" in item.value]


def test_the_recommended_strategy_is_shown_first_where_there_is_a_choice() -> None:
    def first(recommended: str | None, single: str | None) -> str:
        decision = {"recommended_strategy": recommended, "single_strategy": single}
        names = ("first-stage", "embedding+fusion", "C", "D")
        return shown_first({"decision": decision, "strategies": dict.fromkeys(names)})

    assert first("embedding+fusion", "C") == "embedding+fusion"
    assert first("first-stage", "C") == "C"
    assert first(None, None) == "D"
