"""An answer that training luck hides is looked for with more trainings before anybody judges, or gives up."""

import pytest

from rerank.decide.decision import decide, gate_one
from rerank.stats.more_queries import queries_to_settle
from rerank.stats.more_seeds import seeds_to_settle
from tests.decide.test_decision_rules import FREE, evidence, found
from tests.stats.test_more_seeds import compared


@pytest.mark.parametrize("queries", [None, 40])
def test_seeds_come_before_judgments_and_before_giving_up(queries: int | None) -> None:
    item = decide(evidence(single=found("inconclusive", n_more_queries=queries, n_more_seeds=3)))
    assert (item.code, dict(item.next_numbers)) == ("train_more_seeds", {"n_more_seeds": 3})
    assert item.reasons == ("single_inconclusive", "luck_hides")
    assert item.would_change == ("several_seeds",)
    assert decide(evidence(single=found("inconclusive", n_more_queries=queries))).code != "train_more_seeds"


def test_what_is_free_is_used_meanwhile_or_for_good_where_it_does_as_well() -> None:
    open_ = found("inconclusive", n_more_seeds=2)
    meanwhile = decide(evidence(single=open_, free_baselines=(FREE,)))
    assert (meanwhile.code, meanwhile.next_numbers["strategy"]) == ("train_more_seeds", "embedding")
    assert "free_baseline_gains" in meanwhile.reasons
    tied = evidence(single=open_, free_baselines=(FREE,), free_against_single=(found("equivalent", "embedding"),))
    assert decide(tied).code == "adopt_free_baseline"


def test_without_harm_the_seeds_are_those_of_a_gain() -> None:
    """`not_worse` is an answer already, and asks nothing more of itself: a gain is what the question is about."""
    single = compared((0.01, 0.09, 0.05))
    assert (single.verdict, single.n_more_seeds) == ("not_worse", None)
    alone = {"alpha": 0.05, "alpha_difference": 0.025, "settled": "gain"}  # of two locked questions
    assert queries_to_settle(single, **alone) is None  # type: ignore[arg-type]
    item = decide(evidence(single=single, second_planned=True))
    assert item.code == "train_more_seeds"
    assert item.next_numbers["n_more_seeds"] == seeds_to_settle(single, **alone)  # type: ignore[arg-type]


def test_gate_one_may_go_on_and_an_open_second_stage_names_seeds() -> None:
    assert gate_one(evidence(single=found("inconclusive", n_more_seeds=2)))["recommended"] == "go"
    second = found("inconclusive", "C", "C-then-D", n_more_queries=50, n_more_seeds=1)
    assert "several_seeds" in decide(evidence(second=second)).would_change
