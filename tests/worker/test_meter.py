"""What an experiment has spent: the sum over its starts."""

from pathlib import Path

import pytest

from rerank.cost.prices import Price
from rerank.errors import RerankError
from rerank.planning.plan import Budget
from rerank.worker.meter import SAVE_SECONDS, Meter
from rerank.worker.reporter import Silent


class Told(Silent):
    """A reporter that remembers the last progress, and a clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.last: dict[str, object] = {}

    def progress(self, **facts: object) -> None:
        self.last = facts


def begin(spent: Path | None, *, usd: float = 3.6, budget: Budget | None = None) -> tuple[Meter, Told]:
    told = Told()
    price = Price("cpu", "a core", "hour", usd, "2026-01", "nobody")
    return Meter(told, price, budget or Budget(), spent, clock=lambda: told.now), told


def test_seconds_and_money_are_those_of_all_starts_and_time_left_of_this_one(tmp_path: Path) -> None:
    spent = tmp_path / "spent.json"
    first, told = begin(spent)
    told.now += 100
    first.save()
    second, told = begin(spent, usd=36.0)  # another device, ten times as dear
    second.expect(scored_pairs=400)
    told.now += 10
    second.did(scored_pairs=100)
    assert told.last == {"share": 0.25, "seconds": 110.0, "seconds_left": 30.0, "cost_usd": 0.2}
    third, _ = begin(spent)
    assert (third.seconds, third.usd) == pytest.approx((110, 0.2))


def test_a_killed_start_loses_a_few_seconds_at_most(tmp_path: Path) -> None:
    spent = tmp_path / "spent.json"
    killed, told = begin(spent)
    for _ in range(95):
        told.now += 0.1
        killed.did(scored_pairs=1)
    after, _ = begin(spent)
    assert 9.5 - SAVE_SECONDS - 0.6 < after.seconds <= 9.5


def test_all_starts_share_the_budget(tmp_path: Path) -> None:
    for budget in (Budget(minutes=3), Budget(usd=0.18)):
        spent = tmp_path / f"{budget.usd}.json"
        for starts in range(2):
            meter, told = begin(spent, budget=budget)
            told.now += 89
            meter.check_budget()
            meter.save()
            assert meter.seconds == pytest.approx(89 * (starts + 1))
        meter, told = begin(spent, budget=budget)
        told.now += 5
        with pytest.raises(RerankError, match="budget_spent"):
            meter.check_budget()
        assert begin(spent)[0].seconds == pytest.approx(183)


def test_without_a_file_one_start_counts_alone() -> None:
    meter, told = begin(None)
    told.now += 5
    meter.tell()
    meter.save()
    assert told.last["seconds"] == 5.0


def test_what_is_left_of_a_work_can_be_said_anew_and_what_was_done_stays_done() -> None:
    meter, told = begin(None)

    def share() -> object:
        meter.tell()
        return told.last["share"]

    meter.expect(scored_pairs=100)
    meter.lies_ahead("stage", trained_pairs=100)
    meter.did(work="stage", trained_pairs=50)
    assert share() == 150 / 400
    meter.lies_ahead("stage", trained_pairs=75)  # a third of it was lost
    assert share() == round(150 / 475, 4)
    meter.did(work="stage", trained_pairs=25)
    meter.lies_ahead("stage")
    meter.lies_ahead("stage")  # taken back once
    assert share() == round(225 / 325, 4)
    meter.did(scored_pairs=100)
    assert share() == 1
