"""Prices: a dated, sourced table that users can edit."""

import csv
import datetime
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from rerank.errors import RerankError
from rerank.store.artefacts import write_text
from rerank.store.home import bundled, home

OLD_AFTER_DAYS = 365
_COLUMNS = ["kind", "item", "unit", "usd", "as_of", "source"]
NEEDED = ("cpu", "labour")  # without these two nothing can be counted


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


def wrong_field(price: Price) -> str | None:
    """Return the first field of a price that cannot be, None when all can.

    kind, item and unit are needed, usd is 0 to 1e9 and finite, as_of is a year, a month or a day.
    """
    for name in ("kind", "item", "unit"):
        value = getattr(price, name)
        if not isinstance(value, str) or not value.strip():
            return name
    if not 0 <= price.usd < 1e9:  # false for NaN, too
        return "usd"
    try:
        price.is_old(datetime.date(2000, 1, 1))
    except (TypeError, ValueError, AttributeError):
        return "as_of"
    return None if isinstance(price.source, str) and price.source.strip() else "source"


def write_prices(prices: Sequence[Price]) -> Path:
    """Write the user's own price table; return where it lies.

    Raises RerankError `price_bad` (facts: line, field; the first price is line 2, below the header) and
    `price_missing` when the price of a CPU's or a judge's hour is not among them.
    """
    for line, price in enumerate(prices, start=2):
        fault = wrong_field(price)
        if fault is not None:
            raise RerankError("price_bad", line=line, field=fault)
    for kind in NEEDED:
        if all(price.kind != kind for price in prices):
            raise RerankError("price_missing", kind=kind)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([_COLUMNS, *(astuple(price) for price in prices)])
    write_text(own_table(), text.getvalue())
    return own_table()


def read_prices(path: Path) -> list[Price]:
    """Read a price table. Raises RerankError `prices_broken` (facts: file, line)."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if rows.fieldnames is None or [name.strip() for name in rows.fieldnames] != _COLUMNS:
            raise RerankError("prices_broken", file=str(path), line=1)
        found = []
        for row in rows:
            try:
                price = Price(row["kind"], row["item"], row["unit"], float(row["usd"]), row["as_of"], row["source"])
                fault = wrong_field(price)
            except (TypeError, ValueError) as error:
                raise RerankError("prices_broken", file=str(path), line=rows.line_num) from error
            if fault is not None:
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
