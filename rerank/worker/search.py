"""A small search of settings: every trial is judged on its fold's development queries, never on tested ones."""

from collections.abc import Sequence

from rerank.planning.graph import Kind, StageNode
from rerank.worker.lanes import train_stages
from rerank.worker.material import settings_of
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench


def search_settings(bench: Workbench, trials: Sequence[StageNode], teaching: Teaching) -> None:
    """Train the trials and the plan's own settings, and note the best of each kind and fold in `bench.choices`.

    The plan's own settings win a tie, then the earlier trial. What won is not trained again: a stage is named by
    its settings and not by the trial.
    """
    groups: dict[tuple[Kind, int, int], list[StageNode]] = {}
    for node in trials:
        own = StageNode((node.kind,), node.fold, node.seed)
        groups.setdefault((node.kind, node.fold, node.seed), [own]).append(node)
    if not groups:
        return
    records = train_stages(bench, [node for nodes in groups.values() for node in nodes], teaching)
    for (kind, fold, seed), nodes in groups.items():
        scores = {node.trial: float(records[node]["dev_score"]) for node in nodes}
        best = max(scores, key=lambda trial: (scores[trial], -trial))
        bench.choices[(kind, fold)] = best
        settings, _ = settings_of(bench, StageNode((kind,), fold, seed))
        bench.reporter.event(
            "settings_chosen",
            learns=kind,
            fold=fold,
            trial=best,
            dev_scores=list(scores.values()),
            learning_rate=settings.learning_rate,
            epochs=settings.epochs,
        )
