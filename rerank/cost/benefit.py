"""What a gain brings: successful searches, money, return and break-even, each with the gain's interval."""

from dataclasses import dataclass
from typing import Literal

from rerank.cost.horizon import Horizon, Spending, balance_usd

GainCode = Literal["gain_shown", "no_gain_shown", "loss_shown", "not_comparable"]


@dataclass(frozen=True)
class Ranged:
    """A number with the ends of its range; None where there is none, as for a break-even that is never reached."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Gain:
    """A difference of a success measure with its 95 % interval; in units of the measure (+.01: 1 search in 100)."""

    delta: float
    low: float
    high: float

    @property
    def code(self) -> GainCode:
        """Say what the interval shows: an interval that contains 0 shows no gain."""
        if self.low > 0:
            return "gain_shown"
        return "loss_shown" if self.high < 0 else "no_gain_shown"

    def times(self, factor: float) -> Ranged:
        """Return the gain and its ends times a factor of 0 or more."""
        return Ranged(self.delta * factor, self.low * factor, self.high * factor)


def return_on(benefit_usd: float, cost_usd: float) -> float | None:
    """Return (benefit - cost) / cost; None when nothing is spent."""
    return (benefit_usd - cost_usd) / cost_usd if cost_usd > 0 else None


def break_even_searches(per_search_usd: float, spending: Spending, horizon: Horizon) -> float | None:
    """Return the searches per month, the same every month, at which benefit and cost meet at the horizon.

    None when a search costs more to serve than its gain brings: no traffic would help.
    """
    margin = per_search_usd - spending.per_search_usd
    if margin <= 0:
        return None
    return spending.fixed_usd(horizon) / (horizon.months * margin)


def break_even_month(per_search_usd: float, spending: Spending, horizon: Horizon) -> int | None:
    """Return the first month after which the balance stays at 0 or above until the horizon; None without one."""
    balance = balance_usd(per_search_usd, spending, horizon)
    tolerance = 1e-9 * max(1.0, spending.total_usd(horizon))
    found = None
    for month in range(horizon.months, 0, -1):
        if balance[month] < -tolerance:
            break
        found = month
    return found


def cost_per_point(cost_usd: float, delta: float) -> float | None:
    """Return the cost of each +.01 of a measure; None without a gain."""
    return cost_usd / (delta * 100) if delta > 0 else None
