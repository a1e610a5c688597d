"""The device in words: what it is and what that means for time and money."""

from collections.abc import Mapping
from typing import Any

from rerank.cost.prices import current_prices, device_price
from rerank.wording.language import Say
from rerank.wording.numbers import usd


def device_sentence(say: Say, found: Mapping[str, Any]) -> str:
    """Return what will compute and what an hour of it is counted as."""
    price = device_price(str(found["kind"]), str(found["name"]), current_prices())
    facts = {"name": found["name"], "price": usd(price.usd), "as_of": price.as_of}
    if found["kind"] == "cuda":
        return say("This machine trains on its GPU ({name}), counted at {price} an hour ({as_of}).", **facts)
    if found["kind"] == "mps":
        return say("This machine trains on its Apple GPU ({name}), counted at {price} an hour ({as_of}).", **facts)
    return say(
        "This machine has no GPU: it trains on the CPU ({name}), counted at {price} an hour ({as_of}). A GPU is "
        "typically ten to a hundred times faster; the numbers come out the same up to rounding.",
        **facts,
    )
