"""What a gain is worth and what may be spent: assumptions of the user's business, never part of a locked plan."""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rerank.cost.amounts import MINUTES_PER_JUDGMENT
from rerank.errors import RerankError

CurrencyCode = Literal["USD", "EUR", "JPY"]
SuccessMeasure = Literal["Success@1", "kpi"]
CURRENCIES: tuple[CurrencyCode, ...] = get_args(CurrencyCode)
SUCCESS_MEASURES: tuple[SuccessMeasure, ...] = get_args(SuccessMeasure)
BUSINESS_FILE = "business.json"


@dataclass(frozen=True)
class Business:
    """Traffic, value, capacity, limits and currency; amounts are in `currency` unless their name says USD.

    None means that nothing was said: what would need it is then not computed.
    searches_per_month, searches_per_month_later: traffic now and at the end of the horizon; in between it
    changes evenly, and without the second one it stays. value_per_success: of one more successful search.
    success_measure: `Success@1`, or `kpi`: +.01 of the KPI is then assumed to be one more successful search in
    100. retrain_every_months: None trains once. judgments_per_training: new ones for each re-training.
    teacher_cost: of the scores of an uploaded teacher that one training takes; None counts nothing and says so.
    setup_cost: once, upkeep_per_month: every month; both for anything that is not today's order.
    max_serving_per_1k, max_latency_ms: what may be spent on 1,000 searches, and the p95 that is accepted.
    per_usd: how much of the currency one US dollar is, on the day `rate_as_of`. watts: of the device, None takes
    the price table's. gpu: the price table's GPU that a CPU's numbers are projected to, "" for none;
    speed_ratio with its range: how many times as fast it is, by `ratio_source`. stated_at: when this was said, UTC.
    """

    searches_per_month: float | None = None
    searches_per_month_later: float | None = None
    horizon_months: int = 12
    value_per_success: float | None = None
    success_measure: SuccessMeasure = "Success@1"
    retrain_every_months: int | None = None
    judgments_per_training: int = 0
    teacher_cost: float | None = None
    setup_cost: float = 0.0
    upkeep_per_month: float = 0.0
    n_judges: int | None = None
    judge_hours_per_week: float | None = None
    minutes_per_judgment: float = MINUTES_PER_JUDGMENT
    max_serving_per_1k: float | None = None
    max_latency_ms: float | None = None
    currency: CurrencyCode = "USD"
    per_usd: float = 1.0
    rate_as_of: str = ""
    watts: float | None = None
    grid: str = "World grid"
    gpu: str = ""
    speed_ratio: float = 30.0
    speed_ratio_low: float = 10.0
    speed_ratio_high: float = 100.0
    ratio_source: str = ""
    stated_at: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return dataclasses.asdict(self)

    def to_usd(self, amount: float) -> float:
        """Return an amount of the user's currency in USD."""
        return amount / self.per_usd


# Setting, lowest and highest value, whole number.
_RANGES: tuple[tuple[str, float, float, bool], ...] = (
    ("searches_per_month", 0, 1e12, False),
    ("searches_per_month_later", 0, 1e12, False),
    ("horizon_months", 1, 120, True),
    ("value_per_success", 0, 1e9, False),
    ("retrain_every_months", 1, 120, True),
    ("judgments_per_training", 0, 1e9, True),
    ("teacher_cost", 0, 1e12, False),
    ("setup_cost", 0, 1e12, False),
    ("upkeep_per_month", 0, 1e12, False),
    ("n_judges", 1, 10_000, True),
    ("judge_hours_per_week", 0.1, 168, False),
    ("minutes_per_judgment", 0.01, 1_000, False),
    ("max_serving_per_1k", 0, 1e9, False),
    ("max_latency_ms", 0, 1e7, False),
    ("per_usd", 1e-6, 1e6, False),
    ("watts", 0.1, 1e6, False),
    ("speed_ratio", 0.01, 1e5, False),
    ("speed_ratio_low", 0.01, 1e5, False),
    ("speed_ratio_high", 0.01, 1e5, False),
)
_OPTIONAL = {item.name for item in dataclasses.fields(Business) if item.default is None}


def _bad(setting: str, value: object) -> RerankError:
    return RerankError("business_bad_value", setting=setting, value=str(value))


def business_from_dict(given: Mapping[str, Any]) -> Business:
    """Build checked assumptions from plain values.

    Raises RerankError `business_unknown_setting`, `business_bad_value` (facts: setting, value) and
    `rate_missing` (fact: currency) when amounts are in a currency without a dated rate.
    """
    names = {item.name: item for item in dataclasses.fields(Business)}
    for name, value in given.items():
        if name not in names:
            raise RerankError("business_unknown_setting", setting=name)
        if isinstance(names[name].default, str) and not isinstance(value, str):
            raise _bad(name, value)
    check_business(Business(**dict(given)))
    # A file may say 8 where 8.0 is meant; number fields of a page take one kind only.
    decimal = {name for name, _, _, whole in _RANGES if not whole}
    exact: dict[str, Any] = {
        name: float(value) if name in decimal and value is not None else value for name, value in given.items()
    }
    return Business(**exact)


def check_business(business: Business) -> None:
    """Raise RerankError as `business_from_dict` does, at the first setting out of its range."""
    for name, low, high, whole in _RANGES:
        value = getattr(business, name)
        if value is None and name in _OPTIONAL:
            continue
        kind = int if whole else (int, float)
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
            raise _bad(name, value)
    for name, words in (("currency", CURRENCIES), ("success_measure", SUCCESS_MEASURES)):
        if getattr(business, name) not in words:
            raise _bad(name, getattr(business, name))
    if not business.speed_ratio_low <= business.speed_ratio <= business.speed_ratio_high:
        raise _bad("speed_ratio", business.speed_ratio)
    if business.currency == "USD":
        if business.per_usd != 1.0:
            raise _bad("per_usd", business.per_usd)
        return
    try:
        datetime.date.fromisoformat(business.rate_as_of)
    except ValueError as error:
        raise RerankError("rate_missing", currency=business.currency) from error
