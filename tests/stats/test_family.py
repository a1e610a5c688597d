"""Holm over the locked questions, answered or not."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison
from rerank.stats.family import adjust_family

N = 60
SHAPE = stats.norm.ppf((np.arange(N) + 0.5) / N)
SHAPE = SHAPE / SHAPE.std(ddof=1)


def with_p(p: float, *, confirmatory: bool = True, n: int = N, margin: float = 0.02) -> Comparison:
    """Return a comparison of strategies whose t-test has this p-value (SD .1, gain above 0)."""
    gaps = stats.t.isf(p / 2, N - 1) * 0.1 / N**0.5 + 0.1 * SHAPE
    ids = tuple(str(i) for i in range(n))
    zero, gain = np.zeros((1, n)), gaps[None, :n]
    return compare(
        Scores("C", ids, zero, "L", False),
        Scores("D", ids, gain, "L", False),
        measure="nDCG@10",
        margin=margin,
        alpha=0.05,
        confirmatory=confirmatory,
        rng_seed=1,
    )


@pytest.mark.parametrize("ps", [(0.01, 0.04), (0.04, 0.01), (0.03, 0.03), (0.012, 0.6, 0.02, 0.011)])
def test_adjusted_p_is_holms_of_statsmodels(ps: tuple[float, ...]) -> None:
    golden = multipletests(ps, method="holm")[1]
    found = adjust_family([with_p(p) for p in ps], family_size=len(ps), alpha=0.05)
    assert [item.p_adjusted for item in found] == pytest.approx(list(golden))


def test_a_significant_difference_is_not_better_before_it_survives_the_family() -> None:
    alone = with_p(0.03)
    assert alone.verdict == "better"
    (found,) = adjust_family([alone], family_size=2, alpha=0.05)
    assert found.p_adjusted == pytest.approx(0.06)
    assert found.verdict == "not_worse"
    assert found.p_t == alone.p_t


def test_an_open_question_after_adjustment_says_how_many_queries() -> None:
    (found,) = adjust_family([with_p(0.03, margin=1e-4)], family_size=2, alpha=0.05)
    # With a margin near 0, "not worse" is the one-sided test (p = .015): only a difference can be open.
    assert found.verdict == "not_worse"
    worse = adjust_family([dataclasses.replace(found, p_not_worse=0.2, p_tost=0.9)], family_size=2, alpha=0.05)[0]
    assert worse.verdict == "inconclusive"
    assert worse.n_more_queries is not None


@pytest.mark.parametrize("kind", ["missing", "not_comparable", "identical"])
def test_an_unanswered_question_costs_the_others_the_whole_factor(kind: str) -> None:
    answered, other = with_p(0.02), with_p(0.5)
    unanswered = {
        "missing": [],
        "not_comparable": [with_p(0.001, n=10)],
        "identical": [
            dataclasses.replace(other, verdict="identical", delta=0.0, p_t=None, p_permutation=None, p_wilcoxon=None)
        ],
    }[kind]
    found = adjust_family([answered, *unanswered], family_size=2, alpha=0.05)
    assert found[0].p_adjusted == pytest.approx(0.04)
    # What it would have been had the other question been answered as badly as possible: never smaller.
    best, worst = (with_p(p) for p in (0.001, 0.9))
    for answer in (best, worst):
        assert adjust_family([answered, answer], family_size=2, alpha=0.05)[0].p_adjusted <= found[0].p_adjusted + 1e-12  # type: ignore[operator]
    assert found[1:] == unanswered


def test_exploratory_comparisons_pass_unchanged_and_cost_nothing() -> None:
    exploratory = with_p(0.001, confirmatory=False)
    found = adjust_family([exploratory, with_p(0.03)], family_size=1, alpha=0.05)
    assert found[0] == exploratory
    assert found[0].p_adjusted is None
    assert found[1].p_adjusted == pytest.approx(0.03)


def test_more_questions_than_planned_are_all_counted() -> None:
    found = adjust_family([with_p(0.03), with_p(0.9)], family_size=1, alpha=0.05)
    assert found[0].p_adjusted == pytest.approx(0.06)


def test_the_adjusted_p_decides_with_several_seeds_too() -> None:
    ids = tuple(str(i) for i in range(N))
    gaps = 0.03 + 0.1 * SHAPE + np.array([[-0.01], [0.0], [0.01]])
    one = compare(
        Scores("first-stage", ids, np.zeros((1, N)), "L", False),
        Scores("C", ids, gaps, "L", True),
        measure="nDCG@10",
        margin=0.02,
        alpha=0.05,
        confirmatory=True,
        rng_seed=1,
    )
    (found,) = adjust_family([one], family_size=2, alpha=0.05)
    assert found.p_adjusted == pytest.approx(2 * one.p_seed_aware)  # type: ignore[operator]


def test_a_verdict_follows_the_adjusted_p_value() -> None:
    first, second = adjust_family([with_p(0.001), with_p(0.04)], family_size=2, alpha=0.05)
    assert (first.p_adjusted, second.p_adjusted) == pytest.approx((0.002, 0.04))
    assert (first.verdict, second.verdict) == ("better", "better")
    first, second = adjust_family([with_p(0.026), with_p(0.04)], family_size=2, alpha=0.05)
    assert "better" not in (first.verdict, second.verdict)  # Holm stops at the first: .052


def test_leaving_a_question_out_never_makes_another_one_significant() -> None:
    for p in (0.001, 0.02, 0.03, 0.2):
        whole = adjust_family([with_p(0.026), with_p(p)], family_size=2, alpha=0.05)[0]
        part = adjust_family([with_p(0.026)], family_size=2, alpha=0.05)[0]
        assert part.p_adjusted >= whole.p_adjusted - 1e-12  # type: ignore[operator]
        assert not (part.verdict == "better" and whole.verdict != "better")


def test_what_is_not_comparable_stays_so_and_counts() -> None:
    few = with_p(0.001, n=10)
    answered, unanswered = adjust_family([with_p(0.03), few], family_size=2, alpha=0.05)
    assert unanswered == few
    assert unanswered.verdict == "not_comparable"
    assert answered.p_adjusted == pytest.approx(0.06)
