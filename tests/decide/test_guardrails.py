"""Guardrails: what holds at the limit, what breaks beyond it, what nobody could measure."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rerank.decide.decision import decide, gate_one
from rerank.decide.evidence import REASONS, WOULD_CHANGE
from rerank.decide.guardrails import (
    GUARDRAILS,
    MIN_SEGMENT_QUERIES,
    broken_by_chance,
    broken_of,
    check_guardrails,
    harmed,
    worst_segment,
)
from rerank.planning.plan import Guardrails
from tests.decide.test_decision import BASE, FREE, SECOND, compared

BREAKS = ("max_harmed_share",)


def checked(limits: Guardrails, **measured: object) -> dict[str, tuple[float | None, str]]:
    facts: dict[str, object] = {
        "latencies_ms": np.full(100, 100.0),
        "recalls": np.full(4, 0.8),
        "differences": np.array([-0.2, 0.0, 0.1, 0.3]),
        "segments": [""] * 4,
    }
    found = check_guardrails(limits, **(facts | measured))  # type: ignore[arg-type]
    return {check.guardrail: (check.measured and check.measured.value, check.status) for check in found}


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
    assert checked(Guardrails(max_p95_latency_ms=1.0), latencies_ms=np.array([])) == {
        "max_p95_latency_ms": (None, "not_measured")
    }


def test_a_query_that_loses_exactly_a_tenth_is_not_harmed() -> None:
    assert harmed(np.array([0.7 - 0.8, 0.9 - 1.0, -0.1001])).tolist() == [False, False, True]


def test_the_worst_segment_is_the_one_that_loses_most_and_small_ones_do_not_count() -> None:
    n = MIN_SEGMENT_QUERIES
    differences = np.array([0.1] * n + [-0.04] * n + [-1.0] * (n - 1))
    segments = ["a"] * n + ["b"] * n + ["small"] * (n - 1)
    worst, alone = worst_segment(differences, segments, 0.03), worst_segment(differences[:n], segments[:n], 0.03)
    assert worst is not None
    assert alone is not None
    assert (worst.segment, worst.value, worst.n) == ("b", pytest.approx(0.04), n)
    assert (alone.segment, alone.value) == ("a", 0.0)
    assert worst_segment(differences, [""] * len(differences), 0.03) is None


def spread(mean: float, sd: float, n: int) -> np.ndarray:
    """Return n differences with exactly this mean and standard deviation."""
    raw = np.linspace(-1, 1, n)
    return mean + sd * (raw - raw.mean()) / raw.std(ddof=1)


def test_the_worst_of_several_segments_must_be_shown_to_fall() -> None:
    """SD .2, 16 queries: SE .05, and t of 1 - .05 / (2 * 2) with 15 df is 2.49; .08 is within it, .14 is not."""
    limits, names = Guardrails(max_segment_drop=0.05), ["a"] * 16 + ["b"] * 16
    for fall, status in ((0.08, "not_shown"), (0.14, "broken"), (0.04, "held")):
        differences = np.concatenate([spread(-fall, 0.2, 16), spread(0.1, 0.2, 16)])
        (check,) = check_guardrails(
            limits, latencies_ms=np.array([]), recalls=np.ones(32), differences=differences, segments=names
        )
        assert check.status == status
        assert check.measured is not None
        half = stats.t.ppf(1 - 0.05 / 4, 15) * 0.05
        assert (check.measured.low, check.measured.high) == (pytest.approx(fall - half), pytest.approx(fall + half))
        assert not check.certain


def test_a_small_segments_chance_does_not_hide_a_sure_loss() -> None:
    differences = np.concatenate([spread(-0.12, 0.5, 15), spread(-0.08, 0.1, 100), spread(-0.02, 0.01, 100)])
    names = ["small"] * 15 + ["sure"] * 100 + ["slight"] * 100
    assert [worst_segment(differences, names, limit).segment for limit in (0.05, 0.1)] == ["sure", "small"]  # type: ignore[union-attr]


def test_without_any_harm_the_worst_of_five_segments_seldom_breaks_its_guardrail() -> None:
    """Five segments of 15 queries, SD .2, no true fall; the point value alone would break it in more than half."""
    rng = np.random.default_rng(0)
    limits, names = Guardrails(max_segment_drop=0.05), [name for name in "abcde" for _ in range(15)]
    found, beyond = [], []
    for _ in range(400):
        differences = rng.normal(0, 0.2, 75)
        (check,) = check_guardrails(
            limits, latencies_ms=np.array([]), recalls=np.ones(75), differences=differences, segments=names
        )
        found.append(check.status == "broken")
        beyond.append(check.status != "held")
    assert np.mean(beyond) > 0.5
    assert np.mean(found) < 0.05


def test_training_luck_widens_a_segments_interval() -> None:
    differences = spread(-0.1, 0.1, 30)
    by_seed = 0.5 + differences + np.array([[-0.1], [0.0], [0.1]])
    luck, none = (worst_segment(differences, ["a"] * 30, 0.05, trained) for trained in ([by_seed], []))
    assert luck is not None
    assert none is not None
    assert (none.falls, luck.falls) == (True, False)


@pytest.mark.parametrize(("n_harmed", "n"), [(0, 20), (6, 50), (50, 50)])
def test_the_interval_of_the_harmed_share_is_wilsons(n_harmed: int, n: int) -> None:
    differences = np.array([-0.5] * n_harmed + [0.0] * (n - n_harmed))
    (check,) = check_guardrails(
        Guardrails(max_harmed_share=0.1),
        latencies_ms=np.array([]),
        recalls=np.ones(n),
        differences=differences,
        segments=[""] * n,
    )
    low, high = proportion_confint(n_harmed, n, method="wilson")
    assert check.measured is not None
    assert (check.measured.low, check.measured.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    assert (check.status, check.certain) == {0: ("held", False), 6: ("broken", False), 50: ("broken", True)}[n_harmed]


def test_the_interval_of_the_latency_holds_the_95th_percentile_as_often_as_it_says() -> None:
    rng, truth = np.random.default_rng(0), float(stats.lognorm(0.5).ppf(0.95))
    hits = []
    for _ in range(2000):
        (check,) = check_guardrails(
            Guardrails(max_p95_latency_ms=1.0),
            latencies_ms=rng.lognormal(0, 0.5, 120),
            recalls=np.ones(1),
            differences=np.zeros(1),
            segments=[""],
        )
        assert check.measured is not None
        assert check.measured.low is not None
        assert check.measured.high is not None
        hits.append(check.measured.low <= truth <= check.measured.high)
    assert 0.94 < np.mean(hits) < 0.99
    few = check_guardrails(
        Guardrails(max_p95_latency_ms=1e9),
        latencies_ms=np.arange(71.0),
        recalls=np.ones(1),
        differences=np.zeros(1),
        segments=[""],
    )[0]
    assert few.measured is not None
    assert (few.measured.high, few.status, few.certain) == (None, "held", False)


def test_the_interval_of_the_recall_is_the_t_interval_of_its_mean() -> None:
    recalls = np.array([1.0] * 20 + [0.5] * 20)
    (check,) = check_guardrails(
        Guardrails(min_recall=0.8),
        latencies_ms=np.array([]),
        recalls=recalls,
        differences=np.zeros(40),
        segments=[""] * 40,
    )
    low, high = stats.t.interval(0.95, 39, recalls.mean(), stats.sem(recalls))
    assert check.measured is not None
    assert (check.measured.low, check.measured.high) == (pytest.approx(low), pytest.approx(high))
    assert (check.status, check.certain) == ("broken", False)


def test_what_chance_alone_may_have_broken_more_queries_would_tell() -> None:
    records = [
        {"guardrail": "max_harmed_share", "strategies": {"C": {"status": "broken", "certain": False}}},
        {"guardrail": "min_recall", "strategies": {"C": {"status": "held", "certain": True}}},
    ]
    unsure = broken_by_chance(records)
    assert unsure == {"C"}
    records[1]["strategies"]["C"] = {"status": "broken", "certain": True}
    assert broken_by_chance(records) == set()
    case = dataclasses.replace(BASE, broken={"C": BREAKS})
    assert "more_judged_queries" not in decide(case).would_change
    assert "more_judged_queries" in decide(dataclasses.replace(case, broken_by_chance=unsure)).would_change


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


def test_a_low_recall_asks_for_better_retrieval() -> None:
    low = dataclasses.replace(BASE, broken={"C": ("min_recall",)})
    assert "better_retrieval" in decide(low).would_change
    assert "better_retrieval" not in decide(dataclasses.replace(BASE, broken={"C": BREAKS})).would_change
