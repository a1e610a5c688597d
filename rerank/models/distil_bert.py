"""DistilBERT over packed batches: BERT's layers with other names, no segments and no pooler."""

from typing import Any

import torch

from rerank.models.bert_family import Dropouts, LayerWeights, are_fixed, layer_states
from rerank.models.packed import Packed
from rerank.models.products import linears_of, rows_of


def cast(model: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return a classifier's layers in `dtype`."""
    backbone = model.distilbert
    layers = backbone.transformer.layer
    rows = []
    for place, layer in enumerate(layers):
        inside, apart = layer.attention, place == len(layers) - 1
        rows += [rows_of(inside.k_lin, inside.v_lin), rows_of(inside.q_lin)] if apart else []
        rows += [] if apart else [rows_of(inside.q_lin, inside.k_lin, inside.v_lin)]
        rows += [rows_of(inside.out_lin), rows_of(layer.ffn.lin1), rows_of(layer.ffn.lin2)]
    linears = iter(linears_of(rows, dtype, fixed=are_fixed(backbone)))
    return [
        LayerWeights(
            inner=next(linears),
            queries=next(linears) if place == len(layers) - 1 else None,
            out=next(linears),
            up=next(linears),
            down=next(linears),
            attention_norm=layer.sa_layer_norm,
            output_norm=layer.output_layer_norm,
            activation=None if model.config.activation == "gelu" else layer.ffn.activation,
            n_heads=model.config.n_heads,
            scale=float(model.config.dim // model.config.n_heads) ** -0.5,
        )
        for place, layer in enumerate(layers)
    ]


def packed_logits(model: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return one fp32 logit per pair, in the packed order: (n_pairs,)."""
    config = model.config
    # Unlike BERT it drops nothing of attention's output.
    drop = Dropouts(attention=config.attention_dropout, fed=config.dropout) if model.training else Dropouts()
    hidden = model.distilbert.embeddings(
        input_ids=batch.input_ids.unsqueeze(0), position_ids=batch.positions.unsqueeze(0)
    )[0]
    states = hidden, hidden.to(dtype)
    for weights in layers:
        states = layer_states(states, weights, batch, dtype, drop)
    found: torch.Tensor = model.classifier(model.dropout(torch.relu(model.pre_classifier(states[0]))))
    return found.float().reshape(-1)
