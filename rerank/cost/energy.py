"""Energy and CO2e as an estimate: watts x seconds, and what the grid emits for it."""

from dataclasses import dataclass

from rerank.cost.prices import Price
from rerank.errors import RerankError

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Energy:
    """An estimate: kilowatt-hours, grams of CO2e, and USD when electricity is paid for by itself."""

    kwh: float
    co2e_g: float
    usd: float


def energy_of(device_seconds: float, watts: float, grid: Price, electricity: Price) -> Energy:
    """Return the energy of a device at a constant power; cooling and the rest of the machine are not in it."""
    kwh = device_seconds * watts / JOULES_PER_KWH
    return Energy(kwh, kwh * grid.usd, kwh * electricity.usd)


def device_power(device: Price, prices: list[Price]) -> Price:
    """Return the power of a priced device: of the same model, else the highest of its kind.

    A power stands in the price table: kind `power`, unit W. Raises RerankError `price_missing`.
    """
    powers = [price for price in prices if price.kind == "power"]
    gpus = {_model(price)[0] for price in prices if price.kind == "gpu"}
    found = [price for price in powers if _model(price) == _model(device)]
    found = found or [price for price in powers if _model(price)[0] == _model(device)[0]]
    found = found or [price for price in powers if (_model(price)[0] in gpus) == (device.kind == "gpu")]
    if not found:
        raise RerankError("price_missing", kind="power")
    return max(found, key=lambda price: price.usd)


def _model(price: Price) -> tuple[str, ...]:
    """Return the words that name a device: model and size (`A100 80GB`)."""
    return tuple(price.item.split()[:2]) or ("",)


def carbon_price(grid: str, prices: list[Price]) -> Price:
    """Return what a grid emits, in grams of CO2e per kWh; an unknown one takes the dirtiest of the table.

    Raises RerankError `price_missing`.
    """
    grids = [price for price in prices if price.kind == "carbon"]
    if not grids:
        raise RerankError("price_missing", kind="carbon")
    return max([price for price in grids if price.item == grid] or grids, key=lambda price: price.usd)


def electricity_price(prices: list[Price]) -> Price:
    """Return the price of a kWh. Raises RerankError `price_missing`."""
    for price in prices:
        if price.kind == "energy":
            return price
    raise RerankError("price_missing", kind="energy")
