"""The user's own price table: written whole, read back, refused where it cannot be."""

import dataclasses
import datetime
from pathlib import Path

import pytest

from rerank.cost.prices import Price, current_prices, own_table, write_prices
from rerank.errors import RerankError

GOOD = Price("cpu", "our server", "hour", 0.25, "2026-11", "our contract")


def test_an_own_table_is_written_and_counts_from_then_on() -> None:
    changed = [dataclasses.replace(price, usd=55.5) if price.kind == "labour" else price for price in current_prices()]
    write_prices([*changed, Price("gpu", 'a "quoted", name', "hour", 1.0, "2026", "用意した表")])
    assert own_table().is_file()
    assert current_prices()[-1].item == 'a "quoted", name'
    assert next(price for price in current_prices() if price.kind == "labour").usd == 55.5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", " "),
        ("item", ""),
        ("unit", ""),
        ("usd", -1.0),
        ("usd", float("nan")),
        ("usd", float("inf")),
        ("as_of", "soon"),
        ("as_of", "2026-13"),
        ("as_of", ""),
        ("source", ""),
    ],
)
def test_a_price_that_cannot_be_is_named_by_line_and_field(field: str, value: object) -> None:
    with pytest.raises(RerankError) as raised:
        write_prices([*current_prices(), dataclasses.replace(GOOD, **{field: value})])
    assert raised.value.facts == {"line": len(current_prices()) + 2, "field": field}
    assert not own_table().exists()


def test_a_table_needs_the_hour_of_a_cpu_and_of_a_judge() -> None:
    with pytest.raises(RerankError) as raised:
        write_prices([GOOD])
    assert (raised.value.code, raised.value.facts) == ("price_missing", {"kind": "labour"})


def test_a_table_that_somebody_broke_is_named_with_its_line(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "prices.csv").write_text("kind,item,unit,usd,as_of,source\ncpu,x,hour,1,2026,\n", encoding="utf-8")
    with pytest.raises(RerankError) as raised:
        current_prices()
    assert (raised.value.code, raised.value.facts["line"]) == ("prices_broken", 2)


@pytest.mark.parametrize(
    ("as_of", "is_old"),
    [("2025-11-25", False), ("2025-11-24", True), ("2025-12", False), ("2026", False), ("2025", True)],
)
def test_a_price_older_than_a_year_is_old(as_of: str, is_old: bool) -> None:
    assert dataclasses.replace(GOOD, as_of=as_of).is_old(datetime.date(2026, 11, 25)) is is_old
