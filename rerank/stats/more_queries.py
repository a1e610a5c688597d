"""How many more queries would probably settle a comparison that is open."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rerank.stats.comparison import Comparison

MAX_FACTOR = 20
PROBABILITY = 0.8
N_DRAWS = 4_000
SMALLEST_ERROR = 1e-12
FEW_DF = 50
_ROUNDING = 1e-9  # what a critical value and the tail beyond it may disagree by

Settled = Literal["any_verdict", "gain"]


def chi_square(uniform: NDArray[np.float64], df: int) -> NDArray[np.float64]:
    """Return quantiles of chi-square: exact with few degrees of freedom, else by Wilson and Hilferty (1931).

    From 50 degrees of freedom on their cube is within 0.1 % for 99 of 100 draws, and much faster than the inverse.
    """
    from scipy import special

    if df < FEW_DF:
        return np.asarray(2 * special.gammaincinv(df / 2, uniform))
    spread = 2 / (9 * df)
    return np.asarray(df * (1 - spread + special.ndtri(uniform) * np.sqrt(spread)) ** 3)


def significant(t: NDArray[np.float64], freedom: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Return where the upper tail of Student's t beyond `t` is below `alpha` (0 to .5).

    The critical value falls with the degrees of freedom: most draws lie clearly above that of the fewest or below that
    of the most, and only the others need a tail of their own, which takes a hundred times as long.
    """
    from scipy.special import stdtr, stdtrit

    highest, lowest = (-stdtrit(float(df), alpha) for df in (freedom.min(), freedom.max()))
    found = np.asarray(t > highest * (1 + _ROUNDING))
    open_ = ~found & ~(t < lowest * (1 - _ROUNDING))
    found[open_] = stdtr(freedom[open_], -t[open_]) < alpha
    return found


@dataclass(frozen=True)
class Predicted:
    """What the next experiment would find, one number per draw: the truth, the difference it observes, its error."""

    truth: NDArray[np.float64]
    difference: NDArray[np.float64]
    error: NDArray[np.float64]
    freedom: NDArray[np.float64]
    margin: float

    def differs(self, alpha: float) -> NDArray[np.bool_]:
        """Return where the two-sided p-value of no difference is below `alpha`."""
        return significant(np.abs(self.difference) / self.error, self.freedom, alpha / 2)

    def is_not_worse(self, alpha: float) -> NDArray[np.bool_]:
        """Return where "worse by the margin" is rejected; TOST needs no test of its own, as equivalent is not worse."""
        return significant((self.difference + self.margin) / self.error, self.freedom, alpha)

    def answered(self, settled: Settled, *, alpha: float, alpha_difference: float) -> float:
        """Return the share of draws (0 to 1) with an answer; the arguments are those of `queries_to_settle`."""
        differs = self.differs(alpha_difference)
        found = differs & (self.difference > 0) if settled == "gain" else differs | self.is_not_worse(alpha)
        return float(np.mean(found))


def error_of_parts(
    of_queries: NDArray[np.float64] | float, df_queries: float, of_luck: NDArray[np.float64] | float, df_luck: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the standard error of a sum of two variances, and its degrees of freedom by Satterthwaite (1946).

    Where all differences are equal there is no error, and any difference is significant.
    """
    error = np.maximum(np.sqrt(of_queries + of_luck), SMALLEST_ERROR)
    below = of_queries**2 / df_queries + of_luck**2 / df_luck
    return error, error**4 / np.maximum(below, SMALLEST_ERROR**4 / df_queries)


@dataclass(frozen=True)
class _Draws:
    """Chance, `N_DRAWS` times: chi-square with a degree of freedom less than queries, uniform, the others normal."""

    chi_square: NDArray[np.float64]
    mean: NDArray[np.float64]
    noise: NDArray[np.float64]
    uniform: NDArray[np.float64]
    luck: NDArray[np.float64]
    old_luck: NDArray[np.float64]


@lru_cache(maxsize=4)
def _draws(n_queries: int) -> _Draws:
    """Return the draws for a number of observed queries, the same for all comparisons and all sizes."""
    rng = np.random.default_rng(0)
    of_variance, mean = rng.chisquare(n_queries - 1, N_DRAWS), rng.standard_normal(N_DRAWS)
    noise, uniform = rng.standard_normal(N_DRAWS), rng.random(N_DRAWS)
    return _Draws(of_variance, mean, noise, uniform, rng.standard_normal(N_DRAWS), rng.standard_normal(N_DRAWS))


@lru_cache(maxsize=128)  # comparisons of one experiment have their number of queries in common
def _chi_squares(n_queries: int, df: int) -> NDArray[np.float64]:
    return chi_square(_draws(n_queries).uniform, df)


@dataclass(frozen=True)
class Outlook:
    """What an observed comparison leaves open, as `N_DRAWS` draws; `outlook_of` makes it.

    truth: the difference as another training of another sample would have it on average, in units of the measure.
    """

    comparison: Comparison
    delta: float
    sd: float
    luck: float
    df_luck: float
    variance: NDArray[np.float64]
    mean: NDArray[np.float64]
    noise: NDArray[np.float64]
    shift: NDArray[np.float64]
    truth: NDArray[np.float64]

    def after(self, n_more: int, growth: NDArray[np.float64] | float = 0.0) -> Predicted:
        """Return what is found with `n_more` (0 or more) further test queries, and models that are better by `growth`.

        The models are trained anew; the tests are repeated on observed and further queries together.
        """
        n = self.comparison.n_queries
        total = n + n_more
        new_mean = self.mean + (self.noise * np.sqrt(self.variance / n_more) if n_more else 0.0)
        spread = 0.0 if n_more < 2 else self.variance * _chi_squares(n, n_more - 1)
        together = (n * self.delta + n_more * new_mean) / total + self.shift + growth
        squares = (n - 1) * self.sd**2 + spread + n * n_more / total * (self.delta - new_mean) ** 2
        of_queries = squares / (total - 1) / total
        error, freedom = error_of_parts(of_queries, total - 1, self.luck, self.df_luck)
        return Predicted(self.truth + growth, together, error, freedom, self.comparison.margin)


def outlook_of(comparison: Comparison) -> Outlook | None:
    """Return what a comparison leaves open; None when it was not tested.

    The true mean and variance are drawn from what the observed differences leave open: scaled inverse chi-square
    and normal, together a t. Deterministic: the draws have a fixed seed and are shared by all sizes.
    """
    n, delta, sd = comparison.n_queries, comparison.delta, comparison.sd_queries
    se, df = comparison.se, comparison.df
    if delta is None or sd is None or se is None or df is None:
        return None
    luck = max(0.0, se**2 - sd**2 / n)
    below = se**4 / df - (sd**2 / n) ** 2 / (n - 1)
    df_luck = luck**2 / below if luck > 0 and below > 0 else np.inf
    draws = _draws(n)
    variance = (n - 1) * sd**2 / draws.chi_square
    mean = delta + draws.mean * np.sqrt(variance / n)
    # The observed mean holds one draw of luck and the next training brings another one.
    shift = draws.luck * np.sqrt(2 * luck)
    # Half of the shift is the old draw taken away, give or take what the sum leaves open about its parts.
    truth = mean + shift / 2 + draws.old_luck * np.sqrt(luck / 2)
    return Outlook(comparison, delta, sd, luck, df_luck, variance, mean, draws.noise, shift, truth)


@lru_cache(maxsize=256)  # one comparison is asked about by verdict, decision and gate alike
def queries_to_settle(
    comparison: Comparison, *, alpha: float, alpha_difference: float, settled: Settled = "any_verdict"
) -> int | None:
    """Return the smallest number of further queries with a predictive probability of .8 of an answer.

    settled: any verdict other than inconclusive, or a gain (significantly above 0) alone. alpha_difference:
    what a difference's p-value must stay below. None when more than 20 times the sample would be needed.

    Further queries are drawn from each draw of `outlook_of`, the models are trained anew, and the tests are
    repeated on observed and further queries together. Training luck does not shrink with queries.
    """
    outlook = outlook_of(comparison)
    if outlook is None:
        return None
    n = comparison.n_queries

    def probability(total: int) -> float:
        return outlook.after(total - n).answered(settled, alpha=alpha, alpha_difference=alpha_difference)

    low, high = n, n + 1
    most = MAX_FACTOR * n
    while probability(high) < PROBABILITY:
        if high >= most:
            return None
        low, high = high, min(most, max(high + 1, round(n + (high - n) * 1.6)))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if probability(middle) >= PROBABILITY else (middle, high)
    return high - n
