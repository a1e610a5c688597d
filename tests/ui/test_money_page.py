"""The money part of the results page: what is typed is saved, shown and survives; prices are checked."""

from pathlib import Path

import pytest

from rerank.cost.prices import current_prices, own_table
from rerank.planning.business import load_business
from rerank.planning.experiments import load_result
from rerank.wording.language import speaker
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


def test_the_price_table_is_saved_as_the_users_own(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    page = open_page("results", lang="en")
    next(item for item in page.button if item.label == "Save as my own prices").click().run()
    assert not page.exception
    assert not page.error
    assert own_table().is_file()
    assert [price.item for price in current_prices()]
    own_table().unlink()
