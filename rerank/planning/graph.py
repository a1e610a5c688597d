"""The stage graph: every distinct training once, shared by all strategies that contain it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rerank.planning.plan import FUSION, SINGLE_STAGE, TWO_STAGE

Kind = Literal["C", "D"]


@dataclass(frozen=True)
class StageNode:
    """One training: what it learns, in which fold, with which seed, and from which stage it starts."""

    path: tuple[Kind, ...]  # ("C", "D"): distillation that starts from the contrastive stage
    fold: int
    seed: int

    @property
    def kind(self) -> Kind:
        """Return what this training learns."""
        return self.path[-1]

    @property
    def parent(self) -> "StageNode | None":
        """Return the training that this one continues, None for one that starts from the base model."""
        return StageNode(self.path[:-1], self.fold, self.seed) if len(self.path) > 1 else None

    @property
    def strategy(self) -> str:
        """Return the strategy whose rankings this stage's model gives."""
        return "-then-".join(self.path)


def path_of(strategy: str) -> tuple[Kind, ...]:
    """Return the trainings of a strategy in order, empty for an untrained one; fusion trains nothing more."""
    if strategy not in SINGLE_STAGE + TWO_STAGE:
        return ()
    return tuple(strategy.removesuffix(FUSION).split("-then-"))  # type: ignore[arg-type]


def distils(strategies: Iterable[str]) -> bool:
    """Say whether any of the strategies learns from a teacher."""
    return any("D" in path_of(name) for name in strategies)


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
