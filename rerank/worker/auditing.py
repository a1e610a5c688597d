"""The teacher's audit inside an experiment, before it teaches, and as a job of its own."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank import __version__
from rerank.audit.answers import Answers, Asker
from rerank.audit.audit import AUDIT_VERSION, Rules, Scope, audit_teacher
from rerank.audit.records import AUDIT, audit_path, override_of
from rerank.cost.prices import current_prices, device_price
from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.storage import load_dataset
from rerank.models.devices import pick_device
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.check import plan_from_dict
from rerank.planning.experiments import experiment_folder, now
from rerank.planning.graph import distils
from rerank.planning.plan import LANGUAGE_MODELS, LOCAL_MODELS, FirstStage, Plan
from rerank.planning.splits import evaluable_queries, folds_of
from rerank.store.artefacts import read_json, read_or_none, read_parquet, write_json
from rerank.worker.asking import check_askable
from rerank.worker.first_stage import Similarities, candidate_lists
from rerank.worker.local_teacher import local_source
from rerank.worker.meter import Meter
from rerank.worker.ranking import rank_queries
from rerank.worker.reporter import Reporter
from rerank.worker.teaching import ASKED, Teaching, teaching_of
from rerank.worker.workbench import Workbench

_KEY = ["query_id", "doc_id"]
MOST_SCORED = 1000  # documents of a query that an audit without a plan looks at


@dataclass(frozen=True)
class AuditSpec:
    """What to audit: a plan (plain types) on its dataset, and where its JSON goes besides.

    is_planned: whether the plan is the user's: then its test queries stay out. scores: a Parquet file with uploaded
    scores that are not in the dataset. model, judge: names, "" when unknown.
    """

    plan: Mapping[str, Any]
    is_planned: bool
    scores: str | None = None
    model: str = ""
    judge: str = ""
    device: str = "auto"


def audited_queries(plan: Plan, bench: Workbench) -> tuple[tuple[str, ...], Scope]:
    """Return the queries that an experiment's audit may look at: never a sealed test query.

    With folds every query is tested once, so nothing is sealed and all of them count.
    """
    if plan.split.kind == "holdout":
        return bench.folds[0].train + bench.folds[0].dev, "development"
    return tuple(query for fold in bench.folds for query in fold.test), "folds"


def audit(
    bench: Workbench,
    embedding: NDArray[np.float64],
    similarities: Similarities,
    teaching: Teaching,
    queries: Sequence[str],
    scope: Scope,
) -> dict[str, Any]:
    """Return the audit of a plan's teacher, from disk when it is there. embedding: similarity of every candidate."""
    plan = bench.plan
    extras = teaching.extras
    digest = digest_of(
        {
            "teacher": teaching.digest,
            "extras": extras.identity(),
            "dataset": bench.dataset.digest,
            "candidates": bench.candidates_digest,
            "queries": list(queries),
            "scope": scope,
            "rules": [plan.primary_measure, plan.relevant_grade, plan.margin, plan.alpha, plan.split.seed],
            "student": bench.source.digest,
            "reading": [plan.max_length, plan.passages],
            "numerics": bench.device.numerics(),
            "version": AUDIT_VERSION,
        }
    )
    path = audit_path(digest)
    known: dict[str, Any] | None = read_or_none(read_json, path)
    if known is not None:
        return known
    bench.reporter.progress(phase="auditing")
    similar = bench.candidates[_KEY].assign(embedding=embedding)
    rows = bench.candidates_of(queries)
    near = rows[_KEY].merge(similar, on=_KEY, how="left")["embedding"].to_numpy(dtype=np.float64)
    is_embedding = plan.teacher == "embedding"
    said = pd.DataFrame([(*pair, score) for pair, score in teaching.scores.items()], columns=[*_KEY, "score"])
    found = audit_teacher(
        plan.teacher,
        Answers(said, extras, _asker(bench, similarities, teaching)),
        bench.dataset,
        rows,
        {} if is_embedding else {"embedding": near},
        _student(bench, rows, queries, None if is_embedding else near),
        Rules(plan.primary_measure, plan.relevant_grade, plan.margin, plan.alpha, plan.split.seed, scope),
    )
    record = {"digest": digest, "created_at": now(), "code_version": __version__, **_about(bench), **found}
    write_json(path, record)
    return record


@dataclass(frozen=True)
class Gated:
    """An experiment's audit as its result shows it (None when nothing distils) and the strategies that it stopped."""

    audit: Mapping[str, Any] | None
    left_out: tuple[str, ...]


def pass_the_gate(
    experiment: str,
    bench: Workbench,
    embedding: NDArray[np.float64],
    similarities: Similarities,
    teaching: Teaching,
    names: Sequence[str],
) -> Gated:
    """Audit the plan's teacher, keep the audit with the experiment, and stop what a red teacher would teach.

    A recorded override of this very audit lets it teach.
    """
    # A teacher that costs something was asked only if somebody is to learn from it now.
    if not distils(names if bench.plan.teacher in ASKED else bench.plan.strategies):
        return Gated(None, ())
    found = audit(bench, embedding, similarities, teaching, *audited_queries(bench.plan, bench))
    write_json(experiment_folder(experiment) / AUDIT, found)
    is_red = found["colour"] == "red"
    override = override_of(experiment, found["digest"]) if is_red else None
    is_blocked = is_red and override is None
    left_out = tuple(name for name in names if distils([name])) if is_blocked else ()
    for name in left_out:
        bench.reporter.event("strategy_left_out", strategy=name, reason="teacher_red")
    shown = {name: value for name, value in found.items() if name != "disagreements"}
    return Gated({**shown, "blocked": is_blocked, "left_out": list(left_out), "override": override}, left_out)


def _about(bench: Workbench) -> dict[str, Any]:
    first = bench.plan.first_stage
    return {
        "dataset": {"digest": bench.dataset.digest, "name": bench.dataset.name},
        "first_stage": first.kind,
        "pool": first.pool,
    }


def _student(
    bench: Workbench, rows: pd.DataFrame, queries: Sequence[str], near: NDArray[np.float64] | None
) -> tuple[str, NDArray[np.float64] | None]:
    """Return what the student starts from: the base model, or the embedding when its head is not trained."""
    if not bench.source.has_head:
        return "embedding", near
    bench.meter.expect(scored_pairs=bench.scored_pairs(queries))
    ranking = rank_queries(bench, bench.source.folder, bench.source.digest, queries)
    scores = rows[_KEY].merge(ranking[[*_KEY, "score"]], on=_KEY, how="left")["score"]
    return "base", scores.to_numpy(dtype=np.float64)


def _asker(bench: Workbench, similarities: Similarities, teaching: Teaching) -> Asker | None:
    """Return how the teacher is asked about texts that are not in the dataset, None where it costs or cannot be."""
    if teaching.local is not None:
        return teaching.local.ask
    if bench.plan.teacher != "embedding":
        return None

    def ask(probes: pd.DataFrame) -> NDArray[np.float64]:
        queries, _ = bench.texts(set(probes["query_id"]), ())
        names = [str(number) for number in range(len(probes))]
        documents = dict(zip(names, probes["text"], strict=True))
        return similarities.of_texts(queries, documents, probes.assign(doc_id=names).reset_index(drop=True))

    return ask


def run_audit(spec: AuditSpec, reporter: Reporter, out: Path) -> None:
    """Audit a teacher without training anything, and write the audit to `out`.

    Raises RerankError for what the user can mend.
    """
    plan = plan_from_dict(spec.plan)
    device = pick_device(spec.device)
    reporter.progress(phase="preparing", device=device.kind, device_name=device.name)
    dataset = load_dataset(plan.dataset_digest)
    if spec.scores is not None:
        dataset = dataclasses.replace(dataset, teacher_scores=read_parquet(Path(spec.scores)))
        dataset = dataclasses.replace(dataset, digest=digest_of([dataset.digest, Path(spec.scores).stem]))
    if plan.teacher == "uploaded" and dataset.teacher_scores is None:
        raise RerankError("no_teacher_scores", dataset=dataset.name)
    if plan.teacher in LANGUAGE_MODELS:
        check_askable(plan)
    if plan.teacher in LOCAL_MODELS:
        local_source(plan)
    meter = Meter(reporter, device_price(device.kind, device.name, current_prices()), plan.budget)
    similarities = Similarities(dataset, device, meter)
    source = find_model(plan.base_model)
    reporter.progress(phase="candidates")
    evaluable = evaluable_queries(dataset, plan)
    if not evaluable:
        raise RerankError("no_judged_queries", dataset=dataset.name)
    listed, searched = dataset, plan
    pool: str = plan.first_stage.pool
    if not spec.is_planned and plan.teacher == "uploaded":
        listed, searched = _scored_only(dataset, plan)
        pool = "scored"
    candidates = candidate_lists(listed, searched, evaluable, similarities)
    bench = Workbench(
        plan=plan,
        dataset=dataset,
        folds=tuple(folds_of(dataset, plan)) if spec.is_planned else (),
        device=device,
        source=source,
        tokens=TokenStore(load_tokenizer(source.folder)),
        candidates=candidates.frame,
        candidates_digest=candidates.digest,
        reporter=reporter,
        meter=meter,
    )
    queries: Sequence[str] = evaluable
    scope: Scope = "judged"
    if spec.is_planned:
        queries, scope = audited_queries(plan, bench)
    reporter.progress(phase="encoding")
    embedding, _ = similarities.of_pairs(candidates.frame)
    teaching = teaching_of(bench, ("D",), embedding, similarities)
    extras = dataclasses.replace(
        teaching.extras, model=spec.model or teaching.extras.model, judge=spec.judge or teaching.extras.judge
    )
    found = audit(bench, embedding, similarities, dataclasses.replace(teaching, extras=extras), queries, scope)
    write_json(out, {**found, "pool": pool})
    reporter.progress(phase="done", share=1.0)


def _scored_only(dataset: Dataset, plan: Plan) -> tuple[Dataset, Plan]:
    """Return what makes the documents that the teacher scored the candidates: a search among those alone."""
    scored = dataset.teacher_scores
    if scored is None:
        raise RerankError("no_teacher_scores", dataset=dataset.name)
    digest = digest_of([dataset.digest, "scored"])
    kind = plan.first_stage.searched_with
    first = FirstStage(kind=kind, pool="judged", depth=MOST_SCORED)
    return (
        dataclasses.replace(dataset, digest=digest, judgments=scored[_KEY].assign(grade=1)),
        dataclasses.replace(plan, first_stage=first),
    )
