"""The predictive number of further queries, against a simulation of every single query."""

import numpy as np
import pytest
from scipy import stats

from rerank.stats.comparison import Comparison
from rerank.stats.more_queries import FEW_DF, MAX_FACTOR, Settled, chi_square, queries_to_settle, significant

MARGIN = 0.02


def observed(delta: float, sd: float, n: int, luck: float = 0.0, df_luck: float = 2.0) -> Comparison:
    """Return what a comparison leaves behind: luck is the variance of the difference that comes from seeds."""
    of_queries = sd**2 / n
    se2 = of_queries + luck
    df = se2**2 / (of_queries**2 / (n - 1) + luck**2 / df_luck)
    nothing = dict.fromkeys(
        "ci_low ci_high ci90_low ci90_high p_t p_seed_aware p_permutation p_wilcoxon p_adjusted p_tost p_not_worse "
        "bca_low bca_high n_more_queries".split()
    )
    return Comparison(
        reference="first-stage",
        challenger="C",
        measure="nDCG@10",
        confirmatory=True,
        margin=MARGIN,
        n_queries=n,
        delta=delta,
        sd_queries=sd,
        se=se2**0.5,
        df=df,
        verdict="inconclusive",
        negligible=False,
        reasons=(),
        **nothing,  # type: ignore[arg-type]
    )


def more(item: Comparison, settled: Settled = "any_verdict") -> int | None:
    return queries_to_settle(item, alpha=0.05, alpha_difference=0.05, settled=settled)


def simulated(delta: float, sd: float, n: int, n_more: int, settled: Settled) -> float:
    """Draw every further query of 4,000 possible worlds and test observed and further ones together."""
    rng = np.random.default_rng(99)
    shape = stats.norm.ppf((np.arange(n) + 0.5) / n)
    seen = delta + sd * (shape - shape.mean()) / shape.std(ddof=1)
    variance = (n - 1) * sd**2 / rng.chisquare(n - 1, 4000)
    mean = rng.normal(delta, np.sqrt(variance / n))
    further = rng.normal(mean[:, None], np.sqrt(variance)[:, None], (4000, n_more))
    together = np.hstack([np.tile(seen, (4000, 1)), further])
    differs = stats.ttest_1samp(together, 0, axis=1).pvalue < 0.05
    if settled == "gain":
        return float(np.mean(differs & (together.mean(axis=1) > 0)))
    not_worse = stats.ttest_1samp(together, -MARGIN, axis=1, alternative="greater").pvalue < 0.05
    return float(np.mean(differs | not_worse))


@pytest.mark.parametrize(
    ("delta", "sd", "n", "settled"),
    [(0.0, 0.1, 30, "any_verdict"), (-0.03, 0.1, 25, "any_verdict"), (0.04, 0.12, 25, "gain")],
)
def test_the_number_reaches_the_probability_and_not_much_sooner(
    delta: float, sd: float, n: int, settled: Settled
) -> None:
    found = more(observed(delta, sd, n), settled)
    assert found is not None
    assert simulated(delta, sd, n, found, settled) == pytest.approx(0.8, abs=0.03)
    assert simulated(delta, sd, n, max(1, found // 2), settled) < 0.8


def test_it_never_asks_for_more_than_twenty_times_the_sample() -> None:
    found = [more(observed(delta, 0.1, 20)) for delta in np.linspace(-0.04, 0.02, 13)]
    assert all(number is None or number <= (MAX_FACTOR - 1) * 20 for number in found)
    assert any(number is not None for number in found)


def test_training_luck_that_queries_cannot_shrink_makes_it_unrealistic() -> None:
    assert more(observed(0.0, 0.1, 30)) is not None
    assert more(observed(0.0, 0.1, 30, luck=0.03**2)) is None


def test_luck_asks_for_more_queries() -> None:
    without, with_luck = more(observed(0.0, 0.1, 30)), more(observed(0.0, 0.1, 30, luck=0.003**2, df_luck=8))
    assert without is not None
    assert with_luck is not None
    assert with_luck > without


def test_a_gain_asks_for_more_than_any_verdict() -> None:
    item = observed(0.025, 0.1, 30)
    gain, anything = more(item, "gain"), more(item)
    assert anything is not None
    assert gain is None or gain > anything


def test_a_loss_will_hardly_become_a_gain() -> None:
    assert more(observed(-0.02, 0.1, 30), "gain") is None


def test_the_same_observation_gives_the_same_number() -> None:
    assert more(observed(0.0, 0.1, 30)) == more(observed(0.0, 0.1, 30))


def test_a_stricter_level_asks_for_more_queries() -> None:
    item = observed(0.045, 0.12, 25)
    strict = queries_to_settle(item, alpha=0.05, alpha_difference=0.025, settled="gain")
    loose = queries_to_settle(item, alpha=0.05, alpha_difference=0.05, settled="gain")
    assert strict is not None
    assert loose is not None
    assert strict > loose


@pytest.mark.parametrize("df", [1, 7, FEW_DF - 1, FEW_DF, 200, 5000])
def test_chi_square_quantiles_are_those_of_scipy(df: int) -> None:
    uniform = np.linspace(0.005, 0.995, 199)
    accuracy = 1e-9 if df < FEW_DF else 2e-3
    assert chi_square(uniform, df) == pytest.approx(stats.chi2.ppf(uniform, df), rel=accuracy)


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.05 / 3, 1e-4])
@pytest.mark.parametrize("least", [1.0, 2.5, 19.0])
def test_draws_are_significant_where_the_tail_of_students_t_says_so(alpha: float, least: float) -> None:
    rng = np.random.default_rng(4)
    freedom = np.append(least + rng.exponential(8, 500), [least, least, 1e4])
    t = stats.t.isf(alpha, freedom) * rng.uniform(0.5, 1.5, len(freedom)) + rng.choice([0, 0.3, -0.3], len(freedom))
    found = significant(t, freedom, alpha)
    assert 0 < found.sum() < len(t)
    assert found.tolist() == (stats.t.sf(t, freedom) < alpha).tolist()


def test_draws_of_equal_freedom_are_split_at_the_critical_value() -> None:
    critical = stats.t.isf(0.025, 24)
    t = np.array([critical * 0.999_999, critical * 1.000_001])
    assert significant(t, np.full(2, 24.0), 0.025).tolist() == [False, True]
