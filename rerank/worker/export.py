"""The export: refit the chosen strategy, write a folder that other programs load, and measure its ONNX files."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank import __version__
from rerank.errors import RerankError
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.models.devices import pick_device
from rerank.models.onnx_files import (
    TOLERANCE,
    OnnxEncoder,
    check_equal,
    export_onnx,
    quantize,
    require_onnx,
)
from rerank.models.passages import PairScorer
from rerank.models.sources import ModelSource
from rerank.models.token_store import PairTemplate
from rerank.planning.experiments import experiment_folder, export_folder, load_locked, load_result, now
from rerank.planning.graph import distils
from rerank.report.evidence import evidence_of
from rerank.report.exported import CARDS, RECORD, strategy_to_export
from rerank.report.files import read_seed_scores
from rerank.store.artefacts import read_json, replace_folder, settle_folder, write_json, write_text
from rerank.wording.card import card_text
from rerank.worker.ranking import scores_one_by_one
from rerank.worker.refit import Refit, refit
from rerank.worker.reporter import Reporter
from rerank.worker.workbench import Workbench

SCHEMA_VERSION = 1
ONNX, INT8 = "onnx/model.onnx", "onnx/model_int8.onnx"
N_CHECKED = 32  # pairs whose logits are compared between torch and ONNX
# Older programs read these instead of tokenizer.json; they are copied when the base model has them.
_VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "special_tokens_map.json",
)
# What a tokenizer was once called with is no part of the model.
_LEFT_OVER = ("max_length", "stride", "pad_to_multiple_of", "truncation_strategy", "is_local", "local_files_only")


@dataclass(frozen=True)
class ExportSpec:
    """What to export: a strategy of an experiment's result (None: the recommended one), with which ONNX files."""

    experiment: str
    strategy: str | None = None
    onnx: bool = False
    int8: bool = False
    device: str = "auto"


def run_export(spec: ExportSpec, reporter: Reporter) -> None:
    """Refit a strategy and write `exports/<experiment>/<strategy>`: model, cards, `export.json`, ONNX files if wanted.

    The folder appears whole. Raises RerankError for what the user can mend, and `Stopped` when asked to stop.
    """
    if spec.onnx or spec.int8:
        require_onnx()
    plan, locked = load_locked(spec.experiment)
    result = load_result(spec.experiment)
    if result is None:
        raise RerankError("no_result_yet", experiment=spec.experiment)
    strategy = strategy_to_export(result, spec.strategy)
    target = export_folder(spec.experiment, strategy)
    settle_folder(target)
    measured = result["base_model"].get("digest")  # older results do not say
    trained = refit(plan, strategy, pick_device(spec.device), reporter, base_digest=measured)
    reporter.progress(phase="exporting")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(trained.folder, part)
    settle_tokenizer(part, trained.bench.source, plan.max_length)
    by_seed = read_seed_scores(experiment_folder(spec.experiment))
    record = _record(trained, strategy, result, locked, evidence_of(result, by_seed, strategy))
    record["onnx"], record["int8"] = (
        _onnx_files(trained, part, with_int8=spec.int8) if spec.onnx or spec.int8 else (None, None)
    )
    for language, name in CARDS.items():
        write_text(part / name, card_text(language, record))
    write_json(part / RECORD, record)
    replace_folder(part, target)
    reporter.event("exported", strategy=strategy, folder=str(target))
    reporter.progress(phase="done", share=1.0, seconds_left=0.0)


def settle_tokenizer(folder: Path, source: ModelSource, max_length: int) -> None:
    """Make every program cut pairs where the training did, pad to the longest, and find the class it knows."""
    path = folder / "tokenizer_config.json"
    config = {name: value for name, value in read_json(path).items() if name not in _LEFT_OVER}
    config["model_max_length"] = max_length
    if config.get("tokenizer_class") == "TokenizersBackend":  # the name since transformers 5
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
    write_json(path, config)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["truncation"] = {"direction": "Right", "max_length": max_length, "strategy": "LongestFirst", "stride": 0}
    tokenizer["padding"] = None
    write_text(path, json.dumps(tokenizer, ensure_ascii=False))
    # Text Embeddings Inference takes the longest pair from here, and the model's own limit without it.
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    for name in _VOCABULARIES:
        if (source.folder / name).is_file() and not (folder / name).exists():
            shutil.copyfile(source.folder / name, folder / name)


def _licence(source: ModelSource) -> str | None:
    """Return the licence that the base model's own card names, None when it names none."""
    from huggingface_hub import metadata_load

    card = source.folder / "README.md"
    try:
        found = (metadata_load(card) or {}).get("license") if card.is_file() else None
    except (ValueError, OSError):
        return None
    return str(found) if isinstance(found, str) else None


def _record(
    trained: Refit,
    strategy: str,
    result: Mapping[str, Any],
    locked: Mapping[str, Any],
    evidence: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what `export.json` and the cards say; docs/export.md explains every field."""
    bench = trained.bench
    plan, fold, last = bench.plan, bench.folds[0], trained.records[-1]
    config = read_json(trained.folder / "config.json")
    measured = result["strategies"][strategy]
    stages = [
        {
            "digest": record["digest"],
            "kind": record["strategy"].split("-then-")[-1],
            "loss": record["loss"],
            "best_epoch": record["best_epoch"],
            "dev_score": record["dev_score"],
            "train_seconds": record["train_seconds"],
            "settings": dict(settings),
        }
        for record, settings in zip(trained.records, trained.settings, strict=True)
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": now(),
        "code_version": __version__,
        "experiment": result["experiment"],
        "name": locked["name"],
        "strategy": strategy,
        "exact_model_measured": False,
        "plan": {"digest": locked["digest"], "locked_at": locked["locked_at"], "split": plan.split.kind},
        "dataset": {"digest": bench.dataset.digest, "name": bench.dataset.name},
        "base_model": {"name": bench.source.name, "digest": bench.source.digest, "licence": _licence(bench.source)},
        "model": {
            "type": config["model_type"],
            "architecture": config["architectures"][0],
            "max_length": plan.max_length,
            "passages": plan.passages,
            "bytes": sum(path.stat().st_size for path in trained.folder.glob("*.safetensors")),
            "pair": _pair(bench.tokens.template),
        },
        "training": {
            "seed": trained.seed,
            "n_train_queries": len(fold.train),
            "n_dev_queries": len(fold.dev),
            "device": {"kind": bench.device.kind, "name": bench.device.name, "dtype": bench.device.dtype},
            "stages": stages,
        },
        "fusion": None
        if trained.weights is None
        else {"weights": dict(trained.weights), "dev_score": trained.fused_dev_score},
        "dev": {
            "measure": plan.primary_measure,
            "n_queries": len(fold.dev),
            "value": last["dev_score"],
            "latency_ms": _latency(trained.latencies_ms),
            "candidate_depth": plan.first_stage.depth,
        },
        "kpi": {
            "measure": plan.primary_measure,
            "value": measured["measures"][plan.primary_measure],
            "n_queries": result["dataset"]["n_test_queries"],
            "n_seeds": len(measured["seeds"]),
            "first_stage": plan.first_stage.kind,
            "depth": plan.first_stage.depth,
            "pool": plan.first_stage.pool,
            "judged_at_10": measured["judged_at_10"],
            "comparisons": evidence,
        },
        "inheritance": result.get("inheritance") if distils([strategy]) else None,
    }


def _pair(template: PairTemplate) -> dict[str, Any]:
    return {
        "head": list(template.head),
        "middle": list(template.middle),
        "tail": list(template.tail),
        "pad_id": template.pad_id,
        "uses_types": template.uses_types,
    }


def _latency(values: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(values, 50)), "p95": float(np.percentile(values, 95))}


def _onnx_files(trained: Refit, folder: Path, *, with_int8: bool) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Write the ONNX files and return what was measured of them on the refit's development queries, on the CPU."""
    bench = trained.bench
    template, queries = bench.tokens.template, bench.folds[0].dev
    module = export_onnx(folder, template, folder / ONNX)
    bench.reporter.breathe()
    rows = bench.candidates_of(queries)
    bench.tokenize(queries, list(rows["doc_id"]))
    spread = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, N_CHECKED).astype(int))]
    pairs = bench.tokens.pairs(list(zip(spread["query_id"], spread["doc_id"], strict=True)), bench.plan.max_length)
    encoder = OnnxEncoder(folder / ONNX, template, bench.device.n_threads)
    difference = check_equal(module, encoder, pairs, template)
    bench.reporter.progress(phase="checking")
    n_files = 2 if with_int8 else 1
    bench.meter.expect(scored_pairs=n_files * bench.scored_pairs(queries))
    exact, latencies = _dev_scores(bench, encoder, rows, queries)
    facts = {
        "file": ONNX,
        "bytes": _bytes(folder / ONNX),
        "difference": difference,
        "tolerance": TOLERANCE,
        "n_checked": len(pairs),
        "dev_score": float(exact.mean()),
        "latency_ms": _latency(latencies),
        "n_threads": bench.device.n_threads,
    }
    if not with_int8:
        return facts, None
    quantize(folder / ONNX, folder / INT8)
    small = OnnxEncoder(folder / INT8, template, bench.device.n_threads)
    rounded, latencies = _dev_scores(bench, small, rows, queries)
    low, high = _interval(rounded - exact)
    return facts, {
        "file": INT8,
        "bytes": _bytes(folder / INT8),
        "dev_score": float(rounded.mean()),
        "dev_delta": float((rounded - exact).mean()),
        "ci_low": low,
        "ci_high": high,
        "latency_ms": _latency(latencies),
    }


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def _dev_scores(
    bench: Workbench, encoder: PairScorer, rows: pd.DataFrame, queries: Sequence[str]
) -> tuple[NDArray[np.float64], list[float]]:
    """Return the KPI of every development query, ranked one at a time, and milliseconds per query."""
    scores, latencies = scores_one_by_one(bench, encoder, rows)
    plan = bench.plan
    found = per_query_scores(
        ranking_of(rows, scores), bench.dataset.judgments, queries, [plan.primary_measure], plan.relevant_grade
    )
    return found["value"].to_numpy(dtype=np.float64), latencies


def _interval(differences: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the 95 % t-interval of a mean difference, None and None for a single query."""
    from scipy import stats

    n = len(differences)
    if n < 2:
        return None, None
    half = float(stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    mean = float(differences.mean())
    return mean - half, mean + half
