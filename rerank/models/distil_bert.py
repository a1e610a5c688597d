"""DistilBERT over packed batches: BERT's layers with other names, no segments and no pooler."""

from typing import Any

import torch

from rerank.models.bert_family import Dropouts, LayerModules, LayerWeights, are_fixed, cast_modules, layer_states
from rerank.models.packed import Packed


def cast(model: Any, dtype: torch.dtype) -> list[LayerWeights]:
    """Return a classifier's layers in `dtype`."""
    backbone, config = model.distilbert, model.config
    layers = [
        LayerModules(
            query=layer.attention.q_lin,
            key=layer.attention.k_lin,
            value=layer.attention.v_lin,
            out=layer.attention.out_lin,
            attention_norm=layer.sa_layer_norm,
            up=layer.ffn.lin1,
            down=layer.ffn.lin2,
            output_norm=layer.output_layer_norm,
        )
        for layer in backbone.transformer.layer
    ]
    return cast_modules(
        layers,
        dtype,
        activation=None if config.activation == "gelu" else backbone.transformer.layer[0].ffn.activation,
        n_heads=config.n_heads,
        fixed=are_fixed(backbone),
        first_only=True,
    )


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
