"""One training: a base model and lists in, better weights out. Reads top to bottom."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rerank.errors import RerankError
from rerank.models.batches import collate, token_batches
from rerank.models.cross_encoder import logits_of
from rerank.models.devices import Device, synchronize
from rerank.models.token_store import TokenStore
from rerank.planning.plan import StageSettings
from rerank.training.checkpoint import Progress, load_checkpoint, save_checkpoint, weights_of
from rerank.training.lists import TrainingList
from rerank.training.losses import contrastive, distillation

TRAINING_TOKENS = {"cpu": 2048, "mps": 8192, "cuda": 32768}  # padded tokens per micro-batch
CHECKPOINT_SECONDS = 30.0  # at most this much work is done twice after a kill


@dataclass(frozen=True)
class Hooks:
    """What the loop calls: lists of an epoch, the development score, news, and a chance to stop.

    `on_step(step, n_steps, loss)` hears every step. `breathe()` is called between micro-batches
    and raises to stop the training; the next call of `train` continues from the last checkpoint.
    """

    lists_of_epoch: Callable[[int], list[TrainingList]]
    dev_score: Callable[[Any], float]
    on_step: Callable[[int, int, float], None]
    breathe: Callable[[], None]


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the best epoch's weights are in the model."""

    progress: Progress
    n_steps: int
    n_epochs: int


def loss_of(name: str, logits: torch.Tensor, targets: torch.Tensor, settings: StageSettings) -> torch.Tensor:
    """Return one list's loss by its name (`lce`, `listwise`, `kl`, `ranknet`)."""
    if name == "lce":
        return contrastive.lce(logits, targets)
    if name == "listwise":
        return contrastive.listwise(logits, targets)
    if name == "kl":
        return distillation.kl(logits, targets, settings.temperature)
    if name == "ranknet":
        return distillation.ranknet(logits, targets)
    raise RerankError("unknown_loss", loss=name)


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


def step_loss(
    model: Any,
    lists: Sequence[TrainingList],
    loss: str,
    settings: StageSettings,
    tokens: TokenStore,
    max_length: int,
    device: Device,
    breathe: Callable[[], None],
) -> tuple[torch.Tensor, int, int]:
    """Return the mean loss of some lists, with its graph, and how many pairs and tokens it saw."""
    pairs = [tokens.pair(item.query_id, doc_id, max_length) for item in lists for doc_id in item.doc_ids]
    lengths = [len(ids) for ids, _ in pairs]
    parts: list[torch.Tensor] = []
    order: list[int] = []
    for batch in token_batches(lengths, TRAINING_TOKENS[device.kind]):
        inputs = collate([pairs[position] for position in batch], tokens.template, device.handle)
        parts.append(logits_of(model, inputs, device))
        order.extend(batch)
        breathe()
    place = torch.empty(len(order), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(order))
    logits = torch.cat(parts)[place.to(device.handle)]
    total = logits.new_zeros(())
    start = 0
    for item in lists:
        size = len(item.doc_ids)
        targets = torch.tensor(item.targets, dtype=torch.float32, device=device.handle)
        total = total + loss_of(loss, logits[start : start + size], targets, settings)
        start += size
    return total / len(lists), len(pairs), sum(lengths)


def train(
    model: Any,
    settings: StageSettings,
    loss: str,
    tokens: TokenStore,
    max_length: int,
    device: Device,
    seed: int,
    folder: Path,
    hooks: Hooks,
) -> Trained:
    """Train in place, keeping the epoch that scores best on development queries.

    Resumes from `folder`'s checkpoint. Lists, order and dropout depend on (seed, epoch, step) alone, so a
    resumed training ends with the weights of an uninterrupted one. Raises RerankError `nothing_to_train_on`
    and `training_diverged`.
    """
    optimizer = optimizer_of(model, settings, device)
    restored = load_checkpoint(folder, model, optimizer)
    progress, best = restored if restored else (Progress(), weights_of(model))
    first_epoch = hooks.lists_of_epoch(0)
    if not first_epoch:
        raise RerankError("nothing_to_train_on", loss=loss)
    steps_per_epoch = math.ceil(len(first_epoch) / settings.queries_per_step)
    n_steps = steps_per_epoch * settings.epochs
    saved_at = time.monotonic()
    for epoch in range(progress.epochs_tested, settings.epochs):
        lists = first_epoch if epoch == 0 else hooks.lists_of_epoch(epoch)
        for index in range(steps_per_epoch):
            step = epoch * steps_per_epoch + index
            if step < progress.step:
                continue  # done before the checkpoint that this training continues from
            begun = time.monotonic()
            chosen = lists[index * settings.queries_per_step : (index + 1) * settings.queries_per_step]
            torch.manual_seed((seed * 1_000_003 + step) % 2**63)  # dropout: no hidden state to save
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, n_steps, settings)
            model.train()
            value, n_pairs, n_tokens = step_loss(
                model, chosen, loss, settings, tokens, max_length, device, hooks.breathe
            )
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_gradient_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            synchronize(device)
            number = float(value.detach())
            if not math.isfinite(number):
                raise RerankError("training_diverged", step=step, loss=number)
            progress.step = step + 1
            progress.losses.append(number)
            progress.n_pairs += n_pairs
            progress.n_tokens += n_tokens
            progress.train_seconds += time.monotonic() - begun
            hooks.on_step(step + 1, n_steps, number)
            if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                save_checkpoint(folder, model, optimizer, best, progress)
                saved_at = time.monotonic()
        begun = time.monotonic()
        score = hooks.dev_score(model)
        progress.dev_seconds += time.monotonic() - begun
        progress.dev_scores.append(score)
        progress.epochs_tested = epoch + 1
        if progress.best_score is None or score > progress.best_score:
            progress.best_score, progress.best_epoch = score, epoch + 1
            best = weights_of(model)
        save_checkpoint(folder, model, optimizer, best, progress)
        saved_at = time.monotonic()
    model.load_state_dict(best)
    model.eval()
    return Trained(progress, n_steps, settings.epochs)
