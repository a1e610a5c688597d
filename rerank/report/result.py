"""The result of an experiment: one JSON document and the files from which it recomputes."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rerank import __version__
from rerank.cost.amounts import compute_usd, judging_usd, serving_usd_per_1k
from rerank.cost.prices import Price, current_prices, device_price, labour_price
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import oracle_ranking
from rerank.planning.business import load_business
from rerank.planning.experiments import now
from rerank.planning.graph import distils
from rerank.report.attribution import attribution
from rerank.report.ceiling import ceiling_record
from rerank.report.comparisons import FIRST, all_comparisons
from rerank.report.curve import curve_scores, learning_curve
from rerank.report.decision import decision_of
from rerank.report.deviations import deviations_of
from rerank.report.files import write_files
from rerank.report.guardrails import guardrails_of
from rerank.report.inheritance import inheritance_record
from rerank.report.money import net_benefits
from rerank.report.next_money import next_money
from rerank.report.per_query import mean_over_seeds, score_table, seed_scores
from rerank.report.ran import Ran, StrategyRun
from rerank.report.stability import stability
from rerank.report.unjudged import judgments_to_settle, stamped, unjudged_record
from rerank.retrieval.candidates import recall_ceiling
from rerank.stats.compare import Scores
from rerank.stats.comparison import Comparison

SCHEMA_VERSION = 1

__all__ = ["Ran", "StrategyRun", "write_result"]


def _json_number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as it stands in `result.json`."""
    record = dataclasses.asdict(comparison)
    record["reasons"] = list(comparison.reasons)
    return {name: _json_number(item) if isinstance(item, float) else item for name, item in record.items()}


def _strategy_record(
    ran: Ran, run: StrategyRun, by_seed: pd.DataFrame, means: pd.DataFrame, price: Price
) -> dict[str, Any]:
    mine = means[means["strategy"] == run.name].groupby("measure", sort=False)["value"].mean()
    seeds = by_seed[by_seed["strategy"] == run.name].groupby(["seed", "measure"], sort=False)["value"].mean()
    per_seed: dict[str, dict[str, float]] = {}
    for key, value in seeds.items():
        seed, measure = key if isinstance(key, tuple) else (key, "")
        per_seed.setdefault(str(seed), {})[str(measure)] = float(value)
    latencies = np.array(run.latencies_ms if run.latencies_ms else [], dtype=np.float64)
    has_latency = len(latencies) > 0
    teacher_usd = 0.0
    if distils([run.name]):
        teacher_usd = _teacher_usd(ran, price)
    moved = None
    if run.kendall_tau is not None and run.relative_weight_change is not None:
        moved = {"kendall_tau": run.kendall_tau, "relative_weight_change": run.relative_weight_change}
    return {
        "measures": {str(name): float(value) for name, value in mine.items()},
        "seeds": per_seed,
        "judged_at_10": float(mine["Judged@10"]),
        "dev_score": run.dev_score,
        "lead_of_plain": run.lead_of_plain and run.lead_of_plain.to_dict(),
        "best_epochs": list(run.best_epochs),
        "cost": {
            "train_usd": compute_usd(run.train_seconds, price),
            "train_device_seconds": run.train_seconds,
            "teacher_usd": teacher_usd,
            "serve_usd_per_1k_queries": (serving_usd_per_1k(float(latencies.mean()), price) if has_latency else None),
            "poc_train_usd": compute_usd(run.poc_train_seconds, price),
            "poc_train_device_seconds": run.poc_train_seconds,
        },
        "latency_ms": {
            "p50": float(np.percentile(latencies, 50)) if has_latency else None,
            "p95": float(np.percentile(latencies, 95)) if has_latency else None,
        },
        "moved": moved,
        "fusion_weights": [dict(weights) for weights in run.fusion_weights] or None,
        "segments": _segments(ran, run.name, means),
        "stages": list(run.stages),
    }


def _teacher_usd(ran: Ran, price: Price) -> float:
    """Return what the teacher cost: what was asked, its own or the encoder's seconds, or 0 for uploaded scores."""
    if ran.asked is not None:
        return float(ran.asked["usd"])
    if ran.local_teacher is not None:
        return compute_usd(float(ran.local_teacher["device_seconds"]), price)
    return compute_usd(ran.encoder_seconds, price) if ran.plan.teacher in ("embedding", "fusion") else 0.0


def _segments(ran: Ran, name: str, means: pd.DataFrame) -> dict[str, dict[str, float]]:
    queries = ran.dataset.queries
    segment_of = dict(zip(queries["query_id"], queries["segment"], strict=True))
    part = means[(means["strategy"] == name) & (means["measure"] == ran.plan.primary_measure)]
    found: dict[str, dict[str, float]] = {}
    for segment, rows in part.groupby(part["query_id"].map(segment_of)):
        if segment:
            found[str(segment)] = {"n_queries": len(rows), "mean": float(rows["value"].mean())}
    return found


def build_result(ran: Ran, by_seed: pd.DataFrame, curve: pd.DataFrame) -> dict[str, Any]:
    """Return the whole result as plain JSON types; `docs/result-schema.md` explains every field."""
    plan = ran.plan
    prices = current_prices()
    price = device_price(ran.device_kind, ran.device_name, prices)
    wage = labour_price(prices)
    means = mean_over_seeds(by_seed)
    comparisons = all_comparisons(ran, by_seed)
    unjudged = unjudged_record(ran, comparisons)
    comparisons = stamped(comparisons, unjudged)
    oracle = per_query_scores(
        oracle_ranking(ran.candidates, ran.dataset.judgments),
        ran.dataset.judgments,
        ran.test_queries,
        [plan.primary_measure],
        plan.relevant_grade,
    )
    strategies = {run.name: _strategy_record(ran, run, by_seed, means, price) for run in ran.runs}
    ceiling = float(oracle["value"].mean())
    first = strategies["first-stage"]["measures"][plan.primary_measure]
    test_judgments = ran.dataset.judgments[ran.dataset.judgments["query_id"].isin(list(ran.test_queries))]
    test_candidates = ran.candidates[ran.candidates["query_id"].isin(list(ran.test_queries))]
    audit = None if ran.teacher_audit is None else dict(ran.teacher_audit)
    guardrails = guardrails_of(ran, by_seed)
    n_judged = len(ran.dataset.judgments)
    free = score_table(by_seed, FIRST, plan.primary_measure, ran.test_queries)
    reference = Scores(FIRST, ran.test_queries, free, ran.candidates_digest, trained=False)
    segments = Counter(str(segment) for segment in ran.dataset.queries["segment"] if str(segment))
    business = load_business(ran.experiment)
    result: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "created_at": now(),
        "code_version": __version__,
        "experiment": ran.experiment,
        "gate": ran.gate,
        "device": {"kind": ran.device_kind, "name": ran.device_name, "concurrent_stages": ran.concurrent_stages},
        "numerics": dict(ran.numerics),
        "base_model": {
            "name": ran.base_model,
            "digest": ran.base_model_digest,
            "has_trained_head": ran.has_head,
        },
        "dataset": {
            "digest": ran.dataset.digest,
            "name": ran.dataset.name,
            "n_queries": len(ran.dataset.queries),
            "n_documents": len(ran.dataset.documents),
            "n_judgments": n_judged,
            "n_test_queries": len(ran.test_queries),
            "n_dev_queries": len(ran.dev_queries),
            "segments": dict(segments),
        },
        "plan": {
            **plan.to_dict(),
            "digest": plan.digest,
            "locked_at": ran.locked["locked_at"],
            "candidate_depth": plan.first_stage.depth,
            "measures": list(plan.measures),
        },
        "first_stage": {
            "recall_ceiling": recall_ceiling(test_candidates, test_judgments, plan.relevant_grade),
            "oracle": ceiling,
            "candidates_digest": ran.candidates_digest,
            "mean_candidates": float(len(test_candidates) / max(1, len(ran.test_queries))),
        },
        "truncation": dict(ran.truncation),
        "strategies": strategies,
        "comparisons": [comparison_record(comparison) for comparison in comparisons],
        "attribution": attribution(plan, list(strategies), comparisons),
        "learning_curve": learning_curve(ran, curve, reference),
        "unlabelled_queries": dict(ran.unlabelled_counts),
        "search": [{"learns": kind, "fold": fold, "trial": trial} for kind, fold, trial in ran.choices],
        "stability": stability(ran, by_seed, comparisons),
        "unjudged": unjudged,
        "ceiling": ceiling_record(ran, by_seed),
        "asked_teacher": dict(ran.asked) if ran.asked is not None else None,
        "local_teacher": dict(ran.local_teacher) if ran.local_teacher is not None else None,
        "teacher_audit": audit,
        "inheritance": inheritance_record(ran),
        "guardrails": guardrails,
        "looks": {"nth": 1 + len(ran.earlier_looks), "earlier": [dict(look) for look in ran.earlier_looks]},
        "business": business.to_dict() if business else None,
        "cost": {
            "currency": "USD",
            "device_price": dataclasses.asdict(price),
            "labour_price": dataclasses.asdict(wage),
            "judging_usd": judging_usd(n_judged, wage),
            "job_device_seconds": ran.job_seconds,
            "job_usd": ran.job_usd,
            "forecast": dict(ran.forecast),
        },
    }
    net_usd = net_benefits(result, business)
    result["decision"], result["gate_one"] = decision_of(ran, comparisons, ceiling - first, audit, guardrails, net_usd)
    result["deviations"] = deviations_of(ran, result["gate_one"])
    result["next_money"] = next_money(ran, by_seed, curve, result, ceiling, business)
    return result


def write_result(ran: Ran, folder: Path) -> dict[str, Any]:
    """Compute and write an experiment's result and the files that it recomputes from; return it."""
    by_seed = seed_scores(ran)
    curve = curve_scores(ran)
    result = build_result(ran, by_seed, curve)
    write_files(ran, by_seed, curve, result, judgments_to_settle(ran, result["unjudged"]), folder)
    return result
