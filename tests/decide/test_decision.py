"""Every decision has a case, in the order of the rules."""

import dataclasses

import pytest

from rerank.decide.decision import decide, gate_one
from rerank.decide.evidence import DECISIONS, REASONS, WOULD_CHANGE, Evidence
from rerank.stats.comparison import Comparison, Verdict


def compared(
    verdict: Verdict, reference: str = "first-stage", challenger: str = "C", delta: float = 0.05, **changes: object
) -> Comparison:
    base = Comparison(
        reference=reference,
        challenger=challenger,
        measure="nDCG@10",
        confirmatory=True,
        margin=0.02,
        n_queries=60,
        delta=delta,
        ci_low=delta - 0.03,
        ci_high=delta + 0.03,
        ci90_low=delta - 0.025,
        ci90_high=delta + 0.025,
        p_t=0.01,
        p_seed_aware=None,
        p_permutation=0.01,
        p_wilcoxon=0.01,
        p_adjusted=0.02,
        p_tost=0.5,
        p_not_worse=0.01,
        bca_low=0.0,
        bca_high=0.1,
        sd_queries=0.12,
        se=0.0155,
        df=59.0,
        verdict=verdict,
        negligible=False,
        n_more_queries=None,
        reasons=(),
    )
    return dataclasses.replace(base, **changes)


BASE = Evidence(
    blocking_findings=(),
    oracle_delta=0.3,
    margin=0.02,
    single=compared("better"),
    free_baselines=(),
    free_against_single=(),
    second=None,
    distillation_wanted=True,
    teacher_audit="green",
)
FREE = compared("better", challenger="embedding")
SECOND = compared("better", reference="C", challenger="C-then-D", delta=0.03)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"blocking_findings": ("x",)}, "repair_data"),
        ({"single": compared("not_comparable", reasons=("too_few_queries",))}, "repair_data"),
        ({"oracle_delta": 0.03}, "repair_first_stage"),
        ({"single": compared("worse", delta=-0.05)}, "stop"),
        ({"single": compared("equivalent", delta=0.0)}, "stop"),
        ({"single": compared("identical", delta=0.0)}, "stop"),
        ({"single": compared("better", negligible=True)}, "stop"),
        ({"single": compared("worse", delta=-0.05), "free_baselines": (FREE,)}, "adopt_free_baseline"),
        ({"single": compared("inconclusive", n_more_queries=40)}, "collect_judgments"),
        ({"single": compared("inconclusive", reasons=("not_realistic",))}, "stop"),
        ({"single": compared("not_worse", delta=0.03)}, "collect_judgments"),
        ({"single": compared("not_worse", delta=0.001)}, "stop"),
        ({"second": SECOND}, "add_second_stage"),
        ({"second": dataclasses.replace(SECOND, negligible=True)}, "adopt_single_stage"),
        ({"second": SECOND, "net_usd": {("C", "C-then-D"): -0.01}}, "adopt_single_stage"),
        ({"second": SECOND, "net_usd": {("C", "C-then-D"): 10.0}}, "add_second_stage"),
        ({"net_usd": {("first-stage", "C"): -0.01}}, "stop"),
        ({"net_usd": {("first-stage", "C"): -0.01}, "free_baselines": (FREE,)}, "adopt_free_baseline"),
        ({"teacher_audit": "red"}, "repair_teacher"),
        ({"teacher_audit": "red", "distillation_wanted": False}, "adopt_single_stage"),
        ({"teacher_audit": "red", "second": SECOND}, "add_second_stage"),
        ({}, "adopt_single_stage"),
        ({"single": None}, "stop"),
        ({"single": None, "free_baselines": (FREE,)}, "adopt_free_baseline"),
    ],
)
def test_the_first_rule_that_holds_decides(changes: dict[str, object], code: str) -> None:
    found = decide(dataclasses.replace(BASE, **changes))
    assert found.code == code
    assert found.reasons
    assert set(found.reasons) <= set(REASONS)
    assert set(found.would_change) <= set(WOULD_CHANGE)
    assert found.code in DECISIONS


def test_a_free_baseline_that_does_as_well_wins_the_tie() -> None:
    tie = compared("equivalent", reference="embedding", challenger="C", delta=0.0)
    found = decide(dataclasses.replace(BASE, free_baselines=(FREE,), free_against_single=(tie,)))
    assert (found.code, "free_baseline_ties" in found.reasons) == ("adopt_free_baseline", True)


def test_an_open_comparison_with_a_free_baseline_is_no_tie_but_is_said() -> None:
    unclear = compared("inconclusive", reference="embedding", challenger="C", delta=0.01)
    found = decide(dataclasses.replace(BASE, free_baselines=(FREE,), free_against_single=(unclear,)))
    assert (found.code, "free_baseline_not_beaten" in found.reasons) == ("adopt_single_stage", True)


def test_gate_one_goes_on_only_with_promise_and_a_teacher_that_may_teach() -> None:
    assert gate_one(BASE)["recommended"] == "go"
    assert gate_one(dataclasses.replace(BASE, teacher_audit="red"))["recommended"] == "no_go"
    assert gate_one(dataclasses.replace(BASE, single=compared("worse", delta=-0.1)))["recommended"] == "no_go"
