"""From finished stages to strategies: whose rankings they are, what they cost, how far they moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from rerank.decide.choice import is_model_alone, lead_of
from rerank.evaluation.rankings import kendall_tau, ranking_of
from rerank.planning.graph import StageNode, path_of
from rerank.planning.plan import FUSION
from rerank.report.ran import CurvePoint, StrategyRun
from rerank.training.movement import relative_weight_change
from rerank.worker.first_stage import Candidates
from rerank.worker.fusing import Fused, Fuser
from rerank.worker.ranking import rank_queries, timed_ranking
from rerank.worker.stages import stage_folder
from rerank.worker.workbench import Workbench


@dataclass(frozen=True)
class StageRun:
    """A finished stage with its ranking of the test queries, milliseconds per query, and its fusion if planned.

    latencies_ms: of a stage that learns from all its training queries; a curve's points are ranked in bulk.
    dev: the ranking of its development queries, if that is needed.
    """

    record: Mapping[str, Any]
    ranking: pd.DataFrame
    latencies_ms: tuple[float, ...]
    fused: Fused | None
    dev: pd.DataFrame | None = None


def ranked_pairs(bench: Workbench, node: StageNode, names: Sequence[str], *, with_dev: bool = False) -> int:
    """Return how many pairs a stage's model will score after its training; with_dev: as `stage_run` is told."""
    if node.trial:
        return 0  # a search looks at development queries only
    fold = bench.folds[node.fold]
    needs_dev = f"{node.strategy}{FUSION}" in names or (with_dev and node.share == 1.0)
    queries = fold.test + (fold.dev if needs_dev else ())
    return bench.scored_pairs(queries)


def stage_run(
    bench: Workbench,
    node: StageNode,
    record: Mapping[str, Any],
    fuser: Fuser,
    *,
    is_fused: bool,
    with_dev: bool = False,
) -> StageRun:
    """Rank a stage's test queries, and fuse them with weights from its development queries.

    with_dev: rank the development queries in any case, for a stage that learns from all its training queries.
    """
    fold = bench.fold_of(node)
    digest = str(record["digest"])
    folder = stage_folder(digest) / "model"
    latencies: list[float] = []
    if node.share == 1.0:
        ranking, latencies = timed_ranking(bench, folder, digest, fold.test)
    else:
        ranking = rank_queries(bench, folder, digest, fold.test)
    fused, dev = None, None
    if is_fused or (with_dev and node.share == 1.0):
        dev = rank_queries(bench, folder, digest, fold.dev)
    if is_fused:
        fused = fuser.fuse(fold, ranking, dev, n_train=len(fold.train))
    return StageRun(record, ranking, tuple(latencies), fused, dev if with_dev else None)


def untrained_runs(
    bench: Workbench,
    names: Sequence[str],
    candidates: Candidates,
    embedding: NDArray[Any],
    embedding_ms: Sequence[float],
    fuser: Fuser,
) -> list[StrategyRun]:
    """Return the runs of the planned strategies that train nothing."""
    tests = [query for fold in bench.folds for query in fold.test]
    part = bench.candidates_of(tests)
    first = ranking_of(part, -part["rank"].to_numpy(dtype="float64"))
    runs = [_free("first-stage", first, candidates.latencies_ms)]
    if "embedding" in names:
        whole = ranking_of(candidates.frame, embedding)
        mine = whole[whole["query_id"].isin(set(tests))].reset_index(drop=True)
        runs.append(_free("embedding", mine, tuple(embedding_ms)))
    if f"embedding{FUSION}" in names:
        found = [fuser.fuse(fold) for fold in bench.folds]
        runs.append(_free(f"embedding{FUSION}", _together(found), tuple(embedding_ms), _weights(found)))
    if "base" in names or f"base{FUSION}" in names:
        bench.meter.expect(scored_pairs=bench.scored_pairs(tests))
        base = bench.source
        ranking, latencies = timed_ranking(bench, base.folder, base.digest, tests)
        if "base" in names:
            runs.append(_free("base", ranking, tuple(latencies)))
        if f"base{FUSION}" in names:
            found = []
            for fold in bench.folds:
                bench.meter.expect(scored_pairs=bench.scored_pairs(fold.dev))
                dev = rank_queries(bench, base.folder, base.digest, fold.dev)
                found.append(fuser.fuse(fold, ranking, dev))
            slower = _with_encoder(latencies, embedding_ms)
            runs.append(_free(f"base{FUSION}", _together(found), slower, _weights(found)))
    return runs


def _free(
    name: str,
    ranking: pd.DataFrame,
    latencies_ms: tuple[float, ...] | None,
    weights: tuple[Mapping[str, float], ...] = (),
) -> StrategyRun:
    return StrategyRun(name, {0: ranking}, None, latencies_ms, 0.0, 0.0, fusion_weights=weights)


def _together(found: Sequence[Fused]) -> pd.DataFrame:
    return pd.concat([item.ranking for item in found], ignore_index=True)


def _fusions(name: str, nodes: Sequence[StageNode], done: Mapping[StageNode, StageRun]) -> list[Fused]:
    """Return the fusion of each training of a fused strategy; of a plain one there is none."""
    if not name.endswith(FUSION):
        return []
    return [fused for node in nodes if (fused := done[node].fused) is not None]


def _weights(found: Sequence[Fused]) -> tuple[Mapping[str, float], ...]:
    return tuple(item.weights for item in found)


def _with_encoder(latencies_ms: Sequence[float], embedding_ms: Sequence[float]) -> tuple[float, ...]:
    """Return latencies with the encoder's mean added: a fused query is scored by both, one after the other."""
    more = sum(embedding_ms) / len(embedding_ms) if embedding_ms else 0.0
    return tuple(value + more for value in latencies_ms)


def trained_run(
    bench: Workbench, name: str, done: Mapping[StageNode, StageRun], embedding_ms: Sequence[float]
) -> StrategyRun:
    """Return a trained strategy's run over all its folds and seeds, plain or fused."""
    mine = [node for node in done if node.path == path_of(name) and node.share == 1.0]
    rankings = {node: _ranking(done[node], name) for node in mine}
    dev = [_dev_score(done[node], name) for node in mine]
    latencies = tuple(value for node in mine for value in done[node].latencies_ms)
    fusions = _fusions(name, mine, done)
    if name.endswith(FUSION):
        latencies = _with_encoder(latencies, embedding_ms)
        tau = change = None  # of the model, which its plain form tells
    else:
        tau, change = _movement(mine, done)
    whole = sum(_seconds(node, done) for node in mine)
    dev_rankings: dict[int, list[pd.DataFrame]] = {}
    for node in mine:
        found = done[node].dev
        if found is not None and not name.endswith(FUSION):  # a mixture's weights were fitted on these very queries
            dev_rankings.setdefault(node.seed, []).append(found)
    return StrategyRun(
        name=name,
        rankings={
            seed: pd.concat([rankings[node] for node in mine if node.seed == seed], ignore_index=True)
            for seed in bench.plan.seeds
        },
        dev_score=sum(dev) / len(dev),
        latencies_ms=latencies,
        train_seconds=whole / len(mine),
        poc_train_seconds=whole,
        kendall_tau=tau,
        relative_weight_change=change,
        stages=tuple(str(done[node].record["digest"]) for node in mine),
        best_epochs=tuple(int(done[node].record["best_epoch"]) for node in mine),
        fusion_weights=_weights(fusions),
        dev_rankings={seed: pd.concat(found, ignore_index=True) for seed, found in dev_rankings.items()},
        lead_of_plain=lead_of([item.leads for item in fusions]),
    )


def curve_points(bench: Workbench, names: Sequence[str], done: Mapping[StageNode, StageRun]) -> tuple[CurvePoint, ...]:
    """Return the learning curve: each planned strategy's rankings at each share of the training queries.

    All of them count as share 1, with the curve's seeds alone, so that its points differ in their queries only.
    """
    plan = bench.plan
    curve = plan.learning_curve
    if not curve.shares:
        return ()
    seeds = plan.seeds[: curve.seeds]
    found = []
    for name in curve.strategies:
        for share in (*sorted(curve.shares), 1.0):
            mine = [node for node in done if node.path == path_of(name) and node.share == share and node.seed in seeds]
            if name not in names or not mine:
                continue
            rankings = {}
            for seed in seeds:
                parts = [_ranking(done[node], name) for node in mine if node.seed == seed]
                rankings[seed] = pd.concat(parts, ignore_index=True)
            n_train = [len(bench.fold_of(node).train) for node in mine]
            dev = [_dev_score(done[node], name) for node in mine]
            fusions = _fusions(name, mine, done)
            found.append(
                CurvePoint(
                    name,
                    share,
                    round(sum(n_train) / len(n_train)),
                    sum(dev) / len(dev),
                    rankings,
                    lead_of([item.leads for item in fusions]),
                    is_model_alone(_weights(fusions)),
                )
            )
    return tuple(found)


def _ranking(run: StageRun, name: str) -> pd.DataFrame:
    if name.endswith(FUSION) and run.fused is not None:
        return run.fused.ranking
    return run.ranking


def _dev_score(run: StageRun, name: str) -> float:
    if name.endswith(FUSION) and run.fused is not None:
        return run.fused.dev_score
    return float(run.record["dev_score"])


def _seconds(node: StageNode, done: Mapping[StageNode, StageRun]) -> float:
    """Return a stage's device seconds with its ancestors', cached or not."""
    total, step = 0.0, node
    while True:
        record = done[step].record
        total += float(record["train_seconds"]) + float(record["dev_seconds"])
        if step.parent is None:
            return total
        step = step.parent


def _movement(mine: Sequence[StageNode], done: Mapping[StageNode, StageRun]) -> tuple[float | None, float | None]:
    """Return mean Kendall tau and relative weight change against the stages that these ones continue."""
    taus, changes = [], []
    for node in mine:
        if node.parent is None:
            continue
        tau = kendall_tau(done[node.parent].ranking, done[node].ranking)
        if tau is not None:
            taus.append(tau)
        before, after = (stage_folder(str(done[item].record["digest"])) / "model" for item in (node.parent, node))
        changes.append(relative_weight_change(before, after))
    return sum(taus) / len(taus) if taus else None, sum(changes) / len(changes) if changes else None
