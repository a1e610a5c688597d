"""A stored result counted again at today's price table."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rerank.cost.prices import Price, device_price, labour_price


def at_prices(result: Mapping[str, Any], prices: Sequence[Price]) -> dict[str, Any]:
    """Return the result with the costs of its strategies and its judgments at other prices.

    Device seconds stay; what was really spent (`cost.job_usd`) and predicted stays at the prices of its time.
    The old prices are kept as `cost.counted_at_run` (`device_price`, `labour_price`) when any has changed.
    Raises RerankError `price_missing`.
    """
    device = result["device"]
    new_device = device_price(device["kind"], device["name"], list(prices))
    new_labour = labour_price(list(prices))
    old_device, old_labour = Price(**result["cost"]["device_price"]), Price(**result["cost"]["labour_price"])
    found = copy.deepcopy(dict(result))
    if (new_device, new_labour) == (old_device, old_labour):
        return found
    cost = found["cost"]
    cost["counted_at_run"] = {name: cost[name] for name in ("device_price", "labour_price")}
    cost["device_price"] = dataclasses.asdict(new_device)
    cost["labour_price"] = dataclasses.asdict(new_labour)
    if old_labour.usd > 0:
        cost["judging_usd"] *= new_labour.usd / old_labour.usd
    if old_device.usd > 0:
        factor = new_device.usd / old_device.usd
        for record in found["strategies"].values():
            for name, value in record["cost"].items():
                if name == "teacher_usd" and found.get("asked_teacher") is not None:
                    continue  # tokens were paid, not device hours
                if name.endswith("_usd") or "_usd_" in name:
                    record["cost"][name] = None if value is None else value * factor
    return found
