"""A measured number with its 95 % interval; queries are the units, never pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rerank.stats.compare import MIN_QUERIES

N_BOOTSTRAPS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Measured:
    """A value, its 95 % interval and the number of queries behind it; None where it cannot be told."""

    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = 0


def mean_of(values: NDArray[np.float64], low: float = -np.inf, high: float = np.inf) -> Measured:
    """Return the mean over queries with its t-interval, which needs 15 queries and ends where values can."""
    from scipy import stats

    n = len(values)
    if n == 0:
        return Measured()
    mean = float(values.mean())
    if n < MIN_QUERIES:
        return Measured(mean, n=n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Measured(mean, max(low, mean - half), min(high, mean + half), n)


def share_of(hits: NDArray[np.bool_]) -> Measured:
    """Return a share of queries with Wilson's interval (1927)."""
    from scipy import stats

    n = len(hits)
    if n == 0:
        return Measured()
    share = float(hits.mean())
    if n < MIN_QUERIES:
        return Measured(share, n=n)
    found = stats.binomtest(int(hits.sum()), n).proportion_ci(LEVEL, method="wilson")
    return Measured(share, float(found.low), float(found.high), n)


def resampled(n: int, seed: int) -> NDArray[np.float64]:
    """Return how often each of n queries is drawn in every bootstrap sample: shape (n_bootstraps, n)."""
    rng = np.random.default_rng([seed, 3])
    return rng.multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAPS).astype(np.float64)


def percentile_interval(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the 95 % percentile interval of bootstrap values; samples without a value do not count."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None, None
    low, high = np.percentile(known, [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2])
    return float(low), float(high)
