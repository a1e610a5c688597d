"""An answer that training luck hides is looked for with more trainings before anybody judges, or gives up."""

from dataclasses import replace

import pytest

from rerank.decide.decision import decide, gate_one
from rerank.stats.comparison import Comparison
from rerank.stats.more_queries import queries_to_settle
from rerank.stats.more_seeds import seeds_to_settle
from tests.decide.cases import FREE, HIDDEN, evidence, found
from tests.seeded import compared


def gain(single: Comparison, alpha: float) -> int | None:
    return seeds_to_settle(single, alpha=0.05, alpha_difference=alpha, settled="gain")


@pytest.mark.parametrize("queries", [None, 40])
def test_seeds_come_before_judgments_and_before_giving_up(queries: int | None) -> None:
    assert HIDDEN.verdict == "inconclusive"
    item = decide(evidence(single=replace(HIDDEN, n_more_queries=queries), second_planned=False))
    assert (item.code, dict(item.next_numbers)) == ("train_more_seeds", {"n_more_seeds": gain(HIDDEN, 0.05)})
    assert item.reasons == ("single_inconclusive", "luck_hides")
    assert item.would_change == ("several_seeds",)
    assert decide(evidence(single=found("inconclusive", n_more_queries=queries))).code != "train_more_seeds"


def test_seeds_that_only_exclude_harm_are_not_asked_for() -> None:
    """They would find an answer, and with it the advice to stop, which can be had now."""
    harmless = compared((-0.02, 0.06, 0.02))
    assert (harmless.verdict, gain(harmless, 0.05)) == ("inconclusive", None)
    assert harmless.n_more_seeds is not None
    assert decide(evidence(single=harmless, second_planned=False)).code == "stop"


def test_what_is_free_is_used_meanwhile_or_for_good_where_it_does_as_well() -> None:
    start = evidence(single=HIDDEN, free_baselines=(FREE,), second_planned=False)
    meanwhile = decide(start)
    assert (meanwhile.code, meanwhile.next_numbers["strategy"]) == ("train_more_seeds", "embedding")
    assert "free_baseline_gains" in meanwhile.reasons
    assert decide(replace(start, free_against_single=(found("equivalent", "embedding"),))).code == "adopt_free_baseline"


def test_without_harm_the_seeds_are_those_of_a_gain() -> None:
    """`not_worse` is an answer already, and asks nothing more of itself: a gain is what the question is about."""
    single = compared((0.01, 0.09, 0.05))
    assert (single.verdict, single.n_more_seeds) == ("not_worse", None)
    alone = {"alpha": 0.05, "alpha_difference": 0.025, "settled": "gain"}  # of two locked questions
    assert queries_to_settle(single, **alone) is None  # type: ignore[arg-type]
    item = decide(evidence(single=single, second_planned=True))
    assert item.code == "train_more_seeds"
    assert item.next_numbers["n_more_seeds"] == gain(single, 0.025)


def test_gate_one_may_go_on() -> None:
    assert gate_one(evidence(single=compared((0.01, 0.09, 0.05))))["recommended"] == "go"


def test_what_else_is_open_for_lucks_sake_names_seeds_and_asks_nobody_to_judge() -> None:
    second = found("inconclusive", "C", "C-then-D", n_more_queries=50, n_more_seeds=1)
    item = decide(evidence(second=second))
    assert item.would_change == ("several_seeds",)
    assert not {"n_more_queries", "n_more_to_judge"} & set(item.next_numbers)
    free = found("inconclusive", "embedding", delta=0.01, n_more_seeds=2)
    behind = decide(evidence(free_baselines=(FREE,), free_against_single=(free,)))
    assert behind.would_change[0] == "several_seeds"
    signal = found("inconclusive", "C", "D", n_more_seeds=2)
    assert "several_seeds" in decide(evidence(signal=signal)).would_change
    assert "more_judged_queries" in decide(evidence(signal=replace(signal, n_more_seeds=None))).would_change
