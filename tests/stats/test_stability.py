"""The locked questions under other choices: rules, segments, seeds."""

import numpy as np
import pytest
from scipy import stats

from rerank.stats.compare import Scores, compare
from rerank.stats.family import adjust_family
from rerank.stats.stability import (
    MOST_SEGMENTS,
    Perturbation,
    Rules,
    answers,
    other_rules,
    outcomes,
    restricted,
    segments_left_out,
    single_seeds,
)

RULES = Rules("nDCG@10", margin=0.02, alpha=0.05, family_size=2)
IDS = tuple(f"q{number}" for number in range(60))


def scores(values: object, name: str, *, trained: bool = True) -> Scores:
    table = np.atleast_2d(np.asarray(values, dtype=float))
    return Scores(name, IDS[: table.shape[1]], table, "c", trained)


def differing(mean: float, sd: float) -> tuple[Scores, Scores]:
    """A question whose differences have exactly this mean and SD."""
    shape = stats.norm.ppf((np.arange(60) + 0.5) / 60)
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    return scores(np.full(60, 0.4), "first-stage", trained=False), scores(0.4 + mean + sd * shape, "C")


@pytest.mark.parametrize("seed", range(20))
def test_a_verdict_alone_is_that_of_the_whole_comparison(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = scores(rng.random(60), "first-stage", trained=False)
    one = scores(first.values + rng.normal(0.02, 0.1, (3, 60)), "C")
    two = scores(one.values + rng.normal(0.01, 0.05 * (seed % 3), (3, 60)), "C-then-D")
    questions = [(first, one), (one, two)]
    whole = [
        compare(*question, measure="m", margin=0.02, alpha=0.05, confirmatory=True, rng_seed=1)
        for question in questions
    ]
    golden = adjust_family(whole, family_size=2, alpha=0.05)
    found = answers(questions, RULES)
    assert [(item.verdict, item.negligible, item.p_adjusted, item.ci_low) for item in found] == [
        (item.verdict, item.negligible, item.p_adjusted, item.ci_low) for item in golden
    ]
    assert all(item.p_permutation is item.bca_low is item.n_more_queries is None for item in found)


def test_a_verdict_that_hangs_on_the_rules_does_not_survive_them() -> None:
    # Golden: p by scipy is between .005 and .025, so Holm's 2p is below .05 and above .01.
    question = differing(0.03, 0.09)
    p = stats.ttest_rel(question[1].values[0], question[0].values[0]).pvalue
    assert 0.005 < p < 0.025
    main = answers([question], RULES)
    assert main[0].verdict == "better"
    (found,) = outcomes(main, other_rules([question], RULES))
    assert [(item.perturbation.kind, item.perturbation.setting, item.survives) for item in found] == [
        ("alpha", "0.01", False),
        ("alpha", "0.1", True),
        ("margin", "0.01", True),
        ("margin", "0.03", True),
    ]


def test_a_wider_margin_can_turn_open_into_not_worse() -> None:
    question = differing(0.0, 0.13)
    main = answers([question], RULES)
    assert main[0].verdict == "inconclusive"
    (found,) = outcomes(main, other_rules([question], RULES))
    assert {
        item.perturbation.setting: item.comparison.verdict for item in found if item.perturbation.kind == "margin"
    } == {
        "0.01": "inconclusive",
        "0.03": "equivalent",
    }


@pytest.mark.parametrize(
    ("alpha", "margin", "steps"),
    [
        (0.05, 0.02, ["0.01", "0.1", "0.01", "0.03"]),
        (0.03, 0.025, ["0.01", "0.05", "0.02", "0.03"]),
        (0.001, 0.005, ["0.005", "0.01"]),
        (0.2, 0.1, ["0.1", "0.05"]),
    ],
)
def test_one_step_is_the_next_customary_value(alpha: float, margin: float, steps: list[str]) -> None:
    found = other_rules([differing(0, 0.1)], Rules("m", margin, alpha, 1))
    assert [item.setting for item in found] == steps


def test_a_segment_leaves_with_its_queries_and_only_named_ones_leave() -> None:
    segments = dict.fromkeys(IDS[:20], "a") | dict.fromkeys(IDS[20:50], "b")
    found = segments_left_out([differing(0.1, 0.1)], RULES, segments)
    assert [item.setting for item in found] == ["b", "a"]  # the larger one first
    kept = found[0].questions[0][1].query_ids
    assert kept == IDS[:20] + IDS[50:]
    assert segments_left_out([differing(0.1, 0.1)], RULES, dict.fromkeys(IDS, "a")) == []
    many = segments_left_out([differing(0.1, 0.1)], RULES, {query: query for query in IDS})
    assert len(many) == MOST_SEGMENTS


def test_restricted_scores_keep_their_queries_values() -> None:
    ((reference, challenger),) = restricted([(scores(np.arange(60), "a"), scores(np.ones(60), "b"))], {"q7", "q3"})
    assert reference.query_ids == challenger.query_ids == ("q3", "q7")
    assert reference.values.tolist() == [[3.0, 7.0]]


def test_a_seed_alone_is_the_paired_t_test_of_that_seed() -> None:
    rng = np.random.default_rng(3)
    first = scores(rng.random(60), "first-stage", trained=False)
    one = scores(first.values + rng.normal(0.05, 0.1, (2, 60)), "C")
    found = single_seeds([(first, one)], RULES, [4, 9])
    assert [item.setting for item in found] == ["4", "9"]
    for row, item in enumerate(found):
        (comparison,) = answers(item.questions, RULES)
        golden = stats.ttest_rel(one.values[row], first.values[0])
        assert comparison.p_t == pytest.approx(golden.pvalue)
        assert comparison.p_seed_aware is None


def test_what_cannot_be_tested_neither_survives_nor_fails() -> None:
    question = differing(0.1, 0.05)
    few = Perturbation("segment_left_out", "a", RULES, restricted([question], IDS[:14]))
    ((found,),) = outcomes(answers([question], RULES), [few])
    assert (found.comparison.verdict, found.survives) == ("not_comparable", None)
