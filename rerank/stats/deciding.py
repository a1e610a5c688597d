"""The deciding test: a paired t-test over queries whose error knows about training luck."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Error:
    """A difference's standard error with its parts.

    variance_queries: SD²/n over queries of the seed-mean differences, with n - 1 degrees of freedom.
    variance_seeds: (s²_ref + s²_chal)/S, the variance over seeds of the strategies' means; 0 with one seed.
    df: Satterthwaite's degrees of freedom of the sum. sd_queries: in units of the measure.
    """

    sd_queries: float
    variance_queries: float
    variance_seeds: float
    df: float

    @property
    def se(self) -> float:
        """Return the standard error."""
        return float(np.sqrt(self.variance_queries + self.variance_seeds))


def seed_variance(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variance of a strategy's mean that comes from its seeds, s²/S, and its degrees of freedom.

    values: (n_seeds, n_queries). A single seed says nothing: (0, 0).
    """
    n_seeds = values.shape[0]
    if n_seeds < 2:
        return 0.0, 0.0
    return float(values.mean(axis=1).var(ddof=1)) / n_seeds, n_seeds - 1.0


def error_of(differences: NDArray[np.float64], trained: Sequence[NDArray[np.float64]]) -> Error:
    """Return the error of the mean difference: SE² = SD²/n + (s²_ref + s²_chal)/S.

    differences: per query, of seed means; trained: the scores (n_seeds, n_queries) of each side that was
    trained, each with its own number of seeds; an untrained side has no luck. Degrees of freedom by
    Satterthwaite (1946).
    """
    n = len(differences)
    sd = float(differences.std(ddof=1))
    luck = [seed_variance(values) for values in trained]
    parts = [(sd**2 / n, n - 1.0), *luck]
    total = sum(variance for variance, _ in parts)
    below = sum(variance**2 / df for variance, df in parts if df > 0)
    return Error(
        sd_queries=sd,
        variance_queries=parts[0][0],
        variance_seeds=sum(variance for variance, _ in luck),
        df=total**2 / below if below > 0 else n - 1.0,
    )


def two_sided(delta: float, se: float, df: float) -> float:
    """Return the p-value of no difference; 0 when every query differs by the same amount."""
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(delta) / se)) if se > 0 else 0.0


def one_sided(excess: float, se: float, df: float) -> float:
    """Return the p-value of "the excess is not above 0"."""
    from scipy.special import stdtr

    if se > 0:
        return float(stdtr(df, -excess / se))
    return 0.0 if excess > 0 else 1.0


def half_width(level: float, se: float, df: float) -> float:
    """Return half the width of a t-interval at a confidence level."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + level / 2)) * se
