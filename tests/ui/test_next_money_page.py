"""The results page's question where the next money goes: a budget picks from what is stored."""

import json
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from rerank.wording.language import speaker
from tests.report.test_next_money import stored, usual


def shown() -> None:
    """The section alone, on a result from a file."""
    import json as reader
    import os as environment
    from pathlib import Path as File

    from rerank.ui.next_money_view import next_money_view
    from rerank.wording.language import speaker as speaks

    result = reader.loads(File(environment.environ["RERANK_TEST_RESULT"]).read_text(encoding="utf-8"))
    next_money_view(speaks(environment.environ["RERANK_TEST_LANGUAGE"]), "abc", result, None)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_budget_changes_what_is_recommended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(stored(usual())), encoding="utf-8")
    monkeypatch.setitem(os.environ, "RERANK_TEST_RESULT", str(path))
    monkeypatch.setitem(os.environ, "RERANK_TEST_LANGUAGE", language)
    say = speaker(language)
    page = AppTest.from_function(shown, default_timeout=30).run()
    assert not page.exception
    assert [item.value for item in page.subheader] == [say("Where should the next money go?")]
    slider = page.select_slider[0]
    assert slider.options[0] == "$0"
    told = []
    for budget in (0.0, 1000.0):
        page.select_slider[0].set_value(budget).run()
        assert not page.exception
        told.append(page.markdown[0].value)
    buys = {"en": "more queries and train", "ja": "件判定し"}[language]
    assert [buys in text for text in told] == [False, True]
    table = page.dataframe[0].value
    assert list(table.columns[:2]) == [say("Option"), say("Cost")]
    assert say("Remark") not in table.columns  # below the table, as sentences
    assert set(table[say("Option")]) == {
        say(name)
        for name in (
            "Stop now",
            "Judge more queries",
            "Buy teacher scores for more queries",
            "Add the second stage",
        )
    }


def test_a_result_of_an_earlier_version_has_no_such_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "result.json"
    path.write_text("{}", encoding="utf-8")
    monkeypatch.setitem(os.environ, "RERANK_TEST_RESULT", str(path))
    monkeypatch.setitem(os.environ, "RERANK_TEST_LANGUAGE", "en")
    page = AppTest.from_function(shown, default_timeout=30).run()
    assert not page.exception
    assert len(page.main) == 0
