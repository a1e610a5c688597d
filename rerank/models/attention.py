"""Attention over packed sequences: exact, without a mask over other pairs and without their products."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from rerank.models.packed import Group, Layout, layout_of

Context = Any  # torch gives the two directions of a Function one object to share


def _gather(packed: torch.Tensor, layout: Layout, group: Group) -> torch.Tensor:
    """Return a group's rows as (n, heads, longest, size), zeros beyond each pair's end."""
    n, longest = len(group.lengths), group.longest
    start = layout.starts[group.first]
    if group.lengths[-1] == longest:  # all alike: one reshape
        rows = packed[start : start + n * longest]
        return rows.view(n, longest, *packed.shape[1:]).transpose(1, 2).contiguous()
    found = packed.new_zeros(n, packed.shape[1], longest, packed.shape[2])
    for place, length in enumerate(group.lengths):
        found[place, :, :length] = packed[start : start + length].transpose(0, 1)
        start += length
    return found


def _scatter(padded: torch.Tensor, packed: torch.Tensor, layout: Layout, group: Group) -> None:
    """Write a group's (n, heads, longest, size) back to its rows."""
    n, longest = len(group.lengths), group.longest
    start = layout.starts[group.first]
    if group.lengths[-1] == longest:
        packed[start : start + n * longest].view(n, longest, *packed.shape[1:]).copy_(padded.transpose(1, 2))
        return
    for place, length in enumerate(group.lengths):
        packed[start : start + length] = padded[place, :, :length].transpose(0, 1)
        start += length


def _queries(packed: torch.Tensor, layout: Layout, group: Group, first_only: bool) -> torch.Tensor:
    if first_only:
        rows = packed[group.first : group.first + len(group.lengths)]
        return rows.unsqueeze(2)
    return _gather(packed, layout, group)


def _put_queries(padded: torch.Tensor, packed: torch.Tensor, layout: Layout, group: Group, first_only: bool) -> None:
    if first_only:
        packed[group.first : group.first + len(group.lengths)] = padded.squeeze(2)
    else:
        _scatter(padded, packed, layout, group)


def _probabilities(queries: torch.Tensor, keys: torch.Tensor, group: Group, scale: float) -> torch.Tensor:
    # Scaling the queries is cheaper than scaling their products with every key.
    scores = torch.matmul(queries * scale, keys.transpose(-1, -2))
    if group.lengths[-1] != group.longest:
        for place, length in enumerate(group.lengths):
            if length < group.longest:
                scores[place, :, :, length:] = float("-inf")
    return torch.softmax(scores, dim=-1)


class _Grouped(torch.autograd.Function):
    """softmax(q kᵀ · scale) v per pair; written out by hand so that nothing is copied or kept twice.

    stacked: (n_tokens, 3, heads, size), queries, keys and values; or (n_tokens, 2, heads, size), keys and values,
    with the first tokens' queries apart, (n_pairs, heads, size).
    """

    @staticmethod
    def forward(
        ctx: Context, first: torch.Tensor | None, stacked: torch.Tensor, layout: Layout, scale: float, dropout: float
    ) -> torch.Tensor:
        queries, (keys, values) = stacked[:, 0] if first is None else first, stacked[:, -2:].unbind(1)
        found = stacked.new_empty(queries.shape)
        kept: list[torch.Tensor] = []
        for group in layout.groups:
            q = _queries(queries, layout, group, first is not None)
            k, v = _gather(keys, layout, group), _gather(values, layout, group)
            p = _probabilities(q, k, group, scale)
            used = p
            if dropout > 0:
                mask = torch.empty_like(p).bernoulli_(1 - dropout).div_(1 - dropout)
                used = p * mask
                kept.append(mask)
            kept.extend((q, k, v, p))
            _put_queries(torch.matmul(used, v), found, layout, group, first is not None)
        ctx.save_for_backward(*kept)
        ctx.layout, ctx.scale, ctx.has_mask = layout, scale, dropout > 0
        ctx.first_shape, ctx.stacked_shape = None if first is None else first.shape, stacked.shape
        return found

    @staticmethod
    def backward(ctx: Context, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        outer = gradients[0].contiguous()
        layout: Layout = ctx.layout
        first_only = ctx.first_shape is not None
        of_stacked = outer.new_empty(ctx.stacked_shape)
        of_first = outer.new_empty(ctx.first_shape) if first_only else None
        of_queries = of_stacked[:, 0] if of_first is None else of_first
        of_keys, of_values = of_stacked[:, -2:].unbind(1)
        kept = iter(ctx.saved_tensors)
        for group in layout.groups:
            mask = next(kept) if ctx.has_mask else None
            q, k, v, p = next(kept), next(kept), next(kept), next(kept)
            o = _queries(outer, layout, group, first_only)
            used = p if mask is None else p * mask
            _scatter(torch.matmul(used.transpose(-1, -2), o), of_values, layout, group)
            of_p = torch.matmul(o, v.transpose(-1, -2))
            if mask is not None:
                of_p *= mask
            # Softmax backwards: p (dp - Σ p dp), then the scale that the queries carried.
            of_s = torch.ops.aten._softmax_backward_data(of_p, p, -1, p.dtype).mul_(ctx.scale)
            _put_queries(torch.matmul(of_s, k), of_queries, layout, group, first_only)
            _scatter(torch.matmul(of_s.transpose(-1, -2), q), of_keys, layout, group)
        return of_first, of_stacked, None, None, None


def packed_attention(
    first: torch.Tensor | None, stacked: torch.Tensor, layout: Layout, *, scale: float, dropout: float = 0.0
) -> torch.Tensor:
    """Return attention within each packed pair.

    stacked: (n_tokens, 3, heads, size), every token's query, key and value; returns (n_tokens, heads, size).
    With `first`, the queries of the pairs' first tokens alone, (n_pairs, heads, size), stacked holds keys and
    values, (n_tokens, 2, heads, size), and so many rows return: all that a last layer needs when only the
    first token is read.
    """
    size = stacked.shape[-1]
    fits = stacked.is_cuda and dropout == 0 and stacked.dtype is not torch.float32 and size % 8 == 0 and size <= 256
    # Its backward adds up in any order: training takes the products by hand, whose order is fixed.
    kernel = _varlen_kernel() if fits and not torch.is_grad_enabled() else None
    if kernel is not None:
        return kernel(first, stacked, layout, scale)
    return _grouped(first, stacked, layout, scale, dropout)


def _grouped(
    first: torch.Tensor | None, stacked: torch.Tensor, layout: Layout, scale: float, dropout: float
) -> torch.Tensor:
    found: torch.Tensor = _Grouped.apply(first, stacked, layout, scale, dropout)  # type: ignore[no-untyped-call]
    return found


Kernel = Callable[[torch.Tensor | None, torch.Tensor, Layout, float], torch.Tensor]


@cache
def _varlen_kernel() -> Kernel | None:
    """Return torch's own variable-length attention, None where it is missing or does not run."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None

    def kernel(first: torch.Tensor | None, stacked: torch.Tensor, layout: Layout, scale: float) -> torch.Tensor:
        longest = layout.lengths[0]
        own = torch.arange(len(layout.lengths) + 1, dtype=torch.int32, device=stacked.device)
        keys, values = stacked[:, -2:].unbind(1)
        found: torch.Tensor = varlen_attn(  # type: ignore[assignment]
            (stacked[:, 0] if first is None else first).contiguous(),
            keys.contiguous(),
            values.contiguous(),
            cu_seq_q=layout.cumulative if first is None else own,
            cu_seq_k=layout.cumulative,
            max_q=longest if first is None else 1,
            max_k=longest,
            scale=scale,
        )
        return found

    # Its signature changed between releases and not every card runs it: one small product decides.
    device = torch.device("cuda")
    layout = layout_of([5, 3], device)
    some = torch.randn(8, 3, 2, 32, device=device, dtype=torch.bfloat16)
    try:
        found = kernel(None, some, layout, 32**-0.5)
        golden = _grouped(None, some, layout, 32**-0.5, 0.0)
    except (RuntimeError, TypeError, NotImplementedError):
        return None
    return kernel if torch.allclose(found.float(), golden.float(), atol=2e-2) else None
