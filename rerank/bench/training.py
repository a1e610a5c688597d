"""Training: pairs per second against sentence-transformers' own loss and model, the same lists and targets."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from rerank.bench.limit import limit_of, operations
from rerank.bench.scoring import peer_model
from rerank.bench.timing import alternate, ratio
from rerank.bench.work import LIST_LENGTH, Work
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import Device, synchronize
from rerank.planning.plan import StageSettings
from rerank.training.lists import TrainingList
from rerank.training.loop import optimizer_of
from rerank.training.step import StepGradients

QUERIES_PER_STEP = 8
# Gains and the labels whose softmax they are: both sides learn from the same target distribution.
LABELS = tuple(math.log(gain) for gain in (8.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))

Step = Callable[[], float]


def _own_step(work: Work, device: Device, dropout: float) -> tuple[Step, Any]:
    settings = StageSettings(loss="listwise", dropout=dropout, freeze_word_embeddings=False)
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0, dropout=dropout)
    optimizer = optimizer_of(encoder.module, settings, device)
    gradients = StepGradients(encoder, "listwise", settings, work.tokens, work.max_length)
    gains = tuple(math.exp(label) for label in LABELS)
    lists = [TrainingList(query, docs, gains) for query, docs in work.lists]
    at = [0]

    def step() -> float:
        encoder.module.train()
        chosen = [lists[(at[0] + place) % len(lists)] for place in range(QUERIES_PER_STEP)]
        at[0] += QUERIES_PER_STEP
        loss, _, _ = gradients.add(chosen, at[0])
        torch.nn.utils.clip_grad_norm_(encoder.module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        encoder.changed()
        synchronize(device)
        return loss

    return step, encoder


def _peer_step(work: Work, device: Device, dropout: float, *, whole: bool, bf16: bool) -> Step:
    """Return a step as sentence-transformers' trainer makes it, without the trainer around it."""
    from sentence_transformers.cross_encoder.losses import ListNetLoss

    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0, dropout=dropout)
    peer = peer_model(encoder, work, torch.float32)
    for module in peer.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    peer.model.config.attention_probs_dropout_prob = dropout
    loss_of = ListNetLoss(peer, mini_batch_size=-1 if whole else None)
    optimizer = torch.optim.AdamW(peer.model.parameters(), lr=1e-4, weight_decay=0.01)
    at = [0]
    labels = torch.tensor(LABELS, device=device.handle)

    def step() -> float:
        peer.model.train()
        chosen = [work.lists[(at[0] + place) % len(work.lists)] for place in range(QUERIES_PER_STEP)]
        at[0] += QUERIES_PER_STEP
        queries = [work.texts[query] for query, _ in chosen]
        documents = [[work.texts[doc] for doc in docs] for _, docs in chosen]
        with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=bf16):
            loss = loss_of([queries, documents], [labels] * len(chosen))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(peer.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        synchronize(device)
        return float(loss.detach())

    return step


def bench_training(work: Work, device: Device, n_rounds: int) -> dict[str, Any]:
    """Return pairs per second and ratios without dropout and with the usual 10 %, and the losses side by side."""
    without = _bench(work, device, n_rounds, 0.0)
    usual = _bench(work, device, n_rounds, 0.1)
    return {**without, "with_dropout": usual}


def _bench(work: Work, device: Device, n_rounds: int, dropout: float) -> dict[str, Any]:
    own, encoder = _own_step(work, device, dropout)
    steps: dict[str, Step] = {"ours": own, "st_default": _peer_step(work, device, dropout, whole=False, bf16=False)}
    for whole in (False, True):
        bf16 = device.dtype == "bf16"
        steps[f"st_{'whole' if whole else 'parts'}"] = _peer_step(work, device, dropout, whole=whole, bf16=bf16)
    losses: dict[str, list[float]] = {name: [] for name in steps}

    def told(name: str) -> Callable[[], None]:
        return lambda: losses[name].append(steps[name]())

    seconds = alternate({name: told(name) for name in steps}, n_rounds)
    n_pairs = QUERIES_PER_STEP * LIST_LENGTH
    best = min(("st_parts", "st_whole"), key=lambda name: min(seconds[name]))
    mine = min(seconds["ours"])
    limit = limit_of(device, encoder.module.config, 2048 if device.kind == "cpu" else 32768)
    lengths = work.lengths
    per_step = 3 * operations(encoder.module.config, lengths) * n_pairs / len(lengths)
    return {
        "pairs_per_s": n_pairs / mine,
        **{f"{name}_pairs_per_s": n_pairs / min(values) for name, values in seconds.items() if name != "ours"},
        "vs_st_default": ratio(seconds["st_default"], seconds["ours"]),
        "vs_st_best": ratio(seconds[best], seconds["ours"]),
        "limit_share": per_step / mine / limit,
        "losses": {name: [round(value, 5) for value in values] for name, values in losses.items()},
        "largest_loss_difference": _largest(losses["ours"], losses["st_default"]),
    }


def _largest(one: Sequence[float], other: Sequence[float]) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())
