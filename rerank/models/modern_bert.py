"""ModernBERT over packed batches: norms before each block, rotary positions, a local window in most layers, GeGLU.

The mathematics is that of transformers' module; the residual, every norm and the rotations are fp32.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from rerank.models.attention import packed_attention
from rerank.models.bert_family import are_fixed
from rerank.models.fused import dropped
from rerank.models.packed import AttentionSpec, Packed, token_means
from rerank.models.products import Linear, Rows, linears_of, rows_of

Rotation = tuple[torch.Tensor, torch.Tensor]  # cosines and sines, (n, 1, 1, head size / 2)


def fits(config: Any) -> bool:
    """Say whether a model with this configuration can run packed: with the usual rotary positions."""
    kinds = {(config.rope_parameters[name] or {}).get("rope_type") for name in set(config.layer_types)}
    return kinds == {"default"}


@dataclass(frozen=True)
class LayerWeights:
    """One layer's matrices in the type of matrix products; they keep their link to the master weights.

    inner: queries, keys and values together; in a layer of which only the first token is read, keys and values,
    and `queries` are apart. window: the farthest distance that attention reaches, None for any.
    """

    inner: Linear
    queries: Linear | None
    out: Linear
    up: Linear
    gate: Linear
    down: Linear
    attention_norm: Any
    feed_norm: Any
    activation: Callable[[torch.Tensor], torch.Tensor] | None  # None: GELU, which a product can take along
    kind: str
    window: int | None


def cast(model: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return a classifier's layers in `dtype`."""
    config, layers = model.config, model.model.layers
    fixed, found = are_fixed(model.model), []
    for place, layer in enumerate(layers):
        if config.classifier_pooling == "cls" and place == len(layers) - 1:
            own, keys, values = _parts_of(layer.attn.Wqkv, 3)
            inside = [Rows(keys.weights + values.weights, keys.biases + values.biases), own]
        else:
            inside = [rows_of(layer.attn.Wqkv)]
        rows = [rows_of(layer.attn.Wo), *_parts_of(layer.mlp.Wi, 2), rows_of(layer.mlp.Wo), *inside]
        out, up, gate, down, inner, *queries = linears_of(rows, dtype, fixed=fixed)
        kind = config.layer_types[place]
        found.append(
            LayerWeights(
                inner=inner,
                queries=queries[0] if queries else None,
                out=out,
                up=up,
                gate=gate,
                down=down,
                attention_norm=layer.attn_norm,
                feed_norm=layer.mlp_norm,
                activation=None if config.hidden_activation == "gelu" else layer.mlp.act,
                kind=kind,
                window=config.sliding_window if kind == "sliding_attention" else None,
            )
        )
    return found


def _parts_of(module: Any, n_parts: int) -> list[Rows]:
    """Return a linear module's rows in equal parts."""
    biases = [()] * n_parts if module.bias is None else [(bias,) for bias in module.bias.chunk(n_parts)]
    return [Rows((weight,), bias) for weight, bias in zip(module.weight.chunk(n_parts), biases, strict=True)]


class _Rotated(torch.autograd.Function):
    """Turns the first `n_turned` parts of (n, parts, heads, size) rows in place; its gradient turns them back."""

    @staticmethod
    def forward(
        ctx: Any, rows: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor, n_turned: int, n_heads: int
    ) -> torch.Tensor:
        ctx.save_for_backward(cosines, sines)
        ctx.n_turned, ctx.n_heads = n_turned, n_heads
        _turn(rows, cosines, sines, n_turned, n_heads)
        ctx.mark_dirty(rows)
        return rows

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        cosines, sines = ctx.saved_tensors
        found = gradients[0].clone(memory_format=torch.contiguous_format)
        _turn(found, cosines, -sines, ctx.n_turned, ctx.n_heads)
        return found, None, None, None, None


def _turn(rows: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor, n_turned: int, n_heads: int) -> None:
    half = cosines.shape[-1]
    turned = rows.view(len(rows), -1, n_heads, 2 * half)[:, :n_turned]
    one, other = turned[..., :half].float(), turned[..., half:].float()
    # Both before either is written: in fp32 they are views of what is written.
    found = one * cosines - other * sines, other * cosines + one * sines
    turned[..., :half], turned[..., half:] = found


def _rotated(rows: torch.Tensor, rotation: Rotation, n_turned: int, n_heads: int) -> torch.Tensor:
    found: torch.Tensor = _Rotated.apply(rows, *rotation, n_turned, n_heads)  # type: ignore[no-untyped-call]
    return found.view(len(rows), -1, n_heads, 2 * rotation[0].shape[-1])


def _rotation(backbone: Any, states: torch.Tensor, positions: torch.Tensor, kind: str) -> Rotation:
    """Return cosines and sines of every token's angles, as transformers computes them; both halves are alike."""
    cosines, sines = backbone.rotary_emb(states, positions.unsqueeze(0), kind)
    half = cosines.shape[-1] // 2
    return cosines[0, :, None, None, :half], sines[0, :, None, None, :half]


@dataclass(frozen=True)
class _Dropouts:
    attention: float = 0.0
    wide: float = 0.0


def _layer(
    hidden: torch.Tensor,
    weights: LayerWeights,
    batch: Packed,
    rotation: Rotation,
    n_heads: int,
    dtype: torch.dtype,
    drop: _Dropouts,
) -> torch.Tensor:
    """Return the next residual, fp32; only the first tokens' where queries are apart."""
    width = hidden.shape[-1]
    entering = weights.attention_norm(hidden).to(dtype)
    first, n_turned = None, 2
    if weights.queries is not None:
        at = batch.layout.first_tokens
        hidden, n_turned = hidden[at], 1
        own = _rotated(weights.queries(entering[at]), (rotation[0][at], rotation[1][at]), 1, n_heads)
        first = own.squeeze(1)
    mixed = packed_attention(
        first,
        _rotated(weights.inner(entering), rotation, n_turned, n_heads),
        AttentionSpec(batch.layout, float(width // n_heads) ** -0.5, drop.attention, weights.window),
    )
    hidden = hidden + dropped(weights.out(mixed.reshape(-1, width)), drop.attention)
    entering = weights.feed_norm(hidden).to(dtype)
    wide = weights.up.gelu(entering) if weights.activation is None else weights.activation(weights.up(entering))
    return hidden + weights.down(dropped(wide * weights.gate(entering), drop.wide))


def packed_logits(model: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return one fp32 logit per pair, in the packed order: (n_pairs,)."""
    config, backbone = model.config, model.model
    drop = _Dropouts(config.attention_dropout, config.mlp_dropout) if model.training else _Dropouts()
    states = backbone.embeddings(input_ids=batch.input_ids)
    rotations = {kind: _rotation(backbone, states, batch.positions, kind) for kind in set(config.layer_types)}
    for weights in layers:
        rotation = rotations[weights.kind]
        states = _layer(states, weights, batch, rotation, config.num_attention_heads, dtype, drop)
    states = backbone.final_norm(states)
    if config.classifier_pooling == "mean":
        states = token_means(states, batch.layout)
    found: torch.Tensor = model.classifier(model.drop(model.head(states)))
    return found.float().reshape(-1)
