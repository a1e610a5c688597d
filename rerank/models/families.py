"""Model families that run over packed batches; every other one runs padded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from rerank.models import bert_family, distil_bert, modern_bert
from rerank.models.packed import Packed


@dataclass(frozen=True)
class Family:
    """How a family's sequence classifiers run packed.

    fits(config): whether a model with this configuration can; first_position(config): the position id of a
    sequence's first token; cast(model, dtype): its layers' weights in the type of matrix products;
    logits(model, cast weights, batch, dtype): one fp32 logit per pair, in the packed order, (n_pairs,).
    """

    cast: Callable[[Any, torch.dtype], list[Any]]
    logits: Callable[[Any, list[Any], Packed, torch.dtype], torch.Tensor]
    fits: Callable[[Any], bool] = lambda _: True
    first_position: Callable[[Any], int] = lambda _: 0


_BERT = Family(bert_family.cast, bert_family.packed_logits, bert_family.fits, bert_family.first_position)

# By transformers' model type.
FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(bert_family.BACKBONES, _BERT),
    "distilbert": Family(distil_bert.cast, distil_bert.packed_logits),
    "modernbert": Family(modern_bert.cast, modern_bert.packed_logits, modern_bert.fits),
}


def family_of(config: Any) -> Family | None:
    """Return how models with this configuration run packed, None when they have to run padded."""
    found = FAMILIES.get(config.model_type)
    return found if found is not None and found.fits(config) else None
