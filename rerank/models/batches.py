"""Batches by tokens, not by pairs: equal work, little padding."""

from collections.abc import Sequence

import numpy as np
import torch

from rerank.models.pairs import Pair, sent
from rerank.models.token_store import PairTemplate


def token_batches(lengths: Sequence[int], token_budget: int, *, padded: bool = True) -> list[list[int]]:
    """Return positions in batches of similar length, longest first, each within the token budget.

    padded: count every pair with the length of its batch's longest one. A single pair that is longer than
    the budget is a batch of its own.
    """
    given = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-given, kind="stable")
    sorted_lengths = given[order]
    ends = np.cumsum(sorted_lengths)
    batches: list[list[int]] = []
    begin = 0
    while begin < len(order):
        if padded:
            end = begin + token_budget // max(1, int(sorted_lengths[begin]))
        else:
            before = int(ends[begin - 1]) if begin else 0
            end = int(np.searchsorted(ends, before + token_budget, side="right"))
        end = max(begin + 1, end)
        batches.append(order[begin:end].tolist())
        begin = end
    return batches


def collate(pairs: Sequence[Pair], template: PairTemplate, device: torch.device) -> dict[str, torch.Tensor]:
    """Return model inputs for pairs, padded to the longest: input_ids, attention_mask, token_type_ids."""
    longest = max(len(ids) for ids, _ in pairs)
    input_ids = np.full((len(pairs), longest), template.pad_id, dtype=np.int64)
    mask = np.zeros((len(pairs), longest), dtype=np.int64)
    types = np.zeros((len(pairs), longest), dtype=np.int64)
    for row, (ids, second) in enumerate(pairs):
        input_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
        types[row, second : len(ids)] = template.second_type
    inputs = {"input_ids": input_ids, "attention_mask": mask}
    if template.uses_types:
        inputs["token_type_ids"] = types
    return {name: sent(values, device) for name, values in inputs.items()}
