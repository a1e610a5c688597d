"""Training: pairs per second against sentence-transformers' own loss and model, the same lists and targets."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from rerank.bench.limit import limit_of, operations
from rerank.bench.scoring import peer_model
from rerank.bench.timing import alternate, ratio
from rerank.bench.work import Work
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import Device, synchronize
from rerank.planning.plan import StageSettings
from rerank.training.lists import TrainingList
from rerank.training.loop import optimizer_of
from rerank.training.step import StepGradients

LEARNING_RATE = 1e-4
# Gains and the labels whose softmax they are: both sides learn from the same target distribution.
GAINS = (8.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
LABELS = tuple(math.log(gain) for gain in GAINS)

# Lists of a step beside the one that fills the device: what a small sample is trained with.
SMALLER_STEPS = (8, 32)

Step = Callable[[], float]


def own_step(work: Work, device: Device, dropout: float, n_lists: int) -> tuple[Step, CrossEncoder]:
    """Return the engine's own step over the next `n_lists` lists, which returns its loss, and the model."""
    settings = StageSettings(
        loss="listwise", dropout=dropout, freeze_word_embeddings=False, learning_rate=LEARNING_RATE
    )
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0, dropout=dropout)
    optimizer = optimizer_of(encoder.module, settings, device)
    gradients = StepGradients(encoder, "listwise", settings, work.tokens, work.max_length)
    lists = [TrainingList(query, docs, GAINS[: len(docs)]) for query, docs in work.lists]
    at, weights = [0], list(encoder.module.parameters())
    encoder.module.train()

    def step() -> float:
        chosen = [lists[(at[0] + place) % len(lists)] for place in range(n_lists)]
        at[0] += n_lists
        loss, _, _ = gradients.add(chosen, at[0])
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        encoder.changed()
        synchronize(device)
        return loss

    return step, encoder


def peer_step(work: Work, device: Device, dropout: float, n_lists: int, *, whole: bool, bf16: bool) -> Step:
    """Return a step as sentence-transformers' trainer makes it, fused AdamW too, without the trainer around it."""
    from sentence_transformers.cross_encoder.losses import ListNetLoss

    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0, dropout=dropout)
    peer = peer_model(encoder, work, torch.float32)
    for module in peer.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    peer.model.config.attention_probs_dropout_prob = dropout
    loss_of = ListNetLoss(peer, mini_batch_size=-1 if whole else None)
    named = list(peer.model.named_parameters())
    groups = [
        {"params": [value for _, value in named if value.dim() > 1], "weight_decay": 0.01},
        {"params": [value for _, value in named if value.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, fused=device.kind != "mps")
    at, weights = [0], list(peer.model.parameters())
    peer.model.train()
    labels = torch.tensor(LABELS, device=device.handle)

    def step() -> float:
        chosen = [work.lists[(at[0] + place) % len(work.lists)] for place in range(n_lists)]
        at[0] += n_lists
        queries = [work.texts[query] for query, _ in chosen]
        documents = [[work.texts[doc] for doc in docs] for _, docs in chosen]
        with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=bf16):
            loss = loss_of([queries, documents], [labels[: len(docs)] for docs in documents])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        synchronize(device)
        return float(loss.detach())

    return step


def usual_dropout(work: Work) -> float:
    """Return the share of hidden units that the model's own configuration drops in training."""
    config = json.loads((work.source.folder / "config.json").read_text(encoding="utf-8"))
    return float(config.get("hidden_dropout_prob", 0.1))


def bench_training(work: Work, device: Device, n_rounds: int, n_lists: int) -> dict[str, Any]:
    """Return pairs per second and ratios without dropout and with the model's own, losses of both sides in both.

    Steps of `n_lists` lists; where that is many, without dropout also `smaller_steps`.
    """
    without = _bench(work, device, n_rounds, n_lists, 0.0)
    usual = _bench(work, device, n_rounds, n_lists, usual_dropout(work))
    smaller = [_bench(work, device, n_rounds, size, 0.0) for size in SMALLER_STEPS if size < n_lists]
    kept = ("n_lists", "pairs_per_s", "vs_st_default", "vs_st_best", "limit_share")
    return {**without, "with_dropout": usual, "smaller_steps": [{name: one[name] for name in kept} for one in smaller]}


def _bench(work: Work, device: Device, n_rounds: int, n_lists: int, dropout: float) -> dict[str, Any]:
    own, encoder = own_step(work, device, dropout, n_lists)
    steps: dict[str, Step] = {"ours": own}
    steps["st_default"] = peer_step(work, device, dropout, n_lists, whole=False, bf16=False)
    for whole in (False, True):
        bf16 = device.dtype == "bf16"
        steps[f"st_{'whole' if whole else 'parts'}"] = peer_step(work, device, dropout, n_lists, whole=whole, bf16=bf16)
    losses: dict[str, list[float]] = {name: [] for name in steps}

    def told(name: str) -> Callable[[], None]:
        return lambda: losses[name].append(steps[name]())

    seconds = alternate({name: told(name) for name in steps}, n_rounds)
    n_pairs = n_lists * len(work.lists[0][1])
    best = min(("st_default", "st_parts", "st_whole"), key=lambda name: min(seconds[name]))
    mine = min(seconds["ours"])
    limit = limit_of(device, encoder.module.config, 2048 if device.kind == "cpu" else 32768)
    lengths = work.lengths
    per_step = 3 * operations(encoder.module.config, lengths) * n_pairs / len(lengths)
    return {
        "dropout": dropout,
        "n_lists": n_lists,
        "pairs_per_s": n_pairs / mine,
        **{f"{name}_pairs_per_s": n_pairs / min(values) for name, values in seconds.items() if name != "ours"},
        "vs_st_default": ratio(seconds["st_default"], seconds["ours"]),
        "vs_st_best": ratio(seconds[best], seconds["ours"]),
        "limit_share": per_step / mine / limit,
        "losses": {name: [round(value, 5) for value in values] for name, values in losses.items()},
        **_differences(losses["ours"], losses["st_default"]),
    }


def _differences(one: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    """Return how far the losses of two sides lie apart; with dropout each drops other units: read the means then."""
    apart = np.asarray(one) - np.asarray(other)
    return {"largest_loss_difference": float(np.abs(apart).max()), "mean_loss_difference": float(apart.mean())}
