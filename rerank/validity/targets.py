"""What was promised, what was found, and whether it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Name = Literal["false_better", "family_error", "false_equivalent", "coverage", "settled_with_n_more", "power_error"]
MOST_ALARMS = 0.05
COVERAGE = (0.94, 0.96)
SETTLED = (0.7, 0.9)
MOST_POWER_ERROR = 0.04
ERRORS = 2.0  # Monte-Carlo standard errors that a rate may lie beyond its limit


@dataclass(frozen=True)
class Target:
    """One promise: the figure, its Monte-Carlo standard error, the range (0-1) that it must lie in.

    n_queries: where there is one figure for each size.
    """

    name: Name
    n_queries: int | None
    figure: float
    error: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Say whether the figure lies in its range, two Monte-Carlo standard errors allowed."""
        return self.low - ERRORS * self.error <= self.figure <= self.high + ERRORS * self.error


def targets_of(figures: Mapping[str, Any]) -> list[Target]:
    """Return every promise with its figure, as `figures_of` gives them."""
    found = [
        Target("false_better", int(n), share, figures["false_better_error"][n], 0.0, MOST_ALARMS)
        for n, share in figures["false_better"].items()
    ]
    rest: tuple[tuple[Name, float, float], ...] = (
        ("family_error", 0.0, MOST_ALARMS),
        ("false_equivalent", 0.0, MOST_ALARMS),
        ("coverage", *COVERAGE),
        ("settled_with_n_more", *SETTLED),
        ("power_error", 0.0, MOST_POWER_ERROR),
    )
    # A largest gap and a middle rate have ranges that are wide enough: only error rates are allowed their noise.
    noisy = ("family_error", "false_equivalent")
    found += [
        Target(name, None, figures[name], figures[f"{name}_error"] if name in noisy else 0.0, low, high)
        for name, low, high in rest
    ]
    return found
