"""Alternating runs: whatever else the machine does meets every side alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def alternate(sides: Mapping[str, Callable[[], object]], n_rounds: int) -> dict[str, list[float]]:
    """Return each side's seconds per round; every side runs once unmeasured first."""
    for run in sides.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(n_rounds):
        for name, run in sides.items():
            begun = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begun)
    return seconds


def ratio(of: list[float], to: list[float]) -> float:
    """Return how many times faster `to` is than `of`: the median of the rounds' own ratios."""
    return statistics.median(slow / fast for slow, fast in zip(of, to, strict=True))
