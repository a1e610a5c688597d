"""Other tests beside the deciding one: they never decide, a disagreement is said."""

import numpy as np
from numpy.typing import NDArray

N_PERMUTATIONS = 10_000
N_BOOTSTRAPS = 5_000
_CHUNK = 1_000


def permutation_p(differences: NDArray[np.float64], rng_seed: int) -> float:
    """Return the two-sided sign-flip permutation p-value; never 0 (the +1 rule, Phipson and Smyth 2010)."""
    rng = np.random.default_rng(rng_seed)
    observed = abs(float(differences.mean()))
    # Sums in another order differ in the last bit; an equal mean must count as equal.
    bar = observed - 1e-12
    n_as_large = 0
    for _ in range(N_PERMUTATIONS // _CHUNK):
        signs = rng.integers(0, 2, size=(_CHUNK, len(differences)), dtype=np.int8) * 2.0 - 1.0
        n_as_large += int((np.abs(signs @ differences) / len(differences) >= bar).sum())
    return (n_as_large + 1) / (N_PERMUTATIONS + 1)


def bca_interval(differences: NDArray[np.float64], rng_seed: int) -> tuple[float, float] | None:
    """Return the 95 % BCa bootstrap interval of the mean; None when the differences do not vary."""
    from scipy import stats

    if float(differences.std()) < 1e-12:
        return None
    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=N_BOOTSTRAPS,
        batch=_CHUNK,
        confidence_level=0.95,
        method="BCa",
        rng=np.random.default_rng(rng_seed),
    ).confidence_interval
    if not (np.isfinite(found.low) and np.isfinite(found.high)):
        return None
    return float(found.low), float(found.high)


def wilcoxon_p(differences: NDArray[np.float64]) -> float:
    """Return the Wilcoxon signed-rank p-value, zero differences left out, by its normal approximation."""
    from scipy import stats

    moved = differences[np.abs(differences) > 1e-12]
    return float(stats.wilcoxon(moved, method="approx").pvalue)
