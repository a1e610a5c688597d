"""A small search of settings: every trial is judged on its fold's development queries, never on tested ones."""

from collections.abc import Sequence

from rerank.planning.graph import StageNode
from rerank.worker.material import settings_of
from rerank.worker.stages import train_stage
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench


def search_settings(bench: Workbench, trials: Sequence[StageNode], teaching: Teaching) -> None:
    """Train the trials and the plan's own settings, and note the best of each kind and fold in `bench.choices`.

    The plan's own settings win a tie, then the earlier trial. What won is not trained again: a stage is named by
    its settings and not by the trial.
    """
    groups = dict.fromkeys((node.kind, node.fold, node.seed) for node in trials)
    for kind, fold, seed in groups:
        mine = [node for node in trials if (node.kind, node.fold, node.seed) == (kind, fold, seed)]
        scores = {}
        for node in (StageNode((kind,), fold, seed), *mine):
            scores[node.trial] = float(train_stage(bench, node, teaching)["dev_score"])
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
