"""DistilBERT over packed batches: BERT's layers with other names, no segments and no pooler."""

from typing import Any

import torch

from rerank.models.bert_family import Dropouts, LayerWeights, are_fixed, inner_of, layer_states
from rerank.models.packed import Packed
from rerank.models.products import linear_of


def cast(model: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return a classifier's layers in `dtype`."""
    backbone = model.distilbert
    fixed, layers = are_fixed(backbone), backbone.transformer.layer
    found = []
    for place, layer in enumerate(layers):
        inside, wide = layer.attention, layer.ffn
        parts = (inside.q_lin, inside.k_lin, inside.v_lin)
        inner, queries = inner_of(
            torch.cat([part.weight for part in parts]),
            torch.cat([part.bias for part in parts]),
            dtype,
            fixed=fixed,
            first_only=place == len(layers) - 1,
        )
        found.append(
            LayerWeights(
                inner=inner,
                queries=queries,
                out=linear_of(inside.out_lin.weight, inside.out_lin.bias, dtype, fixed=fixed),
                up=linear_of(wide.lin1.weight, wide.lin1.bias, dtype, fixed=fixed),
                down=linear_of(wide.lin2.weight, wide.lin2.bias, dtype, fixed=fixed),
                attention_norm=layer.sa_layer_norm,
                output_norm=layer.output_layer_norm,
                activation=None if model.config.activation == "gelu" else wide.activation,
                n_heads=model.config.n_heads,
                scale=float(model.config.dim // model.config.n_heads) ** -0.5,
            )
        )
    return found


def packed_logits(model: Any, layers: list[LayerWeights], batch: Packed, dtype: torch.dtype) -> torch.Tensor:
    """Return one fp32 logit per pair, in the packed order: (n_pairs,)."""
    config = model.config
    # Unlike BERT it drops nothing of attention's output.
    drop = Dropouts(attention=config.attention_dropout, fed=config.dropout) if model.training else Dropouts()
    states = model.distilbert.embeddings(
        input_ids=batch.input_ids.unsqueeze(0), position_ids=batch.positions.unsqueeze(0)
    )[0]
    for weights in layers:
        states = layer_states(states, weights, batch, dtype, drop)
    found: torch.Tensor = model.classifier(model.dropout(torch.relu(model.pre_classifier(states))))
    return found.float().reshape(-1)
