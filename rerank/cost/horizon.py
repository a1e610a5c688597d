"""Traffic and spending month by month, until the user's horizon."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Horizon:
    """How long is looked ahead: months (1 or more), searches per month now and at the end, months between trainings."""

    months: int
    searches_now: float
    searches_later: float
    retrain_every: int | None = None

    def searches(self, month: int) -> float:
        """Return the searches of a month (1 is the first): traffic changes evenly, its middle counts."""
        return self.searches_now + (self.searches_later - self.searches_now) * (month - 0.5) / self.months

    @property
    def total_searches(self) -> float:
        """Return the searches of all months."""
        return self.months * (self.searches_now + self.searches_later) / 2

    def n_retrainings(self, month: int | None = None) -> int:
        """Return how many trainings after the first one are paid for by the end of a month, by default the last.

        One that is due when a month ends belongs to the next month.
        """
        if self.retrain_every is None:
            return 0
        return ((month or self.months) - 1) // self.retrain_every


@dataclass(frozen=True)
class Spending:
    """What an option costs on top of today's search, in USD: once, per re-training, per search, per month."""

    setup_usd: float = 0.0
    retraining_usd: float = 0.0
    per_search_usd: float = 0.0
    per_month_usd: float = 0.0

    def fixed_usd(self, horizon: Horizon) -> float:
        """Return what does not depend on traffic, over the whole horizon."""
        retraining = horizon.n_retrainings() * self.retraining_usd
        return self.setup_usd + retraining + horizon.months * self.per_month_usd

    def total_usd(self, horizon: Horizon) -> float:
        """Return everything, over the whole horizon."""
        return self.fixed_usd(horizon) + horizon.total_searches * self.per_search_usd


def balance_usd(per_search_usd: float, spending: Spending, horizon: Horizon) -> list[float]:
    """Return what was earned minus what was spent at the start and after each month (months + 1 numbers).

    per_search_usd: what the gain brings per search.
    """
    found = [-spending.setup_usd]
    searches = 0.0
    for month in range(1, horizon.months + 1):
        searches += horizon.searches(month)
        spent = spending.setup_usd + month * spending.per_month_usd + searches * spending.per_search_usd
        spent += horizon.n_retrainings(month) * spending.retraining_usd
        found.append(searches * per_search_usd - spent)
    return found
