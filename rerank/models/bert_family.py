"""BERT and its relatives over packed batches: the same mathematics as transformers' modules, less work.

No padding, one product for queries, keys and values, weights cast once per step, and in the last layer only
what the first token needs, since a cross-encoder reads nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from rerank.models.attention import packed_attention
from rerank.models.packed import Packed
from rerank.models.sources import OFFSET_POSITIONS

# Model types whose classifier is an encoder of `layer`s under one attribute, and that attribute.
BACKBONES: Mapping[str, str] = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "electra": "electra",
}


def is_packable(config: Any) -> bool:
    """Say whether a model with this configuration can run packed."""
    plain = not getattr(config, "is_decoder", False) and not getattr(config, "add_cross_attention", False)
    absolute = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    return config.model_type in BACKBONES and plain and absolute


def first_position(config: Any) -> int:
    """Return the position id of a sequence's first token."""
    return int(config.pad_token_id) + 1 if config.model_type in OFFSET_POSITIONS else 0


@dataclass(frozen=True)
class LayerWeights:
    """One encoder layer's matrices in the type of matrix products; they keep their link to the master weights."""

    inner: torch.Tensor
    inner_bias: torch.Tensor
    out: torch.Tensor
    out_bias: torch.Tensor
    up: torch.Tensor
    up_bias: torch.Tensor
    down: torch.Tensor
    down_bias: torch.Tensor
    attention_norm: Any
    output_norm: Any
    activation: Callable[[torch.Tensor], torch.Tensor]
    n_heads: int
    scale: float


def cast_layers(encoder: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return all layers' weights in `dtype`; once per optimiser step, not once per batch."""
    found = []
    for layer in encoder.layer:
        inside, out = layer.attention.self, layer.attention.output
        parts = (inside.query, inside.key, inside.value)
        found.append(
            LayerWeights(
                inner=torch.cat([part.weight for part in parts]).to(dtype),
                inner_bias=torch.cat([part.bias for part in parts]).to(dtype),
                out=out.dense.weight.to(dtype),
                out_bias=out.dense.bias.to(dtype),
                up=layer.intermediate.dense.weight.to(dtype),
                up_bias=layer.intermediate.dense.bias.to(dtype),
                down=layer.output.dense.weight.to(dtype),
                down_bias=layer.output.dense.bias.to(dtype),
                attention_norm=out.LayerNorm,
                output_norm=layer.output.LayerNorm,
                activation=layer.intermediate.intermediate_act_fn,
                n_heads=inside.num_attention_heads,
                scale=float(inside.attention_head_size) ** -0.5,
            )
        )
    return found


@dataclass(frozen=True)
class _Dropout:
    hidden: float
    attention: float


def _dropped(values: torch.Tensor, share: float) -> torch.Tensor:
    return functional.dropout(values, share) if share > 0 else values


def _layer(
    hidden: torch.Tensor, weights: LayerWeights, batch: Packed, dtype: torch.dtype, drop: _Dropout, last: bool
) -> torch.Tensor:
    """Return the next hidden states, fp32; only those of the first tokens from the last layer."""
    width = hidden.shape[-1]
    entering = hidden.to(dtype)
    size = width // weights.n_heads
    first, kept = None, 0
    if last:
        # Keys and values of every token, everything else of the first token alone.
        hidden = hidden[batch.layout.first_tokens]
        own = entering[batch.layout.first_tokens]
        first = functional.linear(own, weights.inner[:width], weights.inner_bias[:width])
        first, kept = first.view(-1, weights.n_heads, size), width
    stacked = functional.linear(entering, weights.inner[kept:], weights.inner_bias[kept:])
    mixed = packed_attention(
        first,
        stacked.view(entering.shape[0], -1, weights.n_heads, size),
        batch.layout,
        scale=weights.scale,
        dropout=drop.attention,
    )
    out = functional.linear(mixed.reshape(-1, width), weights.out, weights.out_bias)
    hidden = weights.attention_norm(hidden + _dropped(out, drop.hidden))
    wide = weights.activation(functional.linear(hidden.to(dtype), weights.up, weights.up_bias))
    out = functional.linear(wide, weights.down, weights.down_bias)
    normed: torch.Tensor = weights.output_norm(hidden + _dropped(out, drop.hidden))
    return normed


def hidden_states(
    backbone: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype, *, first_only: bool
) -> torch.Tensor:
    """Return the last layer's states, fp32: (n_tokens, width), or (n_pairs, width) with `first_only`."""
    config = backbone.config
    drop = _Dropout(0.0, 0.0)
    if backbone.training:
        drop = _Dropout(config.hidden_dropout_prob, config.attention_probs_dropout_prob)
    hidden = backbone.embeddings(
        input_ids=batch.input_ids.unsqueeze(0),
        token_type_ids=batch.types.unsqueeze(0),
        position_ids=batch.positions.unsqueeze(0),
    )[0]
    if hasattr(backbone, "embeddings_project"):  # ELECTRA's small sizes
        hidden = backbone.embeddings_project(hidden)
    states: torch.Tensor = hidden
    for place, weights in enumerate(layers):
        last = first_only and place == len(layers) - 1
        states = _layer(states, weights, batch, dtype, drop, last)
    return states


def packed_logits(model: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return one fp32 logit per pair, in the packed order: (n_pairs,)."""
    backbone = getattr(model, BACKBONES[model.config.model_type])
    first = hidden_states(backbone, layers, batch, dtype, first_only=True).unsqueeze(1)
    # The heads of all relatives read position 0 of a sequence: here that is all there is.
    if model.config.model_type == "bert":
        first = model.dropout(backbone.pooler(first))
    found: torch.Tensor = model.classifier(first)
    return found.float().reshape(-1)
