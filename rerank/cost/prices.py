"""Prices: a dated, sourced table that users can edit."""

import csv
import datetime
from dataclasses import dataclass
from pathlib import Path

from rerank.errors import RerankError
from rerank.store.home import bundled, home

OLD_AFTER_DAYS = 365
_COLUMNS = ["kind", "item", "unit", "usd", "as_of", "source"]


@dataclass(frozen=True)
class Price:
    """One price: what (`kind`, `item`), per which `unit`, `usd` in that unit, when and by whom stated."""

    kind: str
    item: str
    unit: str
    usd: float
    as_of: str
    source: str

    @property
    def is_placeholder(self) -> bool:
        """Say whether this is an assumption that the user should replace."""
        return "placeholder" in self.item

    def is_old(self, today: datetime.date) -> bool:
        """Say whether the price was stated more than a year before `today`."""
        parts = [int(part) for part in self.as_of.split("-")] + [1, 1]
        return (today - datetime.date(parts[0], parts[1], parts[2])).days > OLD_AFTER_DAYS


def own_table() -> Path:
    """Return where the user's edited table lies, whether it exists or not."""
    return home() / "prices.csv"


def read_prices(path: Path) -> list[Price]:
    """Read a price table. Raises RerankError `prices_broken` (facts: file, line)."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if rows.fieldnames is None or [name.strip() for name in rows.fieldnames] != _COLUMNS:
            raise RerankError("prices_broken", file=str(path), line=1)
        found = []
        for row in rows:
            try:
                usd = float(row["usd"])
                price = Price(row["kind"], row["item"], row["unit"], usd, row["as_of"], row["source"])
                price.is_old(datetime.date(2000, 1, 1))  # the date must be one
            except (TypeError, ValueError, AttributeError) as error:
                raise RerankError("prices_broken", file=str(path), line=rows.line_num) from error
            if not 0 <= usd < 1e9:
                raise RerankError("prices_broken", file=str(path), line=rows.line_num)
            found.append(price)
    return found


def current_prices() -> list[Price]:
    """Return the user's table when there is one, else the bundled one. Raises RerankError `bundled_missing`."""
    own = own_table()
    return read_prices(own if own.is_file() else bundled("prices.csv"))


def device_price(kind: str, name: str, prices: list[Price]) -> Price:
    """Return the hourly price of a device: the GPU whose model is in its name, else the CPU's.

    An unknown GPU takes the dearest one, so that a cost is never understated.
    Raises RerankError `price_missing`.
    """
    if kind == "cuda":
        gpus = [price for price in prices if price.kind == "gpu"]
        words = name.upper().replace("-", " ").split()
        # A100 comes in two sizes: the dearer one, for the same reason.
        same = [price for price in gpus if price.item.split()[0].upper() in words]
        if gpus:
            return max(same or gpus, key=lambda price: price.usd)
    for price in prices:
        if price.kind == "cpu":
            return price
    raise RerankError("price_missing", kind=kind)


def labour_price(prices: list[Price]) -> Price:
    """Return the hourly price of a relevance judge. Raises RerankError `price_missing`."""
    for price in prices:
        if price.kind == "labour":
            return price
    raise RerankError("price_missing", kind="labour")
