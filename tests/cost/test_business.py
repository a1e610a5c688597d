"""Business assumptions: checked, kept, and never part of what is trained."""

from pathlib import Path

import pytest

from rerank.cost.business import Business, business_from_dict
from rerank.errors import RerankError
from rerank.planning.business import business_path, defaults_path, load_business, read_business, save_business

GIVEN = {"searches_per_month": 1000, "value_per_success": 0.5}
EXPERIMENT = "0123456789ab"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("searches_per_month", -1),
        ("searches_per_month", "many"),
        ("searches_per_month", True),
        ("value_per_success", float("nan")),
        ("horizon_months", 0),
        ("horizon_months", 1.5),
        ("horizon_months", None),
        ("retrain_every_months", 0),
        ("n_judges", 0),
        ("currency", "GBP"),
        ("success_measure", "AP"),
        ("per_usd", 0),
        ("speed_ratio", 5),  # below its own range of 10 to 100
        ("grid", 7),
    ],
)
def test_what_cannot_be_is_refused_by_name(setting: str, value: object) -> None:
    with pytest.raises(RerankError) as raised:
        business_from_dict({**GIVEN, setting: value})
    assert raised.value.code == "business_bad_value"
    assert raised.value.facts["setting"] == setting


def test_a_whole_number_is_taken_where_a_decimal_is_meant() -> None:
    found = business_from_dict({"value_per_success": 8, "horizon_months": 6, "max_latency_ms": None})
    kinds = [type(getattr(found, name)) for name in ("value_per_success", "horizon_months", "max_latency_ms")]
    assert kinds == [float, int, type(None)]


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RerankError, match="business_unknown_setting"):
        business_from_dict({"traffic": 5})


def test_another_currency_needs_a_dated_rate_and_dollars_have_none() -> None:
    with pytest.raises(RerankError) as raised:
        business_from_dict({"currency": "JPY", "per_usd": 150.0})
    assert (raised.value.code, raised.value.facts) == ("rate_missing", {"currency": "JPY"})
    yen = business_from_dict({"currency": "JPY", "per_usd": 150.0, "rate_as_of": "2026-11-20"})
    assert yen.to_usd(300) == 2.0
    with pytest.raises(RerankError, match="business_bad_value"):
        business_from_dict({"per_usd": 2.0})


def test_an_experiment_takes_its_own_assumptions_else_the_users() -> None:
    assert load_business(EXPERIMENT) is None
    save_business(business_from_dict(GIVEN))
    assert load_business(EXPERIMENT) == load_business()
    assert load_business() is not None
    own = save_business(Business(searches_per_month=7.0), EXPERIMENT)
    assert own.stated_at
    assert load_business(EXPERIMENT) == own
    assert load_business() != own
    assert defaults_path() != business_path(EXPERIMENT)


def test_a_file_of_settings_is_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("searches_per_month = 1000\nvalue_per_success = 0.5\n", encoding="utf-8")
    found = read_business(path)
    assert found == business_from_dict({**GIVEN, "stated_at": found.stated_at})
    assert found.stated_at.startswith("20")  # when the file was last changed
    path.write_text("searches_per_month = \n", encoding="utf-8")
    with pytest.raises(RerankError, match="business_unreadable"):
        read_business(path)
    with pytest.raises(RerankError, match="input_not_found"):
        read_business(tmp_path / "none.toml")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    with pytest.raises(RerankError, match="business_unreadable"):
        read_business(tmp_path / "list.json")
