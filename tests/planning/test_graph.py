"""The stage graph: every distinct training once, and parents before children."""

import pytest

from rerank.planning.graph import StageNode, path_of, stage_graph
from rerank.planning.plan import CONTROLS, FUSED, PLAIN, STRATEGIES


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
    assert len(nodes) == len(set(nodes)) == 4 * 3 * 2


def test_parents_come_first_and_seeds_are_finished_one_after_the_other() -> None:
    nodes = stage_graph(STRATEGIES, 2, [7, 5])
    for place, node in enumerate(nodes):
        assert node.parent is None or node.parent in nodes[:place]
    assert [node.seed for node in nodes] == [7] * 8 + [5] * 8


def test_a_child_keeps_fold_and_seed_of_its_parent() -> None:
    node = StageNode(("C", "D"), fold=1, seed=4)
    assert node.parent == StageNode(("C",), fold=1, seed=4)
    assert (node.kind, node.strategy) == ("D", "C-then-D")
