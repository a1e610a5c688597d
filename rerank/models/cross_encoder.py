"""The cross-encoder: a query and a document in, one relevance logit out."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.models.batches import Pair, collate, token_batches
from rerank.models.devices import Device
from rerank.models.token_store import PairTemplate

SCORING_TOKENS = {"cpu": 4096, "mps": 16384, "cuda": 65536}  # per batch: large enough to fill the device


def load_cross_encoder(folder: Path, device: Device, *, seed: int, dropout: float = 0.0) -> Any:
    """Load a sequence classifier with one logit; a head that the folder lacks is drawn from `seed`.

    Raises RerankError `model_not_loadable`.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        config.num_labels = 1
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"):
            if hasattr(config, name):
                setattr(config, name, dropout)
        model = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise RerankError("model_not_loadable", folder=str(folder), cause=str(error)[:300]) from error
    return model.to(device.handle).eval()


def autocast(device: Device) -> AbstractContextManager[Any]:
    """Return the context in which matrix products run in the device's own type."""
    kind = device.autocast_type
    return nullcontext() if kind is None else torch.autocast(device.kind, dtype=kind)


def logits_of(model: Any, inputs: dict[str, torch.Tensor], device: Device) -> torch.Tensor:
    """Return one fp32 logit per pair: shape (n_pairs,)."""
    with autocast(device):
        found: torch.Tensor = model(**inputs).logits
    # Ranking needs single precision: bf16 logits tie within a list.
    return found.float().squeeze(-1)


def score_pairs(
    model: Any,
    pairs: Sequence[Pair],
    template: PairTemplate,
    device: Device,
    on_batch: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the logit of every pair; `on_batch` hears each batch's number of pairs and may raise to stop."""
    scores = np.empty(len(pairs), dtype=np.float64)
    model.eval()
    with torch.inference_mode():
        for batch in token_batches([len(ids) for ids, _ in pairs], SCORING_TOKENS[device.kind]):
            inputs = collate([pairs[position] for position in batch], template, device.handle)
            scores[batch] = logits_of(model, inputs, device).cpu().numpy()
            if on_batch is not None:
                on_batch(len(batch))
    return scores
