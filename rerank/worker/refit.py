"""The final refit: a strategy trained once more on every evaluable query, the model that is shipped."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerank.models.devices import Device
from rerank.planning.graph import search_graph, stage_graph
from rerank.planning.plan import FUSION, Budget, Plan
from rerank.planning.splits import refit_fold
from rerank.worker.experiment import prepare
from rerank.worker.fusing import Fuser
from rerank.worker.lanes import train_stages
from rerank.worker.material import settings_of
from rerank.worker.ranking import timed_ranking
from rerank.worker.reporter import Reporter
from rerank.worker.search import search_settings
from rerank.worker.stages import check_trainable, expect_stages, stage_folder
from rerank.worker.teaching import teaching_of, with_unlabelled
from rerank.worker.workbench import Workbench


@dataclass(frozen=True)
class Refit:
    """A trained strategy: its model's folder, its stages' records and settings, first one first.

    weights: of the fusion, fitted on the development queries, with the KPI that such a fit earns there; None for a
    plain strategy. latencies_ms: one development query's candidates, each.
    """

    bench: Workbench
    folder: Path
    seed: int
    records: tuple[Mapping[str, Any], ...]
    settings: tuple[Mapping[str, Any], ...]
    weights: Mapping[str, float] | None
    fused_dev_score: float | None
    latencies_ms: tuple[float, ...]


def refit(plan: Plan, strategy: str, device: Device, reporter: Reporter, *, base_digest: str | None = None) -> Refit:
    """Train a strategy on all evaluable queries but those that choose the epoch, or find it on disk.

    The plan's first seed trains: any of them is a fair draw, and choosing among them would be one more choice.
    The experiment's budget does not count here: it was for measuring. base_digest: of the base model that was
    measured; raises RerankError `base_model_changed` where its files are others now.
    """
    unlimited = dataclasses.replace(plan, budget=Budget())
    ready = prepare(unlimited, (strategy,), device, reporter)
    if base_digest is not None:
        ready.bench.source.check_is(base_digest)
    fold = refit_fold(ready.bench.dataset, plan)
    bench = dataclasses.replace(ready.bench, folds=(fold,), lanes=1)  # its stages follow each other
    nodes = stage_graph((strategy,), 1, plan.seeds[:1])
    trials = search_graph(plan, nodes)
    expect_stages(bench, nodes + trials)
    bench.meter.expect(scored_pairs=bench.scored_pairs(fold.dev))
    reporter.progress(phase="encoding")
    embedding, _ = ready.similarities.of_pairs(ready.candidates.frame)
    teaching = teaching_of(bench, (strategy,), embedding, ready.similarities)
    teaching = with_unlabelled(bench, (strategy,), teaching, ready.similarities)
    if teaching.local is not None:
        teaching.local.release()
    check_trainable(bench, nodes, teaching)
    reporter.progress(phase="training")
    search_settings(bench, trials, teaching)
    expect_stages(bench, nodes, teaching)  # with the settings that were chosen
    known = train_stages(bench, nodes, teaching)
    records = tuple(known[node] for node in nodes)
    digest = str(records[-1]["digest"])
    folder = stage_folder(digest) / "model"
    ranking, latencies = timed_ranking(bench, folder, digest, fold.dev)
    weights = fused_score = None
    if strategy.endswith(FUSION):
        asked = dataclasses.replace(fold, test=fold.dev)  # a refit has nothing to test
        found = Fuser(bench, embedding).fuse(asked, ranking, ranking, n_train=len(fold.train))
        weights, fused_score = found.weights, found.dev_score
    return Refit(
        bench=bench,
        folder=folder,
        seed=plan.seeds[0],
        records=records,
        settings=tuple(dataclasses.asdict(settings_of(bench, node)[0]) for node in nodes),
        weights=weights,
        fused_dev_score=fused_score,
        latencies_ms=tuple(latencies),
    )
