"""docs/money.md lists every assumption with its default and its range."""

import dataclasses
import re
from pathlib import Path

import pytest

from rerank.cost.business import Business, business_from_dict
from rerank.errors import RerankError
from rerank.wording.business import LABELS

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells]
    for line in DOCUMENT.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split("|")) == 4
}
DEFAULTS = {item.name: item.default for item in dataclasses.fields(Business)}


def test_every_setting_is_documented_and_labelled() -> None:
    assert set(ROWS) == set(DEFAULTS)
    assert set(LABELS) == set(DEFAULTS) - {"stated_at"}


@pytest.mark.parametrize("name", [name for name, value in DEFAULTS.items() if isinstance(value, (int, float))])
def test_a_number_has_the_documented_default(name: str) -> None:
    assert float(ROWS[name][1]) == DEFAULTS[name]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if re.fullmatch(r"[\de.-]+ to [\de.-]+", row[2])])
def test_a_number_has_the_documented_range(name: str) -> None:
    whole = isinstance(DEFAULTS[name], int) or name in ("retrain_every_months", "n_judges")
    low, high = (int(float(end)) if whole else float(end) for end in ROWS[name][2].split(" to "))
    around = {"speed_ratio": {"speed_ratio_low": 0.01, "speed_ratio_high": 1e5}}.get(name, {})
    around |= {"speed_ratio_low": {"speed_ratio": 1e5, "speed_ratio_high": 1e5}}.get(name, {})
    around |= {"speed_ratio_high": {"speed_ratio": 0.01, "speed_ratio_low": 0.01}}.get(name, {})
    rate = {"currency": "EUR", "rate_as_of": "2026-11-20"} if name == "per_usd" else {}
    for value in (low, high):
        assert getattr(business_from_dict({**around, **rate, name: value}), name) == value
    beyond = high + 1 if whole else high * 1.01
    with pytest.raises(RerankError, match="business_bad_value"):
        business_from_dict({**around, **rate, name: beyond})
