"""The stage graph: every distinct training once, and parents before children."""

import pytest

from rerank.planning.graph import StageNode, curve_graph, distils, path_of, search_graph, stage_graph
from rerank.planning.plan import FUSED, PLAIN, STRATEGIES, LearningCurve, Plan


@pytest.mark.parametrize(
    ("strategy", "path"),
    [("first-stage", ()), ("base", ()), ("C", ("C",)), ("C-then-D", ("C", "D")), ("D-then-C", ("D", "C"))],
)
def test_a_strategy_is_its_trainings_in_order(strategy: str, path: tuple[str, ...]) -> None:
    assert path_of(strategy) == path


def test_four_trained_strategies_are_four_trainings_not_six() -> None:
    nodes = stage_graph((*PLAIN, *FUSED), 1, [1])
    assert [node.strategy for node in nodes] == ["C", "D", "C-then-D", "D-then-C"]


def test_a_two_stage_strategy_brings_its_first_stage_along() -> None:
    assert [node.path for node in stage_graph(["D-then-C"], 1, [1])] == [("D",), ("D", "C")]


def test_untrained_strategies_train_nothing() -> None:
    assert stage_graph(["first-stage", "embedding", "base"], 5, [1, 2]) == []


def test_seeds_and_folds_multiply_and_every_node_is_there_once() -> None:
    nodes = stage_graph(STRATEGIES, 3, [1, 2])
    assert len(nodes) == len(set(nodes)) == 7 * 3 * 2


def test_parents_come_first_and_seeds_are_finished_one_after_the_other() -> None:
    nodes = stage_graph(STRATEGIES, 2, [7, 5])
    for place, node in enumerate(nodes):
        assert node.parent is None or node.parent in nodes[:place]
    assert [node.seed for node in nodes] == [7] * 14 + [5] * 14


def test_a_child_keeps_fold_and_seed_of_its_parent() -> None:
    node = StageNode(("C", "D"), fold=1, seed=4)
    assert node.parent == StageNode(("C",), fold=1, seed=4)
    assert (node.kind, node.strategy) == ("D", "C-then-D")


def test_a_control_is_one_training_of_its_own() -> None:
    nodes = stage_graph(["C", "C-long", "D-long", "C+D"], 1, [1])
    assert [node.path for node in nodes] == [("C",), ("C-long",), ("D-long",), ("C+D",)]
    assert [(node.uses_judgments, node.uses_teacher) for node in nodes] == [
        (True, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    assert path_of("C+D+fusion") == ("C+D",)
    assert distils(["C+D"])
    assert not distils(["C-long", "embedding+fusion"])


def test_the_learning_curve_trains_planned_strategies_with_the_first_seeds_small_shares_first() -> None:
    curve = LearningCurve(shares=(0.5, 0.1), strategies=("C-then-D", "D"), seeds=1)
    plan = Plan("0" * 64, seeds=(7, 8), learning_curve=curve)
    nodes = curve_graph(plan, ("first-stage", "C-then-D"), 1)
    assert [(node.path, node.share, node.seed) for node in nodes] == [
        (("C",), 0.1, 7),
        (("C", "D"), 0.1, 7),
        (("C",), 0.5, 7),
        (("C", "D"), 0.5, 7),
    ]
    assert nodes[1].parent == nodes[0]


def test_a_search_tries_first_stages_of_the_first_seed_only() -> None:
    plan = Plan("0" * 64, seeds=(7, 8), search_trials=2)
    nodes = stage_graph(("C", "C-then-D"), 2, plan.seeds)
    trials = search_graph(plan, nodes)
    assert {(node.path, node.seed) for node in trials} == {(("C",), 7)}
    assert [(node.fold, node.trial) for node in trials] == [(0, 1), (0, 2), (1, 1), (1, 2)]
