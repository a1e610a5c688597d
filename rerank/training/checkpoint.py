"""Checkpoints: one safetensors file that a killed training continues from, to the same numbers."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rerank.store.artefacts import write_atomically

NAME = "checkpoint.safetensors"


@dataclass
class Progress:
    """How far a training has come; `step` counts finished optimiser steps."""

    step: int = 0
    epochs_tested: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    dev_scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    train_seconds: float = 0.0
    dev_seconds: float = 0.0
    n_pairs: int = 0
    n_tokens: int = 0
    token_budget: int | None = None  # of a micro-batch, once memory has run out: a resumed training cuts alike


def weights_of(model: Any) -> dict[str, torch.Tensor]:
    """Return copies of all weights on the CPU."""
    return {name: value.detach().to("cpu").clone() for name, value in model.state_dict().items()}


def save_checkpoint(
    folder: Path, model: Any, optimizer: torch.optim.Optimizer, best: dict[str, torch.Tensor], at: Progress
) -> None:
    """Write weights, optimiser state, the best weights so far and the progress as one file, atomically."""
    tensors = {f"model/{name}": value for name, value in weights_of(model).items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer/{index}/{name}"] = value.detach().to("cpu").clone()
    record = {"progress": json.dumps(asdict(at))}
    write_atomically(folder / NAME, lambda part: save_file(_unshared(tensors), str(part), metadata=record))


def _unshared(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in tensors.items()}


def load_checkpoint(
    folder: Path, model: Any, optimizer: torch.optim.Optimizer
) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """Restore model and optimiser from a folder's checkpoint; None when there is none or it is damaged."""
    path = folder / NAME
    if not path.is_file():
        return None
    weights: dict[str, torch.Tensor] = {}
    best: dict[str, torch.Tensor] = {}
    states: dict[int, dict[str, torch.Tensor]] = {}
    try:
        with safe_open(str(path), framework="pt") as stored:
            progress = Progress(**json.loads(stored.metadata()["progress"]))
            for key in stored.keys():  # noqa: SIM118 - not a dict
                group, rest = key.split("/", 1)
                value = stored.get_tensor(key)
                if group == "model":
                    weights[rest] = value
                elif group == "best":
                    best[rest] = value
                else:
                    index, name = rest.split("/", 1)
                    states.setdefault(int(index), {})[name] = value
    except (SafetensorError, KeyError, ValueError, TypeError):
        return None  # cut short by a power failure, or of another version: the training starts anew
    if {name: value.shape for name, value in weights.items()} != {
        name: value.shape for name, value in model.state_dict().items()
    }:
        return None
    model.load_state_dict(weights)
    whole = optimizer.state_dict()
    whole["state"] = states
    optimizer.load_state_dict(whole)
    return progress, best
