"""One experiment from locked plan to result; every step finds on disk what an earlier run finished."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rerank import __version__
from rerank.cost.prices import current_prices, device_price
from rerank.errors import RerankError
from rerank.evaluation.rankings import ranking_of
from rerank.intake.storage import load_dataset
from rerank.models.devices import Device, pick_device
from rerank.models.passages import truncation_of
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.check import plan_from_dict
from rerank.planning.experiments import (
    experiment_folder,
    forecast_path,
    gates,
    load_locked,
    load_result,
    spent_path,
)
from rerank.planning.graph import StageNode, curve_graph, distils, path_of, search_graph, stage_graph
from rerank.planning.looks import earlier_looks, record_look
from rerank.planning.losses import check_uploaded
from rerank.planning.plan import FUSION, LANGUAGE_MODELS, LOCAL_MODELS, Plan, single_stage_part
from rerank.planning.splits import evaluable_queries, folds_of, unsealed_queries
from rerank.report.files import read_log
from rerank.report.inheritance import scope_of
from rerank.report.result import Ran, write_result
from rerank.retrieval.candidates import recall_ceiling
from rerank.retrieval.unlabelled import unlabelled_queries
from rerank.store.artefacts import write_json
from rerank.worker.asking import check_askable, forecast_of
from rerank.worker.auditing import pass_the_gate
from rerank.worker.calibration import calibrate
from rerank.worker.first_stage import Candidates, Similarities, candidate_lists
from rerank.worker.fusing import Fuser
from rerank.worker.lanes import is_set, lanes_for, train_stages
from rerank.worker.local_teacher import LocalTeacher, local_source
from rerank.worker.material import trained_pairs
from rerank.worker.meter import Meter
from rerank.worker.reporter import Reporter
from rerank.worker.search import search_settings
from rerank.worker.stages import check_trainable, expect_stages
from rerank.worker.strategies import StageRun, curve_points, ranked_pairs, stage_run, trained_run, untrained_runs
from rerank.worker.tasks import judged_tasks
from rerank.worker.teaching import teaching_of, with_unlabelled
from rerank.worker.workbench import Workbench, named


@dataclass(frozen=True)
class ExperimentSpec:
    """What to execute: an experiment's id, how far (`gate` 1: single stages only; 2: all), and where."""

    experiment: str
    gate: int = 2
    device: str = "auto"


@dataclass(frozen=True)
class Prepared:
    """What an experiment works on, loaded."""

    bench: Workbench
    candidates: Candidates
    similarities: Similarities
    names: tuple[str, ...]
    nodes: list[StageNode]  # the strategies' trainings, then those of the learning curve
    trials: list[StageNode]  # what a search of settings trains besides

    def without(self, left_out: Collection[str]) -> "Prepared":
        """Return the same without some strategies and what only they would train."""
        plan, n_folds = self.bench.plan, len(self.bench.folds)
        names = tuple(name for name in self.names if name not in left_out)
        nodes = stage_graph(names, n_folds, plan.seeds)
        trials = search_graph(plan, nodes)
        return dataclasses.replace(self, names=names, nodes=nodes + curve_graph(plan, names, n_folds), trials=trials)


def prepare(
    plan: Plan,
    names: tuple[str, ...],
    device: Device,
    reporter: Reporter,
    spent: Path | None = None,
    *,
    trains: bool = False,
) -> Prepared:
    """Load what an experiment works on: data, folds, candidates, base model, stage graph.

    trains: all of it will be trained, so that the meter hears of it before an encoder begins.
    """
    reporter.progress(phase="preparing", device=device.kind, device_name=device.name)
    dataset = load_dataset(plan.dataset_digest)
    meter = Meter(reporter, device_price(device.kind, device.name, current_prices()), plan.budget, spent)
    folds = tuple(folds_of(dataset, plan))
    source = find_model(plan.base_model)
    if source.max_length is not None and plan.max_length > source.max_length:
        raise RerankError(
            "plan_longer_than_model", model=source.name, max_length=plan.max_length, most=source.max_length
        )
    headless = {"base", f"base{FUSION}"} & set(names)
    if headless and not source.has_head:
        reporter.event("strategy_left_out", strategy="base", reason="no_trained_head")
        names = tuple(name for name in names if name not in headless)
    if distils(plan.strategies) and plan.teacher == "uploaded":
        if dataset.teacher_scores is None:
            raise RerankError("no_teacher_scores", dataset=dataset.name)
        check_uploaded(plan.distillation.loss, dataset.teacher_scores)
    if distils(names) and plan.teacher in LANGUAGE_MODELS:
        check_askable(plan)
    if distils(names) and plan.teacher in LOCAL_MODELS:
        local_source(plan)
    evaluable = evaluable_queries(dataset, plan)
    bench = Workbench(
        plan=plan,
        dataset=dataset,
        folds=folds,
        device=device,
        source=source,
        tokens=TokenStore(load_tokenizer(source.folder)),
        candidates=pd.DataFrame(),
        candidates_digest="",
        reporter=reporter,
        meter=meter,
        unlabelled=unlabelled_queries(dataset, plan, evaluable) if distils(plan.strategies) else (),
    )
    nodes = stage_graph(names, len(folds), plan.seeds)
    trials = search_graph(plan, nodes)
    nodes += curve_graph(plan, names, len(folds))
    if trains:
        for node in nodes + trials:  # how many pairs their tests score depends on the candidates
            meter.lies_ahead(node, trained_pairs=trained_pairs(bench, node))
    similarities = Similarities(dataset, device, meter)
    reporter.progress(phase="candidates")
    candidates = candidate_lists(dataset, plan, evaluable, similarities)
    bench = dataclasses.replace(bench, candidates=candidates.frame, candidates_digest=candidates.digest)
    bench = dataclasses.replace(bench, lanes=lanes_for(plan, bench))
    return Prepared(bench, candidates, similarities, names, nodes, trials)


def run_forecast(spec: Mapping[str, Any], reporter: Reporter) -> None:
    """Predict time and cost of a plan from a calibration on this device; nothing is trained.

    spec: `plan` (plain types), `device`. Writes `forecasts/<plan digest>.<device>.json` with the forecast of
    gate 1 and of everything, and the candidates' recall ceiling over the evaluable queries that are not sealed.
    """
    plan = plan_from_dict(spec["plan"])
    device = pick_device(str(spec["device"]))
    ready = prepare(plan, plan.strategies, device, reporter)
    bench = ready.bench
    first = tuple(name for name in single_stage_part(plan) if name in ready.names)
    queries = unsealed_queries(bench.dataset, plan)  # nothing is known of the others before the lock
    judged = bench.dataset.judgments[bench.dataset.judgments["query_id"].isin(queries)]
    teacher = _teacher_forecast(bench, ready.names)
    gate_1 = calibrate(bench, _first_gate(plan, first, len(bench.folds)), first)
    found = {
        "device": {"kind": device.kind, "name": device.name},
        "gate_1": _with_local_teacher(gate_1, teacher if distils(first) else None),
        "all": _with_local_teacher(calibrate(bench, ready.nodes + ready.trials, ready.names), teacher),
        "teacher": teacher,
        "recall_ceiling": recall_ceiling(ready.candidates.frame, judged, plan.relevant_grade),
        "has_trained_head": bench.source.has_head,
        "n_test_queries": sum(len(fold.test) for fold in bench.folds),
        "n_train_queries": round(sum(len(fold.train) for fold in bench.folds) / len(bench.folds)),
    }
    write_json(forecast_path(plan, str(spec["device"])), found)
    reporter.event("forecast_done", **found)
    reporter.progress(phase="done", share=1.0)


def _teacher_forecast(bench: Workbench, names: Sequence[str]) -> dict[str, Any] | None:
    """Return what a teacher's word will cost, money for questions or time of this device; None where it is free."""
    if not distils(names) or bench.plan.teacher not in (*LANGUAGE_MODELS, *LOCAL_MODELS):
        return None
    tasks, n_more = judged_tasks(bench), len(bench.unlabelled)
    if bench.plan.teacher in LANGUAGE_MODELS:
        return forecast_of(bench, tasks, n_more)
    teacher = LocalTeacher(bench)
    n_pairs = sum(len(task.documents) for task in tasks)
    found = teacher.forecast(len(tasks) + n_more, round(n_pairs * (1 + n_more / max(1, len(tasks)))))
    teacher.release()
    return found


def _with_local_teacher(found: dict[str, Any], teacher: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a forecast of device time with what a teacher takes of the same device."""
    if teacher is None or "seconds" not in teacher:
        return found
    pairs = {"seconds": "seconds", "seconds_low": "seconds_low", "seconds_high": "seconds_high"}
    pairs |= {"cost_usd": "usd", "cost_usd_low": "usd_low", "cost_usd_high": "usd_high"}
    return {**found, **{mine: found[mine] + teacher[theirs] for mine, theirs in pairs.items()}}


def _first_gate(plan: Plan, names: tuple[str, ...], n_folds: int) -> list[StageNode]:
    nodes = stage_graph(names, n_folds, plan.seeds)
    return nodes + curve_graph(plan, names, n_folds) + search_graph(plan, nodes)


def _as_begun(ready: Prepared, earlier: Sequence[Mapping[str, Any]]) -> Prepared:
    """Return an experiment as an earlier start began it: the same base model, and as many stages side by side.

    How many follows from the machine, and a container with less memory than before would train everything anew: where
    that is too much, a lane that is lost is continued alone. Raises RerankError `base_model_changed`.
    """
    if not earlier:
        return ready
    bench, last = ready.bench, earlier[-1]
    bench.source.check_is(str(last["base_model"]))
    lanes = int(last["concurrent_stages"])
    same_way = dataclasses.replace(bench, lanes=lanes)
    if lanes == bench.lanes or is_set() or _way_of(same_way) != last["computed_with"]:
        return ready
    return dataclasses.replace(ready, bench=same_way)


def _way_of(bench: Workbench) -> str:
    """Return in words what could move a number besides plan and data, but for the device's name."""
    numerics = bench.training_device.numerics()
    threads = f"{numerics['n_threads']} threads, " if "n_threads" in numerics else ""
    return f"{numerics['dtype']}, {threads}torch {numerics['torch']}, transformers {numerics['transformers']}"


def run_experiment(spec: ExperimentSpec, reporter: Reporter) -> None:
    """Execute an experiment up to its gate and write its result.

    Raises RerankError for what the user can mend, and `Stopped` when asked to stop.
    """
    plan, locked = load_locked(spec.experiment)
    device = pick_device(spec.device)
    log = read_log(experiment_folder(spec.experiment))
    starts = [event for event in log if event.get("event") == "started"]
    earlier = [event for event in log if event.get("event") == "prepared"]
    reporter.event("started", device=device.kind, device_name=device.name, gate=spec.gate, code_version=__version__)
    known = load_result(spec.experiment)
    gate = max(spec.gate, known["gate"] if known else 1)  # an answer of gate 2 is not taken back
    wanted = single_stage_part(plan) if gate == 1 else plan.strategies
    ready = prepare(plan, wanted, device, reporter, spent_path(spec.experiment), trains=True)
    ready = _as_begun(ready, earlier)
    bench, names, nodes, candidates = ready.bench, ready.names, ready.nodes, ready.candidates
    way = _way_of(bench)
    reporter.event("prepared", base_model=bench.source.digest, concurrent_stages=bench.lanes, computed_with=way)
    expect_stages(bench, nodes + ready.trials)
    ranked = sum(ranked_pairs(bench, node, names) for node in nodes)
    bench.meter.expect(scored_pairs=ranked)
    teacher = _teacher_forecast(bench, names)
    forecast = {**_with_local_teacher(calibrate(bench, nodes + ready.trials, names), teacher), "teacher": teacher}
    reporter.event("forecast", **forecast)
    reporter.progress(phase="encoding")
    embedding, embedding_ms = ready.similarities.of_pairs(candidates.frame)
    teaching = teaching_of(bench, names, embedding, ready.similarities)
    gated = pass_the_gate(spec.experiment, bench, embedding, ready.similarities, teaching, names)
    if gated.left_out:
        planned = {*nodes, *ready.trials}
        ready = ready.without(gated.left_out)
        for node in planned.difference(ready.nodes, ready.trials):
            bench.meter.lies_ahead(node)
        names, nodes = ready.names, ready.nodes
        forecast |= calibrate(bench, nodes + ready.trials, names)  # what is left to do
    teaching = with_unlabelled(bench, names, teaching, ready.similarities)
    if teaching.local is not None:
        teaching.local.release()
    test_queries = tuple(query for fold in bench.folds for query in fold.test)
    with_dev = scope_of(plan, test_queries, teaching.scores, names) == "development"
    now_ranked = sum(ranked_pairs(bench, node, names, with_dev=with_dev) for node in nodes)
    bench.meter.expect(scored_pairs=now_ranked - ranked)
    check_trainable(bench, nodes, teaching)
    fuser = Fuser(bench, embedding)
    runs = untrained_runs(bench, names, candidates, embedding, embedding_ms, fuser)
    done: dict[StageNode, StageRun] = {}
    reporter.progress(phase="training")
    search_settings(bench, ready.trials, teaching)
    expect_stages(bench, nodes, teaching)  # with the settings that were chosen
    records = train_stages(bench, nodes, teaching)
    reporter.progress(phase="ranking")  # alone on the device: it measures how long a query waits
    for node in nodes:
        is_fused = f"{node.strategy}{FUSION}" in names
        done[node] = stage_run(bench, node, records[node], fuser, is_fused=is_fused, with_dev=with_dev)
    runs += [trained_run(bench, name, done, embedding_ms) for name in names if path_of(name)]
    reporter.progress(phase="comparing")
    bench.tokenize(list(candidates.frame["query_id"]), list(candidates.frame["doc_id"]))
    texts = dict(zip(bench.dataset.queries["query_id"], bench.dataset.queries["text"], strict=True))
    ran = Ran(
        experiment=spec.experiment,
        gate=gate,
        plan=plan,
        locked=locked,
        dataset=bench.dataset,
        device_kind=device.kind,
        device_name=device.name,
        numerics=bench.training_device.numerics(),
        concurrent_stages=bench.lanes,
        computed_with=tuple(dict.fromkeys([*(str(event["computed_with"]) for event in earlier), way])),
        base_model=bench.source.name,
        base_model_digest=bench.source.digest,
        has_head=bench.source.has_head,
        test_queries=test_queries,
        dev_queries=tuple(sorted({query for fold in bench.folds for query in fold.dev})),
        candidates=candidates.frame,
        candidates_digest=candidates.digest,
        teacher_scores=teaching.scores,
        asked=teaching.asked.record if teaching.asked is not None else None,
        local_teacher=teaching.local_record,
        teacher_audit=gated.audit,
        embedding_scores=ranking_of(candidates.frame, embedding),
        truncation=dataclasses.asdict(truncation_of(bench.reading, bench.tokens, named(candidates.frame))),
        encoder_seconds=ready.similarities.seconds,
        forecast=forecast,
        job_seconds=bench.meter.seconds,
        job_usd=bench.meter.usd,
        runs=tuple(runs),
        curve=curve_points(bench, names, done),
        unlabelled_counts={
            "log": sum(not item.is_pseudo for item in bench.unlabelled),
            "documents": sum(item.is_pseudo for item in bench.unlabelled),
        },
        choices=tuple((kind, fold, trial) for (kind, fold), trial in sorted(bench.choices.items())),
        starts=tuple(starts),
        gates=tuple(gates(spec.experiment)),
        earlier_looks=tuple(earlier_looks(plan.dataset_digest, spec.experiment, test_queries, texts)),
    )
    # The look comes first: a result that somebody has seen must never lack it, whenever the process is killed.
    record_look(plan.dataset_digest, spec.experiment, test_queries, texts)
    write_result(ran, experiment_folder(spec.experiment))
    bench.meter.tell()
    bench.meter.save()
    reporter.progress(phase="done", share=1.0, seconds_left=0.0)
    reporter.event("done", seconds=round(bench.meter.seconds, 1))
