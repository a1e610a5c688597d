"""Golden values come from scipy, statsmodels, or from the formula worked out by hand."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison


def scores(name: str, values: object, *, trained: bool = False, digest: str = "c", ids: tuple[str, ...] = ()) -> Scores:
    table = np.atleast_2d(np.asarray(values, dtype=float))
    return Scores(name, ids or tuple(f"q{i}" for i in range(table.shape[1])), table, digest, trained)


def run(reference: Scores, challenger: Scores, **changes: object) -> Comparison:
    settings: dict[str, object] = {"measure": "nDCG@10", "margin": 0.02, "alpha": 0.05, "confirmatory": False}
    settings |= {"rng_seed": 1} | changes
    return compare(reference, challenger, **settings)  # type: ignore[arg-type]


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    reference = rng.beta(2, 2, 60)
    return reference, np.clip(reference + rng.normal(0.03, 0.1, 60), 0, 1)


def test_one_seed_is_the_paired_t_test(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = run(scores("first-stage", pair[0]), scores("C", pair[1], trained=True))
    golden = stats.ttest_rel(pair[1], pair[0])
    interval = golden.confidence_interval(0.95)
    assert found.p_t == pytest.approx(golden.pvalue, rel=1e-9)
    assert found.p_seed_aware is None
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert "luck_unknown" in found.reasons


def test_tost_agrees_with_statsmodels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = run(scores("a", pair[0]), scores("b", pair[1]), margin=0.05)
    p, lower, _ = ttost_paired(pair[1], pair[0], -0.05, 0.05)
    assert found.p_tost == pytest.approx(p, rel=1e-9)
    assert found.p_not_worse == pytest.approx(lower[1], rel=1e-9)


def test_untrained_sides_carry_no_luck(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert "luck_unknown" not in run(scores("a", pair[0]), scores("b", pair[1])).reasons


def test_several_seeds_use_the_seed_aware_error() -> None:
    # By hand: means over seeds per query give SD and n; s² is the variance of the three seed means.
    rng = np.random.default_rng(3)
    first = rng.random((1, 30))
    trained = first + 0.05 + rng.normal(0, 0.05, (3, 30)) + np.array([[-0.03], [0.0], [0.03]])
    found = run(scores("first-stage", first), scores("C", trained, trained=True))
    d = trained.mean(axis=0) - first[0]
    v_query = d.var(ddof=1) / 30
    v_seed = trained.mean(axis=1).var(ddof=1) / 3
    se = np.sqrt(v_query + v_seed)
    df = (v_query + v_seed) ** 2 / (v_query**2 / 29 + v_seed**2 / 2)
    assert found.se == pytest.approx(se, rel=1e-12)
    assert found.df == pytest.approx(df, rel=1e-12)
    assert found.p_seed_aware == pytest.approx(2 * stats.t.sf(abs(d.mean()) / se, df), rel=1e-9)
    assert found.p_t == pytest.approx(stats.ttest_1samp(d, 0).pvalue, rel=1e-9)
    assert found.p_t < found.p_seed_aware
    assert "luck_unknown" not in found.reasons


def test_the_seed_aware_test_keeps_its_error_rate_where_the_naive_one_does_not() -> None:
    rng = np.random.default_rng(11)
    naive = aware = 0
    for _ in range(200):
        truth = rng.normal(0, 0.09, 60)
        luck = rng.normal(0, 0.015, (3, 1))
        challenger = truth + luck + rng.normal(0, 0.05, (3, 60))
        error = run(scores("a", np.zeros((1, 60))), scores("b", challenger, trained=True), verdict_only=True)
        naive += error.p_t < 0.05
        aware += error.p_seed_aware < 0.05
    assert aware <= 20  # 5 % of 200 and two standard deviations
    assert naive > aware


def test_permutation_p_is_never_zero_and_near_the_t_test(pair: tuple[np.ndarray, np.ndarray]) -> None:
    far = run(scores("a", np.zeros(40)), scores("b", 0.5 + np.linspace(0, 0.1, 40)))
    assert far.p_permutation == pytest.approx(1 / 10001)
    near = run(scores("a", pair[0]), scores("b", pair[1]))
    assert near.p_permutation == pytest.approx(near.p_t, abs=0.02)


def test_bca_agrees_with_scipy_of_another_seed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = run(scores("a", pair[0]), scores("b", pair[1]))
    golden = stats.bootstrap((pair[1] - pair[0],), np.mean, method="BCa", rng=np.random.default_rng(99))
    assert found.bca_low == pytest.approx(golden.confidence_interval.low, abs=0.004)
    assert found.bca_high == pytest.approx(golden.confidence_interval.high, abs=0.004)


@pytest.mark.parametrize(
    ("shift", "sd", "margin", "verdict"),
    [
        (0.10, 0.05, 0.02, "better"),
        (-0.10, 0.05, 0.02, "worse"),
        (0.0, 0.01, 0.02, "equivalent"),
        (0.018, 0.08, 0.02, "not_worse"),
        (0.0, 0.3, 0.02, "inconclusive"),
    ],
)
def test_each_verdict_has_its_case(shift: float, sd: float, margin: float, verdict: str) -> None:
    noise = np.random.default_rng(8).normal(0, 1, 60)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * sd  # mean and SD exactly as named
    found = run(scores("a", np.zeros(60)), scores("b", shift + noise), margin=margin)
    assert found.verdict == verdict


def test_a_real_but_small_difference_is_negligible() -> None:
    noise = np.tile([0.001, -0.001], 50)
    found = run(scores("a", np.zeros(100)), scores("b", 0.005 + noise))
    assert (found.verdict, found.negligible) == ("better", True)


def test_no_difference_anywhere_is_identical_and_has_no_p_value() -> None:
    found = run(scores("C", np.full((2, 20), 0.4), trained=True), scores("D", np.full((2, 20), 0.4), trained=True))
    assert found.verdict == "identical"
    assert found.p_t is found.p_seed_aware is found.p_permutation is None
    assert (found.delta, found.ci_low, found.ci_high) == (0, 0, 0)


def test_the_same_shift_for_every_query_is_certain() -> None:
    found = run(scores("a", np.zeros(20)), scores("b", np.full(20, 0.1)))
    assert found.verdict == "better"
    assert found.p_t == pytest.approx(0, abs=1e-100)


@pytest.mark.parametrize(
    ("reference", "challenger", "reason"),
    [
        (scores("a", np.zeros(14)), scores("b", np.ones(14)), "too_few_queries"),
        (scores("a", np.zeros(20)), scores("b", np.ones(20), digest="other"), "different_candidates"),
        (scores("a", np.zeros(20)), scores("b", [np.nan] * 20), "non_finite_scores"),
        (scores("a", np.zeros(20)), scores("b", np.ones(16)), "missing_scores"),
    ],
)
def test_what_cannot_be_compared_says_why_and_has_no_numbers(
    reference: Scores, challenger: Scores, reason: str
) -> None:
    found = run(reference, challenger)
    assert (found.verdict, found.reasons) == ("not_comparable", (reason,))
    assert found.delta is found.p_t is found.ci_low is found.p_tost is None


def test_queries_are_paired_by_id_and_not_by_place() -> None:
    values = np.linspace(0, 1, 20)
    ids = tuple(f"q{i}" for i in range(20))
    found = run(scores("a", values, ids=ids), scores("b", values[::-1], ids=ids[::-1]))
    assert found.verdict == "identical"


def test_an_inconclusive_result_names_further_queries_or_says_that_it_is_not_realistic() -> None:
    noise = np.random.default_rng(2).normal(0, 1, 30)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    realistic = run(scores("a", np.zeros(30)), scores("b", 0.04 + 0.2 * noise))
    assert realistic.verdict == "inconclusive"
    assert 30 < (realistic.n_more_queries or 0) <= 19 * 30
    hopeless = run(scores("a", np.zeros(30)), scores("b", -0.02 + 0.6 * noise), margin=0.002)
    assert hopeless.n_more_queries is None or hopeless.n_more_queries > 0
    assert (hopeless.n_more_queries is None) == ("not_realistic" in hopeless.reasons)


def test_further_queries_do_settle_it_in_a_simulation() -> None:
    """The promise is kept: with that many more queries another verdict comes in about 80 % of worlds."""
    rng = np.random.default_rng(4)
    n, sd = 40, 0.15
    noise = rng.normal(0, 1, n)
    observed = 0.012 + (noise - noise.mean()) / noise.std(ddof=1) * sd
    found = run(scores("a", np.zeros(n)), scores("b", observed))
    assert found.n_more_queries is not None
    settled = 0
    for _ in range(300):
        variance = (n - 1) * sd**2 / rng.chisquare(n - 1)
        mean = rng.normal(0.012, np.sqrt(variance / n))
        whole = np.concatenate([observed, rng.normal(mean, np.sqrt(variance), found.n_more_queries)])
        t = stats.ttest_1samp(whole, 0).pvalue < 0.05
        above = stats.ttest_1samp(whole, -0.02, alternative="greater").pvalue < 0.05
        settled += t or above
    assert settled / 300 == pytest.approx(0.8, abs=0.08)
