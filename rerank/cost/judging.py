"""What judges can do in a week, and what a number of judgments takes."""

from dataclasses import dataclass

WORKING_DAYS_PER_WEEK = 5


@dataclass(frozen=True)
class JudgingWork:
    """Judgments to make: how many, hours of work in all, working days until they are done, USD."""

    n_judgments: int
    hours: float
    working_days: float
    usd: float


def judging_work(
    n_judgments: int, *, minutes_per_judgment: float, n_judges: int, hours_per_week: float, usd_per_hour: float
) -> JudgingWork:
    """Return what judgments take when each judge gives `hours_per_week` to them."""
    hours = n_judgments * minutes_per_judgment / 60.0
    weeks = hours / (n_judges * hours_per_week)
    return JudgingWork(n_judgments, hours, weeks * WORKING_DAYS_PER_WEEK, hours * usd_per_hour)
