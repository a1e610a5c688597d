"""Amounts in the user's currency: as many digits as it takes to see them, yen without decimals."""

from collections.abc import Mapping
from typing import Any

from rerank.cost.benefit import Ranged
from rerank.cost.business import Business
from rerank.cost.teachers import teacher_usd
from rerank.wording.language import Say, later
from rerank.wording.numbers import NOTHING, usd

SIGNS: Mapping[str, str] = {"EUR": "€", "JPY": "¥"}
YEN = later("¥{amount}")  # Japanese writes the unit behind the number


def amount(say: Say, value_usd: float | None, business: Business) -> str:
    """Return an amount of USD in the user's currency at the user's rate."""
    if value_usd is None or business.currency == "USD":
        return usd(value_usd)
    value = value_usd * business.per_usd
    if business.currency != "JPY":
        return usd(value).replace("$", SIGNS[business.currency])
    if value == 0:
        return say(YEN, amount=0)
    sign = "" if value > 0 else "−"
    if abs(value) < 0.5:
        return ("< " if value > 0 else "> ") + sign + say(YEN, amount=1)
    return sign + say(YEN, amount=f"{abs(value):,.0f}")


def amounts(say: Say, found: Ranged | None, business: Business) -> str:
    """Return an amount with the ends of its range."""
    if found is None or found.value is None:
        return NOTHING
    shown = [amount(say, end, business) for end in (found.value, found.low, found.high)]
    return say("{value} ({low} to {high})", value=shown[0], low=shown[1], high=shown[2])


def teacher_amount(say: Say, result: Mapping[str, Any], business: Business, strategy: str) -> str:
    """Return what a strategy's teacher cost, or that nobody said so."""
    found = teacher_usd(result, business, strategy)
    return say("not stated") if found is None else amount(say, found, business)
