"""Guardrails: what holds at the limit, what breaks beyond it, what nobody could measure."""

import dataclasses

import numpy as np
import pytest

from rerank.decide.decision import REASONS, WOULD_CHANGE, decide, gate_one
from rerank.decide.guardrails import GUARDRAILS, MIN_SEGMENT_QUERIES, broken_of, check_guardrails, harmed, worst_segment
from rerank.planning.plan import Guardrails
from tests.decide.test_decision import BASE, FREE, SECOND, compared

BREAKS = ("max_harmed_share",)


def checked(limits: Guardrails, **measured: object) -> dict[str, tuple[float | None, str]]:
    facts: dict[str, object] = {
        "p95_latency_ms": 100.0,
        "recall": 0.8,
        "differences": np.array([-0.2, 0.0, 0.1, 0.3]),
        "segments": [""] * 4,
    }
    found = check_guardrails(limits, **(facts | measured))  # type: ignore[arg-type]
    return {check.guardrail: (check.value, check.status) for check in found}


def test_every_guardrail_of_a_plan_is_checked_and_no_other() -> None:
    assert {item.name for item in dataclasses.fields(Guardrails)} == set(GUARDRAILS)
    assert checked(Guardrails()) == {}
    assert set(checked(Guardrails(1.0, 0.5, 0.1, 0.1))) == set(GUARDRAILS)


@pytest.mark.parametrize(
    ("limits", "code", "value", "status"),
    [
        (Guardrails(max_p95_latency_ms=100.0), "max_p95_latency_ms", 100.0, "held"),
        (Guardrails(max_p95_latency_ms=99.9), "max_p95_latency_ms", 100.0, "broken"),
        (Guardrails(min_recall=0.8), "min_recall", 0.8, "held"),
        (Guardrails(min_recall=0.81), "min_recall", 0.8, "broken"),
        (Guardrails(max_harmed_share=0.25), "max_harmed_share", 0.25, "held"),  # one of four lost .2
        (Guardrails(max_harmed_share=0.2), "max_harmed_share", 0.25, "broken"),
        (Guardrails(max_segment_drop=0.1), "max_segment_drop", None, "not_measured"),  # nobody named segments
    ],
)
def test_a_limit_is_kept_to_its_end(limits: Guardrails, code: str, value: float | None, status: str) -> None:
    assert checked(limits)[code] == (value, status)


def test_a_search_without_latency_breaks_no_latency_guardrail() -> None:
    assert checked(Guardrails(max_p95_latency_ms=1.0), p95_latency_ms=None) == {
        "max_p95_latency_ms": (None, "not_measured")
    }


def test_a_query_that_loses_exactly_a_tenth_is_not_harmed() -> None:
    assert harmed(np.array([0.7 - 0.8, 0.9 - 1.0, -0.1001])).tolist() == [False, False, True]


def test_the_worst_segment_is_the_one_that_loses_most_and_small_ones_do_not_count() -> None:
    n = MIN_SEGMENT_QUERIES
    differences = np.array([0.1] * n + [-0.04] * n + [-1.0] * (n - 1))
    segments = ["a"] * n + ["b"] * n + ["small"] * (n - 1)
    assert worst_segment(differences, segments) == ("b", pytest.approx(0.04))
    assert worst_segment(differences[:n], segments[:n]) == ("a", 0.0)
    assert worst_segment(differences, [""] * len(differences)) is None


def test_what_a_result_says_is_broken_is_read_back() -> None:
    records = [
        {"guardrail": "min_recall", "strategies": {"C": {"status": "broken"}, "D": {"status": "held"}}},
        {"guardrail": "max_harmed_share", "strategies": {"C": {"status": "broken"}, "D": {"status": "not_measured"}}},
    ]
    assert broken_of(records) == {"C": ("min_recall", "max_harmed_share")}


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"broken": {"C": BREAKS}}, "stop", "single_breaks_guardrail"),
        ({"broken": {"C": BREAKS}, "free_baselines": (FREE,)}, "adopt_free_baseline", "single_breaks_guardrail"),
        (
            {"broken": {"C": BREAKS, "embedding": BREAKS}, "free_baselines": (FREE,)},
            "stop",
            "free_baseline_breaks_guardrail",
        ),
        ({"broken": {"C-then-D": BREAKS}, "second": SECOND}, "adopt_single_stage", "second_breaks_guardrail"),
        ({"broken": {"C": BREAKS}, "second": SECOND}, "add_second_stage", "single_breaks_guardrail"),
        (
            {"broken": {"C": BREAKS}, "single": compared("inconclusive", n_more_queries=40)},
            "stop",
            "single_breaks_guardrail",
        ),
        ({"broken": {"D": BREAKS}}, "adopt_single_stage", "single_better"),  # one that nobody recommends
    ],
)
def test_what_breaks_a_guardrail_is_not_recommended(changes: dict[str, object], code: str, reason: str) -> None:
    found = decide(dataclasses.replace(BASE, **changes))
    assert (found.code, reason in found.reasons) == (code, True)
    assert set(found.reasons) <= set(REASONS)
    assert set(found.would_change) <= set(WOULD_CHANGE)


def test_gate_one_does_not_go_on_from_a_single_stage_that_breaks_a_guardrail() -> None:
    assert gate_one(dataclasses.replace(BASE, broken={"C": BREAKS}))["recommended"] == "no_go"


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (compared("better", "C", "D"), "signal_distil"),
        (compared("worse", "C", "D", delta=-0.05), "signal_label"),
        (compared("equivalent", "C", "D", delta=0.0), "signal_equal"),
        (compared("better", "C", "D", negligible=True), "signal_equal"),
        (compared("not_worse", "C", "D", delta=0.0), "signal_open"),
    ],
)
def test_label_or_distil_explains_a_decision_without_making_it(signal: object, reason: str) -> None:
    found = decide(dataclasses.replace(BASE, signal=signal))  # type: ignore[arg-type]
    assert (found.code, found.reasons[-1]) == (decide(BASE).code, reason)
    assert set(found.would_change) <= set(WOULD_CHANGE)
