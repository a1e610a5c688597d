"""How much of the work is done: the basis of progress, time left and cost so far."""

import time
from collections.abc import Callable

from rerank.cost.amounts import compute_usd
from rerank.cost.prices import Price
from rerank.errors import RerankError
from rerank.planning.plan import Budget
from rerank.worker.reporter import Reporter

TRAINING_WEIGHT = 3.0  # a backward pass costs two forward passes
REPORT_SECONDS = 0.5


class Meter:
    """Counts work in units of one scored pair, and tells the reporter twice a second."""

    def __init__(
        self, reporter: Reporter, price: Price, budget: Budget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reporter = reporter
        self._price = price
        self._budget = budget
        self._clock = clock
        self._begun = clock()
        self._told = 0.0
        self.total_units = 0.0
        self.done_units = 0.0

    def expect(self, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Add work that lies ahead; negative numbers take back what turned out to be cached."""
        self.total_units += TRAINING_WEIGHT * trained_pairs + scored_pairs

    def did(self, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Count finished work, and stop the job if it was asked to or has spent its budget."""
        self.done_units += TRAINING_WEIGHT * trained_pairs + scored_pairs
        self.total_units = max(self.total_units, self.done_units)
        self._reporter.breathe()
        if self._clock() - self._told >= REPORT_SECONDS:
            self.tell()

    @property
    def seconds(self) -> float:
        """Return the seconds since the job began to compute."""
        return self._clock() - self._begun

    def tell(self) -> None:
        """Report share done, seconds left and cost so far."""
        self._told = self._clock()
        share = self.done_units / self.total_units if self.total_units else 0.0
        left = self.seconds * (1 - share) / share if share > 0 else None
        self._reporter.progress(
            share=round(share, 4),
            seconds=round(self.seconds, 1),
            seconds_left=None if left is None else round(left, 1),
            cost_usd=round(compute_usd(self.seconds, self._price), 6),
        )

    def check_budget(self) -> None:
        """Raise RerankError `budget_spent` when minutes or money of the plan are used up."""
        minutes, usd = self.seconds / 60, compute_usd(self.seconds, self._price)
        if self._budget.minutes is not None and minutes > self._budget.minutes:
            raise RerankError("budget_spent", unit="minutes", limit=self._budget.minutes)
        if self._budget.usd is not None and usd > self._budget.usd:
            raise RerankError("budget_spent", unit="usd", limit=self._budget.usd)
