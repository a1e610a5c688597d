"""How many more queries would probably settle a comparison that is open."""

from typing import Literal

import numpy as np

from rerank.stats.comparison import Comparison

MAX_FACTOR = 20
PROBABILITY = 0.8
N_DRAWS = 4_000

Settled = Literal["any_verdict", "gain"]


def queries_to_settle(
    comparison: Comparison, *, alpha: float, alpha_difference: float, settled: Settled = "any_verdict"
) -> int | None:
    """Return the smallest number of further queries with a predictive probability of .8 of an answer.

    settled: any verdict other than inconclusive, or a gain (significantly above 0) alone. alpha_difference:
    what a difference's p-value must stay below. None when more than 20 times the sample would be needed.

    The true mean and variance are drawn from what the observed differences leave open (scaled inverse
    chi-square and normal: together a t), further queries are drawn from each, the models are trained anew,
    and the tests are repeated on observed and further queries together. Training luck does not shrink with
    queries. Deterministic: the draws have a fixed seed and are shared by all sizes.
    """
    from scipy import stats

    n, delta, sd = comparison.n_queries, comparison.delta, comparison.sd_queries
    se, df = comparison.se, comparison.df
    if delta is None or sd is None or se is None or df is None:
        return None
    luck = max(0.0, se**2 - sd**2 / n)
    below = se**4 / df - (sd**2 / n) ** 2 / (n - 1)
    df_luck = luck**2 / below if luck > 0 and below > 0 else np.inf
    rng = np.random.default_rng(0)
    variance = (n - 1) * sd**2 / rng.chisquare(n - 1, N_DRAWS)
    mean = delta + rng.standard_normal(N_DRAWS) * np.sqrt(variance / n)
    noise = rng.standard_normal(N_DRAWS)
    uniform = rng.random(N_DRAWS)
    # The observed mean holds one draw of luck and the next training brings another one.
    shift = rng.standard_normal(N_DRAWS) * np.sqrt(2 * luck)

    def probability(total: int) -> float:
        more = total - n
        new_mean = mean + noise * np.sqrt(variance / more)
        spread = 0.0 if more < 2 else variance * stats.chi2.ppf(uniform, more - 1)
        together = (n * delta + more * new_mean) / total + shift
        squares = (n - 1) * sd**2 + spread + n * more / total * (delta - new_mean) ** 2
        of_queries = squares / (total - 1) / total
        error = np.sqrt(of_queries + luck)
        freedom = error**4 / (of_queries**2 / (total - 1) + (luck**2 / df_luck if luck > 0 else 0.0))
        p_difference = 2 * stats.t.sf(np.abs(together) / error, freedom)
        if settled == "gain":
            return float(np.mean((p_difference < alpha_difference) & (together > 0)))
        # TOST needs no test of its own here: whatever is equivalent is also not worse, which is enough.
        p_above = stats.t.sf((together + comparison.margin) / error, freedom)
        return float(np.mean((p_difference < alpha_difference) | (p_above < alpha)))

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
