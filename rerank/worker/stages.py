"""Stages: each distinct training once, kept under its digest, continued after a kill."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.models.cross_encoder import load_cross_encoder, save_cross_encoder
from rerank.models.devices import threads_of
from rerank.planning.graph import StageNode
from rerank.planning.losses import TEMPERED
from rerank.store.artefacts import flush_folder, flush_tree, read_json, read_or_none, write_json, write_text
from rerank.store.home import room
from rerank.training.checkpoint import NAME as CHECKPOINT
from rerank.training.loop import Hooks, train
from rerank.worker.material import JOINT, list_maker, planned_pairs, settings_of
from rerank.worker.ranking import mean_dev_score
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench

_UNFINISHED = "model.part"  # a model while it is written


def stage_config(bench: Workbench, node: StageNode, teaching: Teaching) -> dict[str, Any]:
    """Return everything that determines a stage's weights; its digest is the stage's name.

    What does not (margin, alpha, other strategies, settings that its loss does not read) is left out, so that plans
    share their stages.
    """
    settings, loss = settings_of(bench, node)
    losses = [bench.plan.contrastive.loss, bench.plan.distillation.loss] if loss == JOINT else [loss]
    if not set(losses) & set(TEMPERED):
        settings = dataclasses.replace(settings, temperature=1.0)
    if not node.uses_judgments:
        settings = dataclasses.replace(settings, false_negative_share=0.0)
    fold = bench.fold_of(node)
    parent = node.parent
    return {
        "path": list(node.path),
        "seed": node.seed,
        "fold": node.fold,  # the order of lists is drawn from it
        "settings": dataclasses.asdict(settings),
        "joint": losses if loss == JOINT else None,
        "loss": loss,
        "max_length": bench.plan.max_length,
        "passages": bench.plan.passages,  # of development queries, which choose the epoch
        "parent": stage_digest(bench, parent, teaching) if parent else None,
        "base_model": bench.source.digest,
        "train": list(fold.train),
        "dev": list(fold.dev),
        "judgments": bench.dataset.digest,
        "relevant_grade": bench.plan.relevant_grade,
        "primary_measure": bench.plan.primary_measure,
        "candidates": bench.candidates_digest,
        "teacher": teaching.digest if node.uses_teacher else None,
        "numerics": bench.training_device.numerics(),
    }


def stage_digest(bench: Workbench, node: StageNode, teaching: Teaching) -> str:
    """Return a stage's name."""
    return digest_of(stage_config(bench, node, teaching))


def expect_stages(bench: Workbench, nodes: Sequence[StageNode], teaching: Teaching | None = None) -> None:
    """Tell the meter what trainings lie ahead; which of them are on disk is known once the teaching is."""
    for node in nodes:
        if teaching is not None and stage_record(stage_digest(bench, node, teaching)) is not None:
            bench.meter.lies_ahead(node)
        else:
            trained_pairs, dev_pairs = planned_pairs(bench, node)
            bench.meter.lies_ahead(node, trained_pairs=trained_pairs, scored_pairs=dev_pairs)


def stage_folder(digest: str) -> Path:
    """Return where a stage lies."""
    return room("stages") / digest


def stage_record(digest: str) -> dict[str, Any] | None:
    """Return what is known of a finished stage (`train_seconds` of the device, `dev_score`, ...), None before that."""
    found: dict[str, Any] | None = read_or_none(read_json, stage_folder(digest) / "record.json")
    return found


def train_stage(bench: Workbench, node: StageNode, teaching: Teaching) -> dict[str, Any]:
    """Train a node unless it is on disk already; return its record.

    The model folder loads in plain `transformers`; `config.json` and `environment.json` lie beside it.
    """
    config = stage_config(bench, node, teaching)
    digest = digest_of(config)
    folder = stage_folder(digest)
    known = stage_record(digest)
    _sweep(folder, is_finished=known is not None)
    facts = {"strategy": node.strategy, **_where(node), "stage": digest[:12]}
    if known is not None:
        bench.meter.lies_ahead(node)
        bench.reporter.event("stage_known", **facts)
        return known
    folder.mkdir(parents=True, exist_ok=True)
    bench.reporter.event("stage_started", **facts)
    # Said anew: a search may have changed its settings, and a lost process may have done a part of it.
    trained_pairs, dev_pairs = planned_pairs(bench, node)
    bench.meter.lies_ahead(node, trained_pairs=trained_pairs, scored_pairs=dev_pairs)
    settings, loss = settings_of(bench, node)
    parent = node.parent
    start = bench.source.folder
    if parent is None:
        bench.source.check_unchanged()
    else:
        start = stage_folder(stage_digest(bench, parent, teaching)) / "model"
    device = bench.training_device
    encoder = load_cross_encoder(start, bench.tokens.template, device, seed=node.seed, dropout=settings.dropout)
    fold = bench.fold_of(node)
    lists_of_epoch = list_maker(bench, node, teaching)

    def on_step(step: int, n_steps: int, value: float) -> None:
        bench.meter.did(trained_pairs=trained_pairs / n_steps, work=node)
        bench.reporter.event("step", step=step, n_steps=n_steps, loss=value, **facts)
        bench.reporter.progress(
            stage=node.strategy, step=step, n_steps=n_steps, loss=value, fold=node.fold, seed=node.seed
        )
        bench.meter.check_budget()

    with threads_of(device):
        trained = train(
            encoder,
            settings,
            loss,
            bench.tokens,
            bench.plan.max_length,
            node.seed,
            folder,
            Hooks(
                lists_of_epoch=lists_of_epoch,
                dev_score=lambda current: mean_dev_score(bench, current, fold.dev, node),
                on_step=on_step,
                breathe=bench.reporter.breathe,
                on_resume=lambda trained, tested: bench.meter.lies_ahead(
                    node, trained_pairs=(1 - trained) * trained_pairs, scored_pairs=(1 - tested) * dev_pairs
                ),
            ),
        )
    bench.source.check_unchanged()  # once more: what was read in between would be kept under another model's name
    _save_model(bench, encoder.module, folder)
    write_json(folder / "config.json", config)
    write_json(folder / "environment.json", _environment(bench))
    progress = trained.progress
    bench.meter.lies_ahead(node)  # not what early stopping has saved
    record = {
        "digest": digest,
        "strategy": node.strategy,
        "fold": node.fold,
        "seed": node.seed,
        "loss": loss,
        "n_steps": progress.step,
        "n_train_queries": len(fold.train),
        "best_epoch": progress.best_epoch,
        "dev_score": progress.best_score,
        "dev_scores": progress.dev_scores,
        "losses": progress.losses,
        # Of the device, which the stages beside this one share.
        "train_seconds": progress.train_seconds / bench.lanes,
        "dev_seconds": progress.dev_seconds / bench.lanes,
        "n_pairs": progress.n_pairs,
        "n_tokens": progress.n_tokens,
    }
    write_json(folder / "record.json", record)  # last: its presence says that the stage is whole
    (folder / CHECKPOINT).unlink(missing_ok=True)
    bench.reporter.event("stage_done", dev_score=progress.best_score, seconds=record["train_seconds"], **facts)
    return record


def check_trainable(bench: Workbench, nodes: Sequence[StageNode], teaching: Teaching) -> None:
    """Raise RerankError `nothing_to_train_on` before hours are spent, not when the stage's turn comes."""
    seen = set()
    for node in nodes:
        if (node.kind, node.fold, node.share) in seen:
            continue
        seen.add((node.kind, node.fold, node.share))
        _, loss = settings_of(bench, node)
        if not list_maker(bench, node, teaching)(0):
            raise RerankError("nothing_to_train_on", loss=loss)


def _where(node: StageNode) -> dict[str, float]:
    found: dict[str, float] = {"fold": node.fold, "seed": node.seed}
    if node.share < 1.0:
        found["share"] = node.share
    if node.trial:
        found["trial"] = node.trial
    return found


def _sweep(folder: Path, *, is_finished: bool) -> None:
    """Remove what a killed training left half written, and its checkpoint once it is finished: all as large as models.

    No other process writes into the folder: one job runs at a time, and its lanes have different stages.
    """
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
    if is_finished:
        (folder / CHECKPOINT).unlink(missing_ok=True)
        shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)


def _save_model(bench: Workbench, model: Any, folder: Path) -> None:
    part = folder / _UNFINISHED
    shutil.rmtree(part, ignore_errors=True)
    save_cross_encoder(model, bench.source.folder, part)
    write_text(part / "README.md", _card(bench))
    flush_tree(part)  # the record says that the weights are whole, also after a power failure
    shutil.rmtree(folder / "model", ignore_errors=True)
    part.rename(folder / "model")
    flush_folder(folder)


def _card(bench: Workbench) -> str:
    return (
        f"---\nbase_model: {json.dumps(bench.source.name)}\nlibrary_name: transformers\n---\n"
        "Cross-encoder re-ranker of one fold and seed of an experiment. It measures the training\n"
        "procedure; the model to ship is a final refit on all queries, which was not measured itself.\n"
    )


def _environment(bench: Workbench) -> dict[str, Any]:
    import platform

    import transformers

    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
        "device": dataclasses.asdict(bench.training_device),
        "concurrent_stages": bench.lanes,
    }
