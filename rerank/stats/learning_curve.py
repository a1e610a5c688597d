"""A learning curve projected to more training queries, with what the few points leave open."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rerank.stats.compare import MIN_QUERIES
from rerank.stats.more_queries import N_DRAWS

MIN_POINTS = 3
NEAR = 4.0  # times the training queries: further on the shape is a guess, and it is said
FAR = 10.0  # times the training queries: nothing is projected beyond
# Training luck (SD of a mean between trainings) before any was seen, and how many seeds that counts as.
ASSUMED_LUCK, ASSUMED_DF = 0.01, 3.0
EXPONENTS = (0.05, 2.0)  # fine-tuning and pre-training curves have been measured between .07 and 1
_N_EXPONENTS, _N_RISES, _N_LUCKS = 40, 60, 8
_REACH = 5.0  # standard errors around the likeliest rise
SMALLEST_ROOM = 1e-6

CurveStatus = Literal["projected", "plateau", "too_few_points", "too_few_queries", "rise_not_shown", "falls"]


@dataclass(frozen=True)
class Curve:
    """One strategy's scores on the same test queries after trainings of growing size.

    n_train: training queries, ascending, the last one all of them. values: (n_points, n_queries), means over seeds.
    n_seeds: trainings behind each point. luck, df_luck: variance over seeds of a strategy's mean, and its degrees
    of freedom; df_luck is 0 where no point was trained twice.
    """

    n_train: tuple[int, ...]
    values: NDArray[np.float64]
    n_seeds: tuple[int, ...]
    luck: float = 0.0
    df_luck: float = 0.0


@dataclass(frozen=True)
class Projection:
    """Draws of f(n) = level + rise * (1 - (n / n_now)^-exponent): level is reached now, level + rise never."""

    n_now: int
    level: NDArray[np.float64]
    rise: NDArray[np.float64]
    exponent: NDArray[np.float64]

    def growth(self, factor: float) -> NDArray[np.float64]:
        """Return draws of f(factor * n_now) - f(n_now). Raises ValueError beyond `FAR`."""
        if factor > FAR:
            raise ValueError(f"{factor} times the training queries is beyond {FAR}")
        return self.rise * (1.0 - factor**-self.exponent)

    def at(self, factor: float) -> NDArray[np.float64]:
        """Return draws of f(factor * n_now). Raises ValueError beyond `FAR`."""
        return self.level + self.growth(factor)


def interval_of(draws: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean of some draws and the ends of their 95 % interval."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(draws.mean()), float(low), float(high)


def why_not_fitted(curve: Curve) -> CurveStatus | None:
    """Say why a curve cannot be fitted at all, None when it can."""
    if len(set(curve.n_train)) < MIN_POINTS:
        return "too_few_points"
    return "too_few_queries" if curve.values.shape[1] < MIN_QUERIES else None


def project(curve: Curve, ceiling: float) -> Projection:
    """Fit a saturating power law to a curve; its draws hold what points, luck and shape leave open.

    ceiling: what no order of the candidates can exceed. Bayesian, on a grid: points are normal around the law with
    the covariance of the queries they share plus training luck. The level is flat; the rise is a Beta(1/2, 2) share
    of the room below the ceiling, small ones being the likelier; the exponent is log-uniform within `EXPONENTS`;
    luck is scaled inverse chi-square of the seeds seen and `ASSUMED_DF` assumed ones. More queries never hurt.
    Deterministic: fixed seed. Power laws: Viering and Loog, The Shape of Learning Curves (2023).
    Raises ValueError where `why_not_fitted` says so.
    """
    from scipy import stats

    problem = why_not_fitted(curve)
    if problem is not None:
        raise ValueError(problem)
    n_queries = curve.values.shape[1]
    means = curve.values.mean(axis=1)
    sizes = np.array(curve.n_train, dtype=np.float64) / curve.n_train[-1]
    shared = np.cov(curve.values) / n_queries
    room = max(SMALLEST_ROOM, ceiling - float(means[-1]))
    exponents = np.geomspace(*EXPONENTS, _N_EXPONENTS)
    shape = 1.0 - sizes[None, :] ** -exponents[:, None]  # (n_exponents, n_points), 0 at all training queries
    df = ASSUMED_DF + curve.df_luck
    scale = (ASSUMED_DF * ASSUMED_LUCK**2 + curve.df_luck * curve.luck) / df
    lucks = df * scale / stats.chi2.isf((np.arange(_N_LUCKS) + 0.5) / _N_LUCKS, df)
    steps = (np.arange(_N_RISES) + 0.5) / _N_RISES
    cells, starts, widths, levels, errors = [], [], [], [], []
    for luck in lucks:
        precision = np.linalg.inv(shared + np.diag(luck / np.array(curve.n_seeds)))
        sums = precision.sum(axis=0)
        without_level = precision - np.outer(sums, sums) / sums.sum()
        # Given exponent and luck the rise is normal: the grid lies where its likelihood is, in roots of the room.
        slope = np.einsum("ep,pq,q->e", shape, without_level, means)
        weight = np.einsum("ep,pq,eq->e", shape, without_level, shape)
        spread = weight**-0.5
        high = np.clip(slope / weight + _REACH * spread, np.minimum(spread, room), room)
        low = np.clip(slope / weight - _REACH * spread, 0.0, 0.9 * high)
        start, end = np.sqrt(low / room), np.sqrt(high / room)
        roots = start[:, None] + (end - start)[:, None] * steps
        rise = room * roots**2
        fit = slope[:, None] * rise - 0.5 * weight[:, None] * rise**2 - 0.5 * means @ without_level @ means
        scales = 0.5 * (np.linalg.slogdet(precision)[1] - np.log(sums.sum()))
        prior = np.log1p(-(np.minimum(roots, 1 - 1e-9) ** 2)) + np.log(end - start)[:, None]
        cells.append(prior + fit + scales)
        starts.append(start)
        widths.append((end - start) / _N_RISES)
        levels.append(np.stack([np.full(_N_EXPONENTS, means @ sums), shape @ sums]) / sums.sum())
        errors.append(sums.sum() ** -0.5)
    log = np.stack(cells)
    share = np.cumsum(np.exp(log - log.max()))
    rng = np.random.default_rng(0)
    places = (np.arange(N_DRAWS) + rng.random(N_DRAWS)) / N_DRAWS
    drawn = rng.permutation(np.minimum(np.searchsorted(share / share[-1], places), log.size - 1))
    of_luck, of_exponent, of_rise = np.unravel_index(drawn, log.shape)
    within = of_rise + rng.random(N_DRAWS)
    root = np.stack(starts)[of_luck, of_exponent] + np.stack(widths)[of_luck, of_exponent] * within
    rise = room * root**2
    all_levels = np.stack(levels)
    level = all_levels[of_luck, 0, of_exponent] - rise * all_levels[of_luck, 1, of_exponent]
    level = level + rng.standard_normal(N_DRAWS) * np.array(errors)[of_luck]
    rise = np.clip(rise, 0.0, np.maximum(0.0, ceiling - level))
    return Projection(curve.n_train[-1], level, rise, exponents[of_exponent])


def status_of(curve: Curve, projection: Projection, margin: float) -> CurveStatus:
    """Say what a projection is good for.

    falls: all training queries are significantly worse than some part of them, which the law cannot be.
    plateau: with 4 times the queries the 95 % interval of the growth stays below the margin. rise_not_shown: the
    measured rise from the smallest part is not significantly above 0, so nothing says how it goes on.
    """
    from scipy import stats

    df = ASSUMED_DF + curve.df_luck
    luck = (ASSUMED_DF * ASSUMED_LUCK**2 + curve.df_luck * curve.luck) / df
    n_points, n_queries = curve.values.shape
    rises = curve.values[-1] - curve.values[:-1]
    of_queries = rises.var(axis=1, ddof=1) / n_queries
    of_luck = luck / curve.n_seeds[-1] + luck / np.array(curve.n_seeds[:-1])
    error = np.sqrt(of_queries + of_luck)
    freedom = error**4 / (of_queries**2 / (n_queries - 1) + of_luck**2 / df)
    t = rises.mean(axis=1) / error
    if float(stats.t.cdf(t, freedom).min()) < 0.025 / (n_points - 1):
        return "falls"
    if interval_of(projection.growth(NEAR))[2] < margin:
        return "plateau"
    return "projected" if t[0] > stats.t.ppf(0.975, freedom[0]) else "rise_not_shown"
