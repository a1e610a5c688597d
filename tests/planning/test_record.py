"""Looks at test results, overrides, and what may be looked at before the lock."""

from dataclasses import replace

import pytest

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.planning.looks import earlier_looks, record_look
from rerank.planning.overrides import overrides, record_override
from rerank.planning.plan import Plan, Split
from rerank.planning.splits import evaluable_queries, folds_of, unsealed_queries
from rerank.store.artefacts import write_json
from rerank.store.home import room

DATA = "d" * 64
TEXTS = {"q1": "blue shoes", "q2": "red shoes", "q3": "a lamp"}


def test_the_first_plan_has_looked_alone_and_running_it_again_is_no_second_look() -> None:
    assert earlier_looks(DATA, "a" * 12, ["q1", "q2"], TEXTS) == []
    for _ in range(2):
        record_look(DATA, "a" * 12, ["q1", "q2"], TEXTS)
        assert earlier_looks(DATA, "a" * 12, ["q1", "q2"], TEXTS) == []


def test_plans_that_share_test_queries_are_counted_in_their_order() -> None:
    for experiment, queries in (("a" * 12, ["q1", "q2"]), ("b" * 12, ["q3"]), ("c" * 12, ["q2", "q3"])):
        record_look(DATA, experiment, queries, TEXTS)
    found = earlier_looks(DATA, "c" * 12, ["q2", "q3"], TEXTS)
    assert [(look["experiment"], look["n_common_queries"]) for look in found] == [("a" * 12, 1), ("b" * 12, 1)]
    assert earlier_looks(DATA, "b" * 12, ["q3"], TEXTS) == []  # what came later was no look of its time
    assert len(earlier_looks(DATA, "e" * 12, ["q1", "q2", "q3"], TEXTS)) == 3


def test_the_same_queries_in_another_upload_are_recognised_by_their_texts() -> None:
    record_look(DATA, "a" * 12, ["q1", "q2", "q3"], TEXTS)
    other, renamed = "e" * 64, {"1": "Blue  SHOES", "2": "red shoes", "3": "chairs", "4": "tables", "5": "beds"}
    found = earlier_looks(other, "b" * 12, ["1", "2", "3"], renamed)
    assert [(look["experiment"], look["n_common_queries"]) for look in found] == [("a" * 12, 2)]
    assert earlier_looks(other, "b" * 12, ["2", "3", "4", "5"], renamed) == []  # a quarter: another sample
    record_look(other, "b" * 12, ["1", "2", "3"], renamed)
    assert len(earlier_looks(DATA, "c" * 12, ["q1", "q2"], TEXTS)) == 2
    assert earlier_looks(DATA, "a" * 12, ["q1", "q2"], TEXTS) == []  # what another upload's plan saw later
    ids_only = [{"experiment": "d" * 12, "at": "2025-01-01T00:00:00+00:00", "test_queries": ["q1"]}]
    write_json(room("looks") / f"{'f' * 64}.json", ids_only)  # as earlier versions wrote them
    assert len(earlier_looks(DATA, "c" * 12, ["q1", "q2"], TEXTS)) == 2


def test_an_override_keeps_who_and_why() -> None:
    given = {"subject": (), "computed": "stop", "decided": "adopt_single_stage"}
    record_override("0" * 12, **given, by=" A. Name ", reason="the law asks for it")  # type: ignore[arg-type]
    record_override("0" * 12, subject=("C", "D"), computed="better", decided="inconclusive", by="B", reason="x")
    first, second = overrides("0" * 12)
    assert (first["by"], first["reason"], first["subject"], first["computed"]) == (
        "A. Name",
        "the law asks for it",
        [],
        "stop",
    )
    assert second["subject"] == ["C", "D"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"by": " "}, "override_unsigned"),
        ({"reason": ""}, "override_unsigned"),
        ({"decided": "stop"}, "override_changes_nothing"),
    ],
)
def test_an_override_without_name_reason_or_effect_is_refused(changes: dict[str, str], code: str) -> None:
    given = {"computed": "stop", "decided": "repair_data", "by": "A", "reason": "b"} | changes
    with pytest.raises(RerankError) as refused:
        record_override("0" * 12, subject=(), **given)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert overrides("0" * 12) == []


def test_a_held_out_test_set_is_sealed_and_folds_seal_nothing(tiny: Dataset) -> None:
    plan = Plan(tiny.digest, split=Split(kind="holdout", test_share=0.5, dev_share=0.25))
    tested = set(folds_of(tiny, plan)[0].test)
    free = unsealed_queries(tiny, plan)
    assert tested
    assert set(free) == set(evaluable_queries(tiny, plan)) - tested
    folded = replace(plan, split=Split(kind="kfold", folds=2, dev_share=0.25))
    assert list(unsealed_queries(tiny, folded)) == evaluable_queries(tiny, folded)
