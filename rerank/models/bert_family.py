"""BERT and its relatives over packed batches: the same mathematics as transformers' modules, less work.

No padding, one product for queries, keys and values, weights cast once per step, and in the last layer only
what the first token needs, since a cross-encoder reads nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from rerank.models.attention import packed_attention
from rerank.models.fused import added_norm, gelu_of
from rerank.models.packed import AttentionSpec, Packed
from rerank.models.products import Linear, linears_of, rows_of
from rerank.models.sources import OFFSET_POSITIONS

# Model types whose classifier is an encoder of `layer`s under one attribute, and that attribute.
BACKBONES: Mapping[str, str] = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "electra": "electra",
}


def fits(config: Any) -> bool:
    """Say whether a model with this configuration can run packed."""
    plain = not getattr(config, "is_decoder", False) and not getattr(config, "add_cross_attention", False)
    absolute = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    return plain and absolute


def first_position(config: Any) -> int:
    """Return the position id of a sequence's first token."""
    return int(config.pad_token_id) + 1 if config.model_type in OFFSET_POSITIONS else 0


@dataclass(frozen=True)
class LayerWeights:
    """One encoder layer's matrices in the type of matrix products; they keep their link to the master weights.

    inner: queries, keys and values together; in a layer of which only the first token is read, keys and values,
    and `queries` are apart.
    """

    inner: Linear
    queries: Linear | None
    out: Linear
    up: Linear
    down: Linear
    attention_norm: Any
    output_norm: Any
    activation: Callable[[torch.Tensor], torch.Tensor] | None  # None: GELU, which a product can take along
    n_heads: int
    scale: float


def are_fixed(backbone: Any) -> bool:
    """Say whether copies of the weights need no gradient and stay as they are for a while."""
    return not torch.is_grad_enabled() and not backbone.training


class LayerModules(NamedTuple):
    """One encoder layer's modules, whatever its architecture calls them."""

    query: Any
    key: Any
    value: Any
    out: Any
    attention_norm: Any
    up: Any
    down: Any
    output_norm: Any


def cast_modules(
    layers: Sequence[LayerModules],
    dtype: torch.dtype,
    *,
    activation: Callable[[torch.Tensor], torch.Tensor] | None,
    n_heads: int,
    fixed: bool,
    first_only: bool,
) -> list[LayerWeights]:
    """Return all layers' weights in `dtype`; once per optimiser step, not once per batch.

    activation: None for GELU. first_only: only the first token is read of the last layer.
    """
    found = []
    for place, layer in enumerate(layers):
        if first_only and place == len(layers) - 1:
            inside = [rows_of(layer.key, layer.value), rows_of(layer.query)]
        else:
            inside = [rows_of(layer.query, layer.key, layer.value)]
        rows = [rows_of(layer.out), rows_of(layer.up), rows_of(layer.down), *inside]
        out, up, down, inner, *queries = linears_of(rows, dtype, fixed=fixed)
        found.append(
            LayerWeights(
                inner=inner,
                queries=queries[0] if queries else None,
                out=out,
                up=up,
                down=down,
                attention_norm=layer.attention_norm,
                output_norm=layer.output_norm,
                activation=activation,
                n_heads=n_heads,
                scale=float(layer.query.out_features // n_heads) ** -0.5,
            )
        )
    return found


def cast_layers(backbone: Any, dtype: torch.dtype, *, first_only: bool) -> list[LayerWeights]:
    """Return `cast_modules` of BERT's own layers."""
    layers = [
        LayerModules(
            query=layer.attention.self.query,
            key=layer.attention.self.key,
            value=layer.attention.self.value,
            out=layer.attention.output.dense,
            attention_norm=layer.attention.output.LayerNorm,
            up=layer.intermediate.dense,
            down=layer.output.dense,
            output_norm=layer.output.LayerNorm,
        )
        for layer in backbone.encoder.layer
    ]
    is_gelu = backbone.config.hidden_act == "gelu"
    return cast_modules(
        layers,
        dtype,
        activation=None if is_gelu else backbone.encoder.layer[0].intermediate.intermediate_act_fn,
        n_heads=backbone.config.num_attention_heads,
        fixed=are_fixed(backbone),
        first_only=first_only,
    )


@dataclass(frozen=True)
class Dropouts:
    """Shares (0-1) dropped of attention's probabilities, of its output and of the feed-forward output."""

    attention: float = 0.0
    mixed: float = 0.0
    fed: float = 0.0


# Hidden states, (n_tokens, width): in fp32, and in the type of matrix products.
States = tuple[torch.Tensor, torch.Tensor]


def layer_states(states: States, weights: LayerWeights, batch: Packed, dtype: torch.dtype, drop: Dropouts) -> States:
    """Return the next hidden states, norms after each block; only the first tokens' where queries are apart."""
    hidden, entering = states
    width = hidden.shape[-1]
    size = width // weights.n_heads
    first = None
    stacked = weights.inner(entering)
    if weights.queries is not None:
        # Keys and values of every token, everything else of the first token alone.
        hidden = hidden[batch.layout.first_tokens]
        first = weights.queries(entering[batch.layout.first_tokens]).view(-1, weights.n_heads, size)
    mixed = packed_attention(
        first,
        stacked.view(entering.shape[0], -1, weights.n_heads, size),
        AttentionSpec(batch.layout, weights.scale, drop.attention),
    )
    mixed = mixed.reshape(-1, width)
    hidden, entering = added_norm(hidden, mixed, weights.out, weights.attention_norm, dtype, drop.mixed)
    wide = gelu_of(entering, weights.up) if weights.activation is None else weights.activation(weights.up(entering))
    return added_norm(hidden, wide, weights.down, weights.output_norm, dtype, drop.fed)


def hidden_states(backbone: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return the last layer's states, fp32: (n_tokens, width), or (n_pairs, width) of layers cast `first_only`."""
    config = backbone.config
    drop = Dropouts()
    if backbone.training:
        share = config.hidden_dropout_prob
        drop = Dropouts(attention=config.attention_probs_dropout_prob, mixed=share, fed=share)
    hidden: torch.Tensor = backbone.embeddings(
        input_ids=batch.input_ids.unsqueeze(0),
        token_type_ids=batch.types.unsqueeze(0),
        position_ids=batch.positions.unsqueeze(0),
    )[0]
    if hasattr(backbone, "embeddings_project"):  # ELECTRA's small sizes
        hidden = backbone.embeddings_project(hidden)
    states = hidden, hidden.to(dtype)
    for weights in layers:
        states = layer_states(states, weights, batch, dtype, drop)
    return states[0]


def _backbone(model: Any) -> Any:
    return getattr(model, BACKBONES[model.config.model_type])


def cast(model: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return a classifier's layers in `dtype`."""
    return cast_layers(_backbone(model), dtype, first_only=True)


def packed_logits(model: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return one fp32 logit per pair, in the packed order: (n_pairs,)."""
    backbone = _backbone(model)
    first = hidden_states(backbone, layers, batch, dtype).unsqueeze(1)
    # The heads of all relatives read position 0 of a sequence: here that is all there is.
    if model.config.model_type == "bert":
        first = model.dropout(backbone.pooler(first))
    found: torch.Tensor = model.classifier(first)
    return found.float().reshape(-1)
