"""How many more trainings would probably settle a comparison that training luck keeps open."""

from functools import lru_cache

import numpy as np

from rerank.stats.comparison import Comparison
from rerank.stats.more_queries import N_DRAWS, Predicted, Settled, error_of_parts, outlook_of

MOST_SEEDS = 10  # in all: what the form offers
PROBABILITY = 0.5  # a judged query takes a person's time and asks for .8; a training takes a device's


@lru_cache(maxsize=256)  # asked about by verdict and decision alike
def seeds_to_settle(
    comparison: Comparison, *, alpha: float, alpha_difference: float, settled: Settled = "any_verdict"
) -> int | None:
    """Return the smallest number of further seeds that answer a comparison as likely as not; only where luck hides it.

    The test queries stay the same, and so do the trainings that are there; the others are drawn from what those leave
    open: the variance over seeds scaled inverse chi-square, their mean normal. Both sides' luck counts as that of one
    side with the degrees of freedom of the sum. None when `MOST_SEEDS` in all would not do, when queries are the larger
    part of the error, and with a single seed, which says nothing about luck.

    settled, alpha_difference: as in `queries_to_settle`.
    """
    outlook, n_seeds = outlook_of(comparison), comparison.n_seeds
    if outlook is None or n_seeds is None or n_seeds < 2:
        return None
    n, delta, df = comparison.n_queries, outlook.delta, outlook.df_luck
    of_queries = outlook.sd**2 / n
    if outlook.luck <= of_queries:
        return None
    per_seed = outlook.luck * n_seeds  # variance of the difference from one training to the next
    rng = np.random.default_rng(0)
    true = per_seed * df / rng.chisquare(df, N_DRAWS)
    mean = delta + rng.standard_normal(N_DRAWS) * np.sqrt(true / n_seeds)
    noise = rng.standard_normal(N_DRAWS)
    for more in range(1, MOST_SEEDS - n_seeds + 1):
        total = n_seeds + more
        new = mean + noise * np.sqrt(true / more)
        together = (n_seeds * delta + more * new) / total
        spread = true * rng.chisquare(more - 1, N_DRAWS) if more > 1 else 0.0
        squares = (n_seeds - 1) * per_seed + spread + n_seeds * more / total * (new - delta) ** 2
        luck = squares / (total - 1) / total
        error, freedom = error_of_parts(of_queries, n - 1, luck, df * (total - 1) / (n_seeds - 1))
        found = Predicted(mean, together, error, freedom, comparison.margin)
        if found.answered(settled, alpha=alpha, alpha_difference=alpha_difference) >= PROBABILITY:
            return more
    return None
