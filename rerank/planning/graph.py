"""The stage graph: every distinct training once, shared by all strategies that contain it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rerank.planning.plan import FUSION, STRATEGIES, UNTRAINED, Plan

Kind = Literal["C", "D", "C-long", "D-long", "C+D"]


@dataclass(frozen=True)
class StageNode:
    """One training: what it learns, in which fold, with which seed, and from which stage it starts."""

    path: tuple[Kind, ...]  # ("C", "D"): distillation that starts from the contrastive stage
    fold: int
    seed: int
    share: float = 1.0  # of the fold's training queries; less for a point of the learning curve
    trial: int = 0  # which of the settings of a search; 0 for what the plan says or the search has chosen

    @property
    def kind(self) -> Kind:
        """Return what this training learns."""
        return self.path[-1]

    @property
    def parent(self) -> "StageNode | None":
        """Return the training that this one continues, None for one that starts from the base model."""
        return StageNode(self.path[:-1], self.fold, self.seed, self.share) if len(self.path) > 1 else None

    @property
    def uses_judgments(self) -> bool:
        """Say whether this training has contrastive lists."""
        return "C" in self.kind

    @property
    def uses_teacher(self) -> bool:
        """Say whether this training has lists with a teacher's scores."""
        return "D" in self.kind

    @property
    def strategy(self) -> str:
        """Return the strategy whose rankings this stage's model gives."""
        return "-then-".join(self.path)


def path_of(strategy: str) -> tuple[Kind, ...]:
    """Return the trainings of a strategy in order, empty for an untrained one; fusion trains nothing more."""
    if strategy not in STRATEGIES or strategy in UNTRAINED:
        return ()
    return tuple(strategy.removesuffix(FUSION).split("-then-"))  # type: ignore[arg-type]


def distils(strategies: Iterable[str]) -> bool:
    """Say whether any of the strategies learns from a teacher."""
    return any("D" in kind for name in strategies for kind in path_of(name))


def curve_graph(plan: Plan, strategies: Iterable[str], n_folds: int) -> list[StageNode]:
    """Return the trainings of the learning curve below 100 %, parents before children, small shares first."""
    curve = plan.learning_curve
    paths = [path_of(name) for name in curve.strategies if name in strategies]
    seen: dict[StageNode, None] = {}
    for share in sorted(curve.shares):
        for seed in plan.seeds[: curve.seeds]:
            for fold in range(n_folds):
                for path in paths:
                    for length in range(1, len(path) + 1):
                        seen.setdefault(StageNode(path[:length], fold, seed, share))
    return list(seen)


def search_graph(plan: Plan, nodes: Iterable[StageNode]) -> list[StageNode]:
    """Return the trainings that a search of settings adds: first stages, with the first seed, on all their queries."""
    heads = [node for node in nodes if len(node.path) == 1 and node.seed == plan.seeds[0] and node.share == 1.0]
    return [
        StageNode((kind,), node.fold, node.seed, trial=trial)
        for node in heads
        if (kind := node.kind) in ("C", "D")
        for trial in range(1, plan.search_trials + 1)
    ]


def stage_graph(strategies: Iterable[str], n_folds: int, seeds: Iterable[int]) -> list[StageNode]:
    """Return every distinct training that the strategies need, parents before children.

    Order: seeds outermost, then folds, then depth, so that an interrupted run has whole seeds to show.
    """
    seen: dict[StageNode, None] = {}
    paths = [path_of(name) for name in strategies]
    for seed in seeds:
        for fold in range(n_folds):
            for length in (1, 2):
                for path in paths:
                    if len(path) >= length:
                        seen.setdefault(StageNode(path[:length], fold, seed))
    return list(seen)
