"""The deciding test against a mixed model with crossed random effects and against a hierarchical bootstrap."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from rerank.stats.deciding import Error, error_of, two_sided


def simulated(
    n_queries: int, n_seeds: int, rng: np.random.Generator, *, delta: float = 0.03, luck: float = 0.03
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An untrained reference and a challenger of several seeds: query SD .09, seed by query .05, seed `luck`."""
    reference = rng.uniform(0.2, 0.8, n_queries)
    challenger = (
        reference
        + delta
        + rng.normal(0, 0.09, n_queries)
        + rng.normal(0, luck, (n_seeds, 1))
        + rng.normal(0, 0.05, (n_seeds, n_queries))
    )
    return reference, challenger


def decided(reference: NDArray[np.float64], challenger: NDArray[np.float64]) -> tuple[float, Error]:
    differences = challenger.mean(axis=0) - reference
    return float(differences.mean()), error_of(differences, [challenger])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_agrees_with_a_mixed_model_whose_queries_and_seeds_are_crossed(seed: int) -> None:
    """REML of a balanced crossed design: SE² = σ²_query/n + σ²_seed/S + σ²_e/(nS); ours holds σ²_e/(nS) once more.

    Both of our parts, SD²/n and s²/S, hold the seed-by-query noise; that is why the interval is a little too wide.
    """
    n, n_seeds = 25, 4
    reference, challenger = simulated(n, n_seeds, np.random.default_rng(seed))
    delta, error = decided(reference, challenger)
    table = pd.DataFrame(
        {
            "difference": (challenger - reference).ravel(),
            "query": np.tile(np.arange(n), n_seeds),
            "seed": np.repeat(np.arange(n_seeds), n),
            "all": 1,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM.from_formula(
            "difference ~ 1",
            table,
            groups="all",
            re_formula="0",
            vc_formula={"query": "0 + C(query)", "seed": "0 + C(seed)"},
        ).fit(reml=True)
    twice = model.scale / (n * n_seeds)
    assert delta == pytest.approx(float(model.fe_params["Intercept"]), abs=1e-9)
    assert error.se**2 == pytest.approx(float(model.bse_fe["Intercept"]) ** 2 + twice, rel=0.01)
    assert 1.0 < error.se / float(model.bse_fe["Intercept"]) < 1.1


def test_it_agrees_with_a_bootstrap_of_queries_and_seeds() -> None:
    """Both are resampled with replacement, 3,000 times; S - 1 of S corrects what few seeds lose when resampled."""
    n, n_seeds = 80, 8
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        reference, challenger = simulated(n, n_seeds, rng)
        _, error = decided(reference, challenger)
        table = challenger - reference
        queries = rng.integers(0, n, (3000, n))
        seeds = rng.integers(0, n_seeds, (3000, n_seeds))
        means = np.array([table[np.ix_(rows, columns)].mean() for rows, columns in zip(seeds, queries, strict=True)])
        seed_part = error.variance_seeds * (n_seeds - 1) / n_seeds
        ratios.append(means.std(ddof=1) / np.sqrt(error.variance_queries + seed_part))
    assert ratios == pytest.approx([1.0] * 4, abs=0.1)
    assert float(np.mean(ratios)) == pytest.approx(1.0, abs=0.05)


def test_its_type_one_error_is_that_of_the_mixed_model_not_of_queries_alone() -> None:
    """No true difference, 60 queries, 4 seeds, seed SD .015; 1,500 experiments, three standard errors are .017."""
    rng = np.random.default_rng(7)
    aware = alone = 0
    for _ in range(1500):
        reference, challenger = simulated(60, 4, rng, delta=0.0, luck=0.015)
        delta, error = decided(reference, challenger)
        aware += two_sided(delta, error.se, error.df) < 0.05
        alone += stats.ttest_1samp(challenger.mean(axis=0) - reference, 0).pvalue < 0.05
    assert 0.01 < aware / 1500 < 0.067
    assert alone / 1500 > 0.08
