"""How much of the work is done: the basis of progress, time left and cost so far."""

import time
from collections.abc import Callable, Hashable
from pathlib import Path

from rerank.cost.amounts import compute_usd
from rerank.cost.prices import Price
from rerank.errors import RerankError
from rerank.planning.plan import Budget
from rerank.store.artefacts import read_json, read_or_none, write_json
from rerank.worker.reporter import Reporter

TRAINING_WEIGHT = 3.0  # a backward pass costs two forward passes
REPORT_SECONDS = 0.5
SAVE_SECONDS = 2.0  # at most this much of a killed start is not counted


class Meter:
    """Counts work in units of one scored pair, and tells the reporter twice a second.

    What a piece of work with a name has left can be said anew at any time: what was done of it stays done. All other
    work is one piece without a name.
    spent: the file that keeps seconds and money of all starts of an experiment; None counts this start alone.
    """

    def __init__(
        self,
        reporter: Reporter,
        price: Price,
        budget: Budget,
        spent: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._price = price
        self._budget = budget
        self._clock = clock
        self._begun = self._saved = clock()
        self._told = 0.0
        self._spent = spent
        known = None if spent is None else read_or_none(read_json, spent)
        before = known or {"device_seconds": 0.0, "usd": 0.0}
        self._seconds_before, self._usd_before = float(before["device_seconds"]), float(before["usd"])
        self.teacher_usd = 0.0  # what all starts have paid a teacher; whoever asks it keeps this true
        self._ahead: dict[Hashable, float] = {}
        self._done = 0.0

    def expect(self, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Add work that lies ahead; negative numbers take back what turned out to be cached."""
        self._ahead[None] = self._ahead.get(None, 0.0) + TRAINING_WEIGHT * trained_pairs + scored_pairs

    def lies_ahead(self, work: Hashable, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Say how much of a named piece of work is left, whatever was said of it before."""
        self._ahead[work] = TRAINING_WEIGHT * trained_pairs + scored_pairs

    def did(self, *, trained_pairs: float = 0, scored_pairs: float = 0, work: Hashable = None) -> None:
        """Count finished work, and stop the job if it was asked to; the budget is looked at by `check_budget`."""
        units = TRAINING_WEIGHT * trained_pairs + scored_pairs
        self._done += units
        self._ahead[work] = max(0.0, self._ahead.get(work, 0.0) - units)
        if self._clock() - self._told >= REPORT_SECONDS:
            self.tell()
        self._reporter.breathe()

    @property
    def _own_seconds(self) -> float:
        return self._clock() - self._begun

    @property
    def seconds(self) -> float:
        """Return the device seconds of all starts, this one included."""
        return self._seconds_before + self._own_seconds

    @property
    def device_usd(self) -> float:
        """Return what the devices of all starts cost, each at its own price."""
        return self._usd_before + compute_usd(self._own_seconds, self._price)

    @property
    def usd(self) -> float:
        """Return what all starts cost, devices and teacher."""
        return self.device_usd + self.teacher_usd

    def tell(self) -> None:
        """Report share done and seconds left of this start, and what all starts have spent so far."""
        self._told = self._clock()
        total = self._done + sum(self._ahead.values())
        share = self._done / total if total else 0.0
        left = self._own_seconds * (1 - share) / share if share > 0 else None
        self._reporter.progress(
            share=round(share, 4),
            seconds=round(self.seconds, 1),
            seconds_left=None if left is None else round(left, 1),
            cost_usd=round(self.usd, 6),
        )
        if self._told - self._saved >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Keep what all starts have spent for the next one."""
        self._saved = self._clock()
        if self._spent is not None:
            write_json(self._spent, {"device_seconds": self.seconds, "usd": self.device_usd})

    def check_budget(self) -> None:
        """Raise RerankError `budget_spent` when all starts together have used up the plan's minutes or money."""
        for unit, spent, limit in (
            ("minutes", self.seconds / 60, self._budget.minutes),
            ("usd", self.usd, self._budget.usd),
        ):
            if limit is not None and spent > limit:
                self.save()
                raise RerankError("budget_spent", unit=unit, limit=limit)
