"""A stage's name holds all that its weights depend on and nothing else: what is new is trained, the rest is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from rerank.models.devices import pick_device
from rerank.planning.graph import StageNode
from rerank.planning.plan import Budget, FirstStage, Guardrails, Plan, Unlabelled
from rerank.retrieval.candidates import search_identity
from rerank.worker.experiment import prepare
from rerank.worker.reporter import Silent
from rerank.worker.stages import stage_digest
from rerank.worker.workbench import Workbench
from tests.models import make_tiny_model
from tests.tiny import tiny_plan

C, D, CD, DC, JOINT = (
    StageNode(path, 0, 1)  # type: ignore[arg-type]
    for path in (("C",), ("D",), ("C", "D"), ("D", "C"), ("C+D",))
)
EVERY = (C, D, CD, DC, JOINT)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A plan with a loss of D that reads a temperature."""
    plan = tiny_plan(make_tiny_model(tmp_path / "model"))
    return prepare(plan, plan.strategies, pick_device("cpu"), Silent()).bench


def names_of(bench: Workbench, teacher: str = "taught") -> dict[StageNode, str]:
    teaching = SimpleNamespace(digest=teacher)
    return {node: stage_digest(bench, node, teaching) for node in EVERY}  # type: ignore[arg-type]


def renamed(bench: Workbench, change: Callable[[Plan], Plan]) -> set[StageNode]:
    """Which stages a change of the plan trains anew."""
    before, after = names_of(bench), names_of(replace(bench, plan=change(bench.plan)))
    return {node for node in EVERY if before[node] != after[node]}


def contrastive(**changes: object) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, contrastive=replace(plan.contrastive, **changes))  # type: ignore[arg-type]


def distillation(**changes: object) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, distillation=replace(plan.distillation, **changes))  # type: ignore[arg-type]


def whole(**changes: object) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, **changes)


ALL_WITH_C = {C, CD, DC, JOINT}  # C+D has C's settings but for the temperature
ALL_WITH_D = {D, CD, DC}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (contrastive(learning_rate=3e-4), ALL_WITH_C),
        (contrastive(group_size=4), ALL_WITH_C),
        (contrastive(queries_per_step=3), ALL_WITH_C),
        (contrastive(dropout=0.1), ALL_WITH_C),
        (contrastive(patience=1), ALL_WITH_C),
        (contrastive(weight_decay=0.2), ALL_WITH_C),
        (contrastive(warmup_share=0.3), ALL_WITH_C),
        (contrastive(max_gradient_norm=2.0), ALL_WITH_C),
        (contrastive(freeze_word_embeddings=False), ALL_WITH_C),
        (contrastive(false_negative_share=0.5), ALL_WITH_C),
        (contrastive(loss="lce"), ALL_WITH_C),
        (contrastive(temperature=2.0), set()),  # no loss of C has one
        (distillation(learning_rate=3e-4), ALL_WITH_D),
        (distillation(temperature=2.0), {*ALL_WITH_D, JOINT}),
        (distillation(false_negative_share=0.5), set()),  # D has no negatives
        (distillation(loss="ranknet"), {*ALL_WITH_D, JOINT}),
        (whole(second_stage_learning_rate_factor=0.7), {CD, DC}),
        (whole(max_length=32), set(EVERY)),
        (whole(passages="max"), set(EVERY)),
        (whole(relevant_grade=2), set(EVERY)),
        (whole(primary_measure="RR@10"), set(EVERY)),
        (whole(margin=0.03, alpha=0.01), set()),
        (whole(strategies=("first-stage", "C"), label_or_distil=True, budget=Budget(minutes=9)), set()),
        (whole(guardrails=Guardrails(max_harmed_share=0.5)), set()),
    ],
)
def test_a_change_of_the_plan_trains_anew_what_depends_on_it(
    bench: Workbench, change: Callable[[Plan], Plan], expected: set[StageNode]
) -> None:
    assert renamed(bench, change) == expected


def test_a_loss_without_a_temperature_does_not_read_one(bench: Workbench) -> None:
    ranked = replace(bench, plan=distillation(loss="ranknet")(bench.plan))
    assert renamed(ranked, distillation(temperature=2.0)) == set()


def test_another_teacher_trains_anew_what_it_teaches(bench: Workbench) -> None:
    before, after = names_of(bench), names_of(bench, "taught otherwise")
    assert {node for node in EVERY if before[node] != after[node]} == {D, CD, DC, JOINT}


@pytest.mark.parametrize(
    "change",
    [
        lambda bench: {"source": replace(bench.source, digest="other weights")},
        lambda bench: {"dataset": replace(bench.dataset, digest="other judgments")},
        lambda bench: {"candidates_digest": "other candidates"},
        lambda bench: {"device": replace(bench.device, dtype="bf16" if bench.device.dtype == "fp32" else "fp32")},
        lambda bench: {"folds": tuple(replace(fold, train=fold.train[1:]) for fold in bench.folds)},
        lambda bench: {"folds": tuple(replace(fold, dev=fold.dev[1:]) for fold in bench.folds)},
    ],
    ids=["model", "dataset", "candidates", "numerics", "training queries", "development queries"],
)
def test_what_a_stage_learns_from_and_with_is_in_its_name(
    bench: Workbench, change: Callable[[Workbench], dict[str, object]]
) -> None:
    before, after = names_of(bench), names_of(replace(bench, **change(bench)))  # type: ignore[arg-type]
    assert all(before[node] != after[node] for node in EVERY)


def test_seeds_and_parents_have_names_of_their_own(bench: Workbench) -> None:
    names = names_of(bench)
    assert len(set(names.values())) == len(EVERY)
    teaching = SimpleNamespace(digest="taught")
    assert stage_digest(bench, replace(C, seed=2), teaching) != names[C]  # type: ignore[arg-type]


def test_searches_by_words_are_told_apart_and_others_have_none() -> None:
    assert search_identity("bm25") != search_identity("rrf")
    assert None not in (search_identity("bm25"), search_identity("rrf"))
    assert search_identity("embedding") is None
    assert search_identity("run") is None


def test_a_curve_and_unlabelled_queries_change_no_stage_that_does_not_use_them(bench: Workbench) -> None:
    assert renamed(bench, whole(unlabelled=Unlabelled(5, "documents"), first_stage=FirstStage(depth=6))) == set()
