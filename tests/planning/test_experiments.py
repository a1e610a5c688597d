"""Locking: once, with its first time, and never changed afterwards."""

from dataclasses import replace

import pytest

from rerank.errors import RerankError
from rerank.planning import experiments
from rerank.planning.experiments import (
    experiment_folder,
    gates,
    list_experiments,
    load_locked,
    load_result,
    lock_plan,
    record_gate,
)
from rerank.planning.plan import Plan
from rerank.store.artefacts import read_json, write_json

PLAN = Plan("d" * 64)


def lock(plan: Plan = PLAN, name: str = "first") -> str:
    return lock_plan(plan, name=name, dataset_name="sample")


def test_the_same_plan_is_one_experiment_that_keeps_its_first_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "now", lambda: "2026-01-01T00:00:00+00:00")
    first = lock()
    monkeypatch.setattr(experiments, "now", lambda: "2026-02-02T00:00:00+00:00")
    assert lock(name="again") == first
    plan, locked = load_locked(first)
    assert plan == PLAN
    assert (locked["locked_at"], locked["name"], locked["digest"]) == (
        "2026-01-01T00:00:00+00:00",
        "first",
        PLAN.digest,
    )


def test_another_margin_is_another_experiment() -> None:
    assert lock() != lock(replace(PLAN, margin=0.03))


def test_a_plan_that_was_edited_after_its_lock_is_refused() -> None:
    identity = lock()
    record = experiment_folder(identity) / "plan.json"
    edited = read_json(record)
    edited["plan"]["margin"] = 0.5
    write_json(record, edited)
    with pytest.raises(RerankError, match="plan_changed_after_lock"):
        load_locked(identity)


@pytest.mark.parametrize("identity", ["", "../plans", "ABC", "0123456789ab"])
def test_what_is_no_experiment_is_refused(identity: str) -> None:
    with pytest.raises(RerankError, match="no_such_experiment"):
        load_locked(identity)


def test_experiments_are_listed_newest_first_with_whether_they_have_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "now", lambda: "2026-01-01T00:00:00+00:00")
    old = lock()
    monkeypatch.setattr(experiments, "now", lambda: "2026-02-02T00:00:00+00:00")
    new = lock(replace(PLAN, margin=0.03))
    write_json(experiment_folder(old) / "result.json", {"gate": 1})
    assert [(item["id"], item["has_result"]) for item in list_experiments()] == [(new, False), (old, True)]
    assert load_result(old) == {"gate": 1}
    assert load_result(new) is None


def test_decisions_about_the_gate_are_added_and_never_replaced() -> None:
    identity = lock()
    assert gates(identity) == []
    record_gate(identity, decided="no_go", recommended="go", by="A", reason="no budget")
    record_gate(identity, decided="go", recommended="go", by="B", reason="")
    assert [(item["decided"], item["by"]) for item in gates(identity)] == [("no_go", "A"), ("go", "B")]
