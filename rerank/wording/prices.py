"""Prices as sentences: what is counted, at how much, when and by whom stated."""

import datetime
from collections.abc import Mapping, Sequence

from rerank.cost.prices import Price
from rerank.wording.language import Say, later
from rerank.wording.names import name_of
from rerank.wording.numbers import usd

# Words of the bundled table that are not names; what users write into their own is shown as it is.
UNITS: Mapping[str, str] = {"hour": later("hour"), "1M tokens": later("1M tokens"), "kWh": later("kWh")}
ITEMS: Mapping[str, str] = {
    "8 vCPU general-purpose VM (placeholder: set your own)": later(
        "8 vCPU general-purpose VM (placeholder: set your own)"
    ),
    "electricity (placeholder: set your own)": later("electricity (placeholder: set your own)"),
    "relevance judge (placeholder: set your own)": later("relevance judge (placeholder: set your own)"),
}
SOURCES: Mapping[str, str] = {
    "assumption to be replaced by the user": later("assumption to be replaced by the user"),
}


def price_sentence(say: Say, price: Price, today: datetime.date) -> str:
    """Return a price with its date and source; an old one and an assumption are called that."""
    age = say(" This price is more than a year old.") if price.is_old(today) else ""
    placeholder = say(" An assumption: put in your own.") if price.is_placeholder else ""
    stated = say(
        "Price: {item}, {usd} per {unit}, {as_of}, {source}.",
        item=name_of(say, ITEMS, price.item),
        usd=usd(price.usd),
        unit=name_of(say, UNITS, price.unit),
        as_of=price.as_of,
        source=name_of(say, SOURCES, price.source),
    )
    return stated + age + placeholder


def old_prices(say: Say, prices: Sequence[Price], today: datetime.date) -> list[str]:
    """Return which prices are older than a year and which are assumptions; data sheets and grids do not age so."""
    aging = [price for price in prices if price.kind not in ("power", "carbon")]
    old = [name_of(say, ITEMS, price.item) for price in aging if price.is_old(today)]
    assumed = [name_of(say, ITEMS, price.item) for price in aging if price.is_placeholder]
    found = []
    if old:
        found.append(say("More than a year old: {list}.", list=say(", ").join(dict.fromkeys(old))))
    if assumed:
        found.append(say("Assumptions to be replaced: {list}.", list=say(", ").join(dict.fromkeys(assumed))))
    return found
