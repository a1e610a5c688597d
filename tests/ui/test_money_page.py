"""The money part of the results page: what is typed is saved, shown and survives; prices are checked."""

from pathlib import Path

import pytest

from rerank.cli.main import main
from rerank.cost.prices import current_prices, own_table
from rerank.planning.business import load_business, read_business
from rerank.planning.experiments import load_result
from rerank.report.money import money_of
from rerank.ui import cached
from rerank.wording.language import speaker
from rerank.wording.money import money_sentences
from tests.tiny import finished_experiment
from tests.ui.conftest import open_page


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished experiment."""
    folder = tmp_path_factory.mktemp("finished")
    finished_experiment(folder)
    return folder


def test_what_managers_give_is_saved_shown_and_changes_no_measurement(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    identity = next(path.name for path in (finished / "experiments").iterdir())
    before = load_result(identity)
    page = open_page("results", lang="en")
    key = f"business_{identity}"
    page.number_input(f"{key}_searches_per_month").set_value(10_000.0)
    page.number_input(f"{key}_value_per_success").set_value(20.0)
    page.selectbox(f"{key}_currency").set_value("JPY")
    save = next(item for item in page.button if item.label == "Save these assumptions")
    save.click().run()
    assert [item.value for item in page.error] == [
        "Amounts in JPY need your exchange rate and its date \\(year\\-month\\-day\\)\\."
    ]
    page.number_input(f"{key}_rate").set_value(150.0)
    page.date_input(f"{key}_rate_as_of").set_value("2026-11-20")
    next(item for item in page.button if item.label == "Save these assumptions").click().run()
    assert not page.exception
    business = load_business(identity)
    assert business is not None
    assert (business.searches_per_month, business.value_per_success, business.per_usd) == (10_000.0, 20.0, 150.0)
    assert load_result(identity) == before
    assert any("JPY at 150 per US dollar" in item.value for item in page.caption)
    japanese = open_page("results", lang="ja")
    assert not japanese.exception
    assert speaker("ja")("What it costs, what it brings, when it pays") in [item.value for item in japanese.subheader]
    assert any("円" in item.value for item in japanese.caption)


def test_the_chart_comes_before_the_form_and_explains_a_line_only_where_there_is_one(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    page = open_page("results", lang="en")
    (form,) = (item for item in page.expander if item.label == "What managers weigh: your assumptions")
    assert not form.proto.expanded
    result = cached.result(next(path.name for path in (finished / "experiments").iterdir()))
    assert result is not None
    remaining = [item for item in money_of(result, None).options.values() if item.dominated_by is None]
    assert any("Dotted: the options" in item.value for item in page.caption) == (len(remaining) > 1)


def test_the_terminal_says_what_the_page_says(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    identity = next(path.name for path in (finished / "experiments").iterdir())
    path = tmp_path / "mine.toml"
    path.write_text(
        'searches_per_month = 9000\nvalue_per_success = 4\ncurrency = "EUR"\nper_usd = 0.9\nrate_as_of = 2026-11-20\n',
        encoding="utf-8",
    )
    assert main(["--lang", "en", "show", identity, "--business", str(path)]) == 0
    shown = capsys.readouterr().out
    result = cached.result(identity)
    assert result is not None
    for sentence in money_sentences(speaker("en"), money_of(result, read_business(path))):
        assert sentence in shown
    assert "amounts in EUR at 0.9 per US dollar, your rate of 2026-11-20" in shown
    assert "Break-even traffic" in shown


def test_the_price_table_is_saved_as_the_users_own(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    page = open_page("results", lang="en")
    next(item for item in page.button if item.label == "Save as my own prices").click().run()
    assert not page.exception
    assert not page.error
    assert own_table().is_file()
    assert [price.item for price in current_prices()]
    own_table().unlink()
