"""Sensitivity tests, Welch's special case, reservations and refusals of a comparison."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison, NotComparable
from rerank.stats.family import adjust_family
from rerank.stats.reasons import COMPARISON_REASONS, NOT_COMPARABLE_REASONS

MARGIN = 0.02


def scores(
    values: object, strategy: str = "C", *, trained: bool = False, ids: tuple[str, ...] | None = None, lists: str = "L"
) -> Scores:
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    return Scores(strategy, ids or tuple(f"q{i}" for i in range(table.shape[1])), table, lists, trained)


def compared(reference: Scores, challenger: Scores, *, alpha: float = 0.05, margin: float = MARGIN) -> Comparison:
    return compare(reference, challenger, measure="nDCG@10", margin=margin, alpha=alpha, confirmatory=False, rng_seed=7)


def of_differences(differences: object, *, trained: bool = False) -> Comparison:
    """Compare two single-seed strategies whose differences are given."""
    gaps = np.asarray(differences, dtype=np.float64)
    return compared(scores(np.full(len(gaps), 0.5)), scores(gaps + 0.5, "D", trained=trained))


def differences_with(mean: float, sd: float, n: int) -> NDArray[np.float64]:
    """Return normal-looking differences whose sample mean and SD are exactly these."""
    shape = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * (shape - shape.mean()) / shape.std(ddof=1)


@pytest.fixture(scope="module")
def pair() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(3)
    reference = rng.uniform(0.1, 0.8, 40)
    return reference, reference + rng.normal(0.02, 0.1, 40)


def test_permutation_p_is_near_the_exact_one() -> None:
    gaps = np.round(np.random.default_rng(5).normal(0.03, 0.08, 15), 3)
    means = np.abs(np.array(list(product((-1.0, 1.0), repeat=15))) @ gaps)
    exact = float(np.mean(means >= abs(gaps.sum()) - 1e-12))
    found = of_differences(gaps).p_permutation
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))


def test_bca_interval_matches_a_hand_written_one() -> None:
    gaps = np.random.default_rng(11).exponential(0.1, 30) - 0.05
    rng = np.random.default_rng(0)
    means = rng.choice(gaps, size=(40_000, 30)).mean(axis=1)
    z0 = stats.norm.ppf(np.mean(means < gaps.mean()))
    left_out = (gaps.sum() - gaps) / 29
    away = left_out.mean() - left_out
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    z = z0 + stats.norm.ppf([0.025, 0.975])
    golden = np.quantile(means, stats.norm.cdf(z0 + z / (1 - acceleration * z)))
    found = of_differences(gaps)
    assert (found.bca_low, found.bca_high) == pytest.approx(tuple(golden), abs=0.004)
    # The exponential's long tail must show: BCa reaches further up than down, the t-interval does not.
    assert found.bca_high - found.delta > 1.1 * (found.delta - found.bca_low)  # type: ignore[operator]


def test_wilcoxon_leaves_zero_differences_out() -> None:
    gaps = np.concatenate([np.zeros(10), np.random.default_rng(2).normal(0.03, 0.08, 25)])
    moved, n = gaps[10:], 25
    w = stats.rankdata(np.abs(moved))[moved > 0].sum()
    z = (w - n * (n + 1) / 4) / np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    assert of_differences(gaps).p_wilcoxon == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_seeds_alone_give_welchs_test_over_seed_means() -> None:
    # Every query moves alike, so only training luck is left: two independent samples of seed means.
    queries = np.linspace(0.2, 0.7, 30)
    luck_reference, luck_challenger = np.array([0.0, 0.02, 0.01]), np.array([0.03, 0.05, 0.02, 0.06, 0.055])
    golden = stats.ttest_ind(luck_challenger, luck_reference, equal_var=False)
    found = compared(
        scores(queries + luck_reference[:, None], trained=True),
        scores(queries + luck_challenger[:, None], "D", trained=True),
    )
    assert found.p_seed_aware == pytest.approx(golden.pvalue, rel=1e-6)
    assert found.df == pytest.approx(golden.df, rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(golden.confidence_interval(0.95)), rel=1e-6)


def test_seed_aware_error_by_hand() -> None:
    # 16 queries, differences of seed means +.05 and -.01 alternating: mean .02, SD² = 16 * .03² / 15 = .00096.
    # Seed means of the challenger: mean + (-.01, 0, +.01): s² = .0001. SE² = .00096/16 + .0001/3 = 9.3333e-5.
    # df = SE⁴ / (6e-5² / 15 + 3.3333e-5² / 2) = 8.7111e-9 / (2.4e-10 + 5.5556e-10) = 10.950.
    gaps = np.array([0.05, -0.01] * 8)
    found = compared(
        scores(np.full(16, 0.4)), scores(0.4 + gaps + np.array([[-0.01], [0.0], [0.01]]), "C", trained=True)
    )
    assert found.delta == pytest.approx(0.02)
    assert found.sd_queries == pytest.approx(0.00096**0.5)
    assert found.se == pytest.approx(9.3333e-5**0.5, rel=1e-4)
    assert found.df == pytest.approx(10.950, rel=1e-3)
    t = 0.02 / 9.3333e-5**0.5
    assert found.p_seed_aware == pytest.approx(2 * stats.t.sf(t, 10.950), rel=1e-3)
    assert found.p_t == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)
    assert found.p_not_worse == pytest.approx(stats.t.sf(0.04 / 9.3333e-5**0.5, 10.950), rel=1e-3)


def test_an_untrained_side_has_no_luck_however_many_rows_it_has() -> None:
    gaps = differences_with(0.02, 0.1, 40)
    once = compared(scores(np.full(40, 0.5)), scores(0.5 + gaps, "C"))
    rows = np.full(40, 0.5) + np.array([[-0.1], [0.0], [0.1]])
    repeated = compared(scores(rows), scores(0.5 + gaps, "C"))
    assert repeated.se == pytest.approx(once.se)
    assert repeated.p_seed_aware is None


@pytest.mark.parametrize(
    ("delta", "sd", "n", "verdict", "negligible"),
    [
        (0.05, 0.10, 100, "better", False),
        (-0.05, 0.10, 100, "worse", False),
        (0.01, 0.03, 100, "better", True),
        (-0.01, 0.03, 100, "worse", True),
        (0.001, 0.05, 100, "equivalent", False),
        (0.015, 0.10, 100, "not_worse", False),
        (-0.002, 0.10, 50, "inconclusive", False),
    ],
)
def test_the_first_rule_that_holds_is_the_verdict(
    delta: float, sd: float, n: int, verdict: str, negligible: bool
) -> None:
    found = of_differences(differences_with(delta, sd, n))
    assert (found.verdict, found.negligible) == (verdict, negligible)
    assert (found.n_more_queries is not None) == (verdict == "inconclusive")


def test_alpha_of_the_plan_decides() -> None:
    gaps = differences_with(0.022, 0.1, 100)  # t = 2.2, p = .030
    reference, challenger = scores(np.full(100, 0.5)), scores(0.5 + gaps)
    assert compared(reference, challenger, alpha=0.05).verdict == "better"
    assert compared(reference, challenger, alpha=0.02).verdict == "not_worse"


def test_equal_scores_are_identical_without_a_p_value() -> None:
    values = np.linspace(0, 1, 20)
    found = compared(scores(values), scores(values[None, :] + np.zeros((3, 1)), trained=True))
    assert found.verdict == "identical"
    assert found.delta == 0
    assert (found.p_t, found.p_seed_aware, found.p_permutation, found.p_wilcoxon) == (None,) * 4
    assert found.reasons == ()


def test_the_last_bit_of_a_seed_mean_is_no_difference() -> None:
    values = np.full((3, 20), 0.1)  # the mean of three times 0.1 is not 0.1 in floating point
    assert compared(scores(np.full(20, 0.1)), scores(values, trained=True)).verdict == "identical"


def test_queries_are_paired_by_identifier_not_by_place(pair: tuple[NDArray[np.float64], ...]) -> None:
    reference, challenger = pair
    ids = tuple(f"q{i}" for i in range(40))
    straight = compared(scores(reference, ids=ids), scores(challenger, ids=ids))
    shuffled = compared(scores(reference, ids=ids), scores(challenger[::-1], ids=ids[::-1]))
    assert shuffled == straight


def _unfit() -> dict[str, tuple[Scores, Scores]]:
    good = np.linspace(0, 1, 20)
    holed = good.copy()
    holed[3] = np.nan
    return {
        "too_few_queries": (scores(good[:14]), scores(good[:14] + 0.1)),
        "missing_scores": (scores(good), scores(good[:19])),
        "different_candidates": (scores(good), scores(good, lists="other")),
        "non_finite_scores": (scores(good), scores(holed)),
    }


@pytest.mark.parametrize("reason", NOT_COMPARABLE_REASONS)
def test_what_cannot_be_compared_has_a_reason_and_no_numbers(reason: str) -> None:
    found = compared(*_unfit()[reason])
    assert (found.verdict, found.reasons) == ("not_comparable", (reason,))
    names = "delta ci_low ci90_high p_t p_seed_aware p_permutation p_wilcoxon p_adjusted p_tost bca_low se df".split()
    assert all(getattr(found, name) is None for name in names)


CASES = {
    "one query": (scores([0.5]), scores([0.6]), "too_few_queries"),
    "no query at all": (scores(np.zeros((1, 0))), scores(np.zeros((1, 0))), "too_few_queries"),
    "fourteen queries": (scores(np.zeros(14)), scores(np.ones(14)), "too_few_queries"),
    "no query in common": (
        scores(np.zeros(20)),
        scores(np.ones(20), ids=tuple(f"other{i}" for i in range(20))),
        "too_few_queries",
    ),
    "the challenger lacks a query": (scores(np.zeros(20)), scores(np.ones(19)), "missing_scores"),
    "the reference lacks a query": (scores(np.zeros(19)), scores(np.ones(20)), "missing_scores"),
    "as many queries, one of them another": (
        scores(np.zeros(20)),
        scores(np.ones(20), ids=(*(f"q{i}" for i in range(19)), "other")),
        "missing_scores",
    ),
    "no training": (scores(np.zeros(20)), scores(np.zeros((0, 20)), trained=True), "missing_scores"),
    "other candidates": (scores(np.zeros(20)), scores(np.ones(20), lists="other"), "different_candidates"),
    "NaN in the challenger": (scores(np.zeros(20)), scores([np.nan, *[0.5] * 19]), "non_finite_scores"),
    "NaN in the reference": (scores([np.nan, *[0.5] * 19]), scores(np.zeros(20)), "non_finite_scores"),
    "infinity": (scores(np.zeros(20)), scores([np.inf, *[0.5] * 19]), "non_finite_scores"),
    "NaN with one of three seeds": (
        scores(np.zeros(20)),
        scores([[0.1] * 20, [0.2] * 20, [np.nan, *[0.3] * 19]], trained=True),
        "non_finite_scores",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_not_comparable_is_a_type_of_its_own_with_its_reason(case: str) -> None:
    reference, challenger, reason = CASES[case]
    found = compared(reference, challenger)
    assert isinstance(found, NotComparable)
    assert found.reason == reason


def test_every_reason_for_not_comparable_has_a_case() -> None:
    assert {reason for _, _, reason in CASES.values()} == set(NOT_COMPARABLE_REASONS)


def test_what_was_compared_is_not_of_that_type() -> None:
    for gaps in (np.zeros(20), differences_with(0.0, 0.3, 20), np.full(20, 0.1)):
        assert not isinstance(of_differences(gaps), NotComparable)


@pytest.mark.parametrize(
    "change",
    [{"p_t": 1.0}, {"delta": 0.0}, {"verdict": "inconclusive"}, {"reasons": ()}, {"n_more_queries": 5}],
    ids=str,
)
def test_not_comparable_cannot_hold_a_number_or_another_verdict(change: dict[str, object]) -> None:
    found = compared(*CASES["one query"][:2])
    with pytest.raises(ValueError, match="not comparable"):
        dataclasses.replace(found, **change)  # type: ignore[arg-type]


def test_an_empty_family_is_empty_and_one_without_answers_stays_unanswered() -> None:
    assert adjust_family([], family_size=0, alpha=0.05) == []
    assert adjust_family([], family_size=2, alpha=0.05) == []
    unanswered = [compared(*CASES["one query"][:2]), of_differences(np.zeros(20))]
    found = adjust_family(
        [dataclasses.replace(item, confirmatory=True) for item in unanswered], family_size=2, alpha=0.05
    )
    assert [item.verdict for item in found] == ["not_comparable", "identical"]
    assert [item.p_adjusted for item in found] == [None, None]


def test_fifteen_queries_are_enough() -> None:
    assert of_differences(differences_with(0.02, 0.1, 15)).verdict != "not_comparable"


def test_no_seed_at_all_is_missing_scores() -> None:
    found = compared(scores(np.zeros(20)), scores(np.zeros((0, 20)), trained=True))
    assert found.reasons == ("missing_scores",)


def test_scores_that_do_not_fit_their_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="3 queries"):
        Scores("C", ("a", "b", "c"), np.zeros((1, 4)), "L", False)
    with pytest.raises(ValueError, match="repeated"):
        Scores("C", ("a", "a"), np.zeros((1, 2)), "L", False)


def test_one_seed_of_a_trained_side_leaves_luck_unknown() -> None:
    gaps = differences_with(0.05, 0.1, 40)
    assert "luck_unknown" in of_differences(gaps, trained=True).reasons
    assert "luck_unknown" not in of_differences(gaps, trained=False).reasons
    three = scores(0.5 + gaps + np.array([[-0.01], [0.0], [0.01]]), trained=True)
    assert "luck_unknown" not in compared(scores(np.full(40, 0.5)), three).reasons
    assert "luck_unknown" in compared(scores(np.full(40, 0.5), trained=True), three).reasons


def test_the_naive_t_disagrees_when_luck_is_large() -> None:
    gaps = differences_with(0.04, 0.1, 100)  # t = 4 without luck
    luck = np.array([[-0.06], [0.0], [0.06]])
    found = compared(scores(np.full(100, 0.5)), scores(0.5 + gaps + luck, trained=True))
    assert found.p_t < 0.001  # type: ignore[operator]
    assert found.verdict not in ("better", "worse")
    assert "naive_t_disagrees" in found.reasons


def test_the_permutation_test_disagrees_on_a_few_equal_gains() -> None:
    # Five of 16 queries gain .1: t = .03125 / .01197 = 2.61, p = .020; of 2⁵ sign patterns two are as large.
    found = of_differences([0.1] * 5 + [0.0] * 11)
    assert found.p_t == pytest.approx(0.0197, abs=2e-4)
    assert found.p_permutation == pytest.approx(2 / 32, abs=0.01)
    assert found.verdict == "better"
    assert "permutation_disagrees" in found.reasons


def test_wilcoxon_disagrees_when_one_query_undoes_many_small_gains() -> None:
    found = of_differences([*np.linspace(0.01, 0.03, 29), -0.6])
    assert found.p_t > 0.5  # type: ignore[operator]
    assert "wilcoxon_disagrees" in found.reasons


def test_bca_disagrees_when_the_differences_are_lopsided() -> None:
    found = of_differences([0.1] * 3 + [0.0] * 13)  # t-interval from -.002, bootstrap above 0
    assert found.ci_low < 0 < found.bca_low  # type: ignore[operator]
    assert "bca_disagrees" in found.reasons


def test_a_constant_gain_is_better_and_does_not_warn() -> None:
    found = of_differences(np.full(20, 0.125))
    assert (found.verdict, found.bca_low) == ("better", None)


def test_the_same_scores_give_the_same_comparison(pair: tuple[NDArray[np.float64], ...]) -> None:
    reference, challenger = pair
    assert compared(scores(reference), scores(challenger)) == compared(scores(reference), scores(challenger))


def test_every_reason_is_listed() -> None:
    rng = np.random.default_rng(0)
    seen: set[str] = set()
    for _ in range(12):
        gaps = rng.choice([0.0, 0.1, -0.3], size=20, p=[0.6, 0.3, 0.1]) + rng.normal(0, 0.01, 20)
        seen |= set(of_differences(gaps, trained=True).reasons)
    assert seen
    assert seen <= set(COMPARISON_REASONS)
