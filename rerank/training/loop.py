"""One training: a base model and lists in, better weights out. Reads top to bottom."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder
from rerank.models.devices import Device, synchronize
from rerank.models.memory import refused_when_full
from rerank.models.token_store import TokenStore
from rerank.planning.plan import StageSettings
from rerank.training.checkpoint import Progress, load_checkpoint, save_checkpoint, weights_of
from rerank.training.lists import TrainingList
from rerank.training.step import StepGradients

CHECKPOINT_SECONDS = 30.0  # at most this much work is done twice after a kill
NAMED_QUERIES = 8  # of a step that diverged


@dataclass(frozen=True)
class Hooks:
    """What the loop calls: lists of an epoch, the development score, news, and a chance to stop.

    `on_step(step, n_steps, loss)` hears every step; `on_resume` which shares (0-1) of the steps and of the
    development tests an earlier start has done. `breathe()` is called between micro-batches
    and raises to stop the training; the next call of `train` continues from the last checkpoint.
    """

    lists_of_epoch: Callable[[int], list[TrainingList]]
    dev_score: Callable[[CrossEncoder], float]
    on_step: Callable[[int, int, float], None]
    breathe: Callable[[], None]
    on_resume: Callable[[float, float], None] = lambda *_: None


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the best epoch's weights are in the model. n_steps: planned; n_epochs: trained."""

    progress: Progress
    n_steps: int
    n_epochs: int


def has_stalled(progress: Progress, patience: int | None) -> bool:
    """Say whether the last `patience` epochs (0 or None: never) brought no better development score."""
    return patience is not None and 0 < patience <= progress.epochs_tested - progress.best_epoch


def learning_rate_at(step: int, n_steps: int, settings: StageSettings) -> float:
    """Return the rate of a step (from 0): linear warm-up, then linear decay to 0."""
    warmup = max(1, math.ceil(settings.warmup_share * n_steps))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    return settings.learning_rate * (n_steps - step) / max(1, n_steps - warmup)


def optimizer_of(model: Any, settings: StageSettings, device: Device) -> torch.optim.AdamW:
    """Return AdamW over the trainable weights; biases and norms are not decayed."""
    if settings.freeze_word_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    decayed = [value for value in model.parameters() if value.requires_grad and value.dim() > 1]
    plain = [value for value in model.parameters() if value.requires_grad and value.dim() <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=device.kind != "mps")


def train(
    encoder: CrossEncoder,
    settings: StageSettings,
    loss: str,
    tokens: TokenStore,
    max_length: int,
    seed: int,
    folder: Path,
    hooks: Hooks,
) -> Trained:
    """Train in place, keeping the epoch that scores best on development queries; end early when none gets better.

    Resumes from `folder`'s checkpoint. Lists, order and dropout depend on (seed, epoch, step) alone, so a
    resumed training ends with the weights of an uninterrupted one. Raises RerankError `nothing_to_train_on`,
    `training_diverged` and `model_does_not_fit`.
    """
    model, device = encoder.module, encoder.device
    optimizer = optimizer_of(model, settings, device)
    restored = load_checkpoint(folder, model, optimizer)
    progress, best = restored if restored else (Progress(), weights_of(model))
    gradients = StepGradients(
        encoder, loss, settings, tokens, max_length, hooks.breathe, token_budget=progress.token_budget
    )
    first_epoch = hooks.lists_of_epoch(0)
    if not first_epoch:
        raise RerankError("nothing_to_train_on", loss=loss)
    steps_per_epoch = math.ceil(len(first_epoch) / settings.queries_per_step)
    n_steps = steps_per_epoch * settings.epochs
    if progress.step:
        hooks.on_resume(progress.step / n_steps, progress.epochs_tested / settings.epochs)
    saved_at, weights = time.monotonic(), list(model.parameters())
    for epoch in range(progress.epochs_tested, settings.epochs):
        if has_stalled(progress, settings.patience):
            break
        lists = first_epoch if epoch == 0 else hooks.lists_of_epoch(epoch)
        model.train()  # the development score left it in the other state
        for index in range(steps_per_epoch):
            step = epoch * steps_per_epoch + index
            if step < progress.step:
                continue  # done before the checkpoint that this training continues from
            begun = time.monotonic()
            chosen = lists[index * settings.queries_per_step : (index + 1) * settings.queries_per_step]
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, n_steps, settings)
            number, n_pairs, n_tokens = gradients.add(chosen, seed * 1_003 + step)
            size = torch.nn.utils.clip_grad_norm_(weights, settings.max_gradient_norm)
            if not (math.isfinite(number) and math.isfinite(float(size))):  # the step would write it into every weight
                queries = ", ".join(item.query_id for item in chosen[:NAMED_QUERIES])
                raise RerankError(
                    "training_diverged",
                    step=step + 1,
                    n_steps=n_steps,
                    loss=number,
                    gradient=float(size),
                    n_queries=len(chosen),
                    queries=queries,
                )
            with refused_when_full():  # the first step makes AdamW's two moments of every weight
                optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            encoder.changed()
            synchronize(device)
            progress.step = step + 1
            progress.token_budget = gradients.token_budget
            progress.losses.append(number)
            progress.n_pairs += n_pairs
            progress.n_tokens += n_tokens
            progress.train_seconds += time.monotonic() - begun
            hooks.on_step(step + 1, n_steps, number)
            if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                save_checkpoint(folder, model, optimizer, best, progress)
                saved_at = time.monotonic()
        begun = time.monotonic()
        score = hooks.dev_score(encoder)
        progress.dev_seconds += time.monotonic() - begun
        progress.dev_scores.append(score)
        progress.epochs_tested = epoch + 1
        if progress.best_score is None or score > progress.best_score:
            progress.best_score, progress.best_epoch = score, epoch + 1
            best = weights_of(model)
        if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
            save_checkpoint(folder, model, optimizer, best, progress)
            saved_at = time.monotonic()
    model.load_state_dict(best)
    encoder.changed()
    model.eval()
    return Trained(progress, n_steps, progress.epochs_tested)
