"""Attention over packed sequences by plain products, for any device: neighbours of nearly one length together."""

from collections.abc import Iterator
from typing import Any

import torch

from rerank.models.packed import AttentionSpec, Group, Layout

Span = tuple[int, int, int, int]  # queries from, to; keys from, to


def _padded(packed: torch.Tensor, layout: Layout, group: Group) -> torch.Tensor:
    """Return a group's (n_tokens, parts, heads, size) rows as (parts, n · heads, longest, size).

    Beyond a pair's end stand copies of its first token.
    """
    n, longest = len(group.lengths), group.longest
    if group.rows is None:
        start = layout.starts[group.first]
        rows = packed[start : start + n * longest]
    else:
        rows = packed.index_select(0, group.rows)
    parts, heads, size = packed.shape[1:]
    apart = rows.view(n, longest, parts, heads, size).permute(2, 0, 3, 1, 4)
    return apart.reshape(parts, n * heads, longest, size)


def _put(padded: torch.Tensor, packed: torch.Tensor, layout: Layout, group: Group) -> None:
    """Write a group's (parts, n · heads, longest, size) back to its (n_tokens, parts, heads, size) rows."""
    n, longest = len(group.lengths), group.longest
    parts, heads, size = packed.shape[1:]
    rows = padded.view(parts, n, heads, longest, size).permute(1, 3, 0, 2, 4)
    start = layout.starts[group.first]
    if group.places is None:
        packed[start : start + n * longest].view(n, longest, parts, heads, size).copy_(rows)
        return
    flat = rows.reshape(n * longest, parts, heads, size)
    target = packed[start : start + len(group.places)]
    torch.index_select(flat, 0, group.places, out=target)


def _first_rows(packed: torch.Tensor, group: Group) -> torch.Tensor:
    """Return the (n · heads, 1, size) rows of a group's first tokens, a view of (n_pairs, heads, size)."""
    rows = packed[group.first : group.first + len(group.lengths)]
    return rows.view(-1, 1, packed.shape[-1])


def _spans(group: Group, first_only: bool, window: int | None) -> Iterator[Span]:
    """Yield blocks of queries with the keys they can reach: everything at once without a window."""
    longest = group.longest
    if window is None or longest <= window + 1:
        yield 0, 1 if first_only else longest, 0, longest
    elif first_only:
        yield 0, 1, 0, window + 1
    else:
        step = max(window, 16)
        for start in range(0, longest, step):
            end = min(longest, start + step)
            yield start, end, max(0, start - window), min(longest, end + window)


def _hide(scores: torch.Tensor, group: Group, span: Span, window: int | None) -> None:
    """Push scores of keys beyond a pair's end or the window so low that their share is exactly 0.

    Not to minus infinity: a row of padding may reach nothing at all, and has to stay a number.
    """
    begin, end, first_key, end_key = span
    lowest = torch.finfo(scores.dtype).min
    if group.ends is not None:
        beyond = torch.arange(first_key, end_key, device=scores.device) >= group.ends
        apart = scores.view(len(group.lengths), -1, *scores.shape[1:])
        apart += torch.zeros_like(beyond, dtype=scores.dtype).masked_fill_(beyond, lowest)[:, None, None]
    if window is not None and group.longest > window + 1:
        queries = torch.arange(begin, end, device=scores.device).unsqueeze(1)
        far = (queries - torch.arange(first_key, end_key, device=scores.device)).abs() > window
        scores.masked_fill_(far, lowest)


class _Grouped(torch.autograd.Function):
    """softmax(q kᵀ · scale) v per pair; written out by hand so that nothing is copied or kept twice.

    stacked: (n_tokens, 3, heads, size), queries, keys and values; or (n_tokens, 2, heads, size), keys and values,
    with the first tokens' queries apart, (n_pairs, heads, size).
    """

    @staticmethod
    def forward(ctx: Any, first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
        layout, window, dropout = spec.layout, spec.window, spec.dropout
        found = stacked.new_empty(stacked[:, 0].shape if first is None else first.shape)
        kept: list[torch.Tensor] = []
        for group in layout.groups:
            parts = _padded(stacked, layout, group)
            k, v = parts[-2:].unbind(0)
            # Scaling the queries is cheaper than scaling their products with every key.
            q = (parts[0] if first is None else _first_rows(first, group)) * spec.scale
            out = torch.empty_like(q) if first is None else _first_rows(found, group)
            kept.append(parts)
            for span in _spans(group, first is not None, window):
                begin, end, first_key, end_key = span
                scores = torch.bmm(q[:, begin:end], k[:, first_key:end_key].transpose(1, 2))
                _hide(scores, group, span, window)
                p = torch.softmax(scores, dim=-1)
                used = p
                kept.append(p)
                if dropout > 0:
                    mask = torch.empty_like(p).bernoulli_(1 - dropout).div_(1 - dropout)
                    used = p * mask
                    kept.append(mask)
                torch.bmm(used, v[:, first_key:end_key], out=out[:, begin:end])
            if first is None:
                _put(out.unsqueeze(0), found.unsqueeze(1), layout, group)
        ctx.save_for_backward(*kept, *(() if first is None else (first,)))
        ctx.spec, ctx.first_only, ctx.stacked_shape = spec, first is not None, stacked.shape
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        outer = gradients[0].contiguous()
        spec: AttentionSpec = ctx.spec
        layout, has_mask = spec.layout, spec.dropout > 0
        of_stacked = outer.new_empty(ctx.stacked_shape)
        first = ctx.saved_tensors[-1] if ctx.first_only else None
        of_first = torch.empty_like(first) if first is not None else None
        kept = iter(ctx.saved_tensors)
        for group in layout.groups:
            parts = next(kept)
            k, v = parts[-2:].unbind(0)
            q = parts[0] if first is None else _first_rows(first, group)
            if first is not None:
                o = _first_rows(outer, group)
            else:
                o = _padded(outer.unsqueeze(1), layout, group)[0]
                if group.ends is not None:  # what stands beyond a pair's end has no gradient
                    _clear_beyond(o.view(len(group.lengths), -1, *o.shape[1:]), group, group.ends)
            spans = list(_spans(group, ctx.first_only, spec.window))
            # Blocks of a window overlap in their keys: their shares are added.
            whole = len(spans) == 1 and spans[0][3] == group.longest
            of_parts = torch.empty_like(parts) if whole else torch.zeros_like(parts)
            of_k, of_v = of_parts[-2:].unbind(0)
            of_q = of_parts[0] if of_first is None else _first_rows(of_first, group)
            for begin, end, first_key, end_key in spans:
                p = next(kept)
                mask = next(kept) if has_mask else None
                inner, reached = o[:, begin:end], slice(first_key, end_key)
                used = p if mask is None else p * mask
                _add(of_v[:, reached], used.transpose(1, 2), inner, whole)
                of_p = torch.bmm(inner, v[:, reached].transpose(1, 2))
                if mask is not None:
                    of_p *= mask
                # Softmax backwards: p (dp - Σ p dp), then the scale that the queries carried.
                of_s = torch.ops.aten._softmax_backward_data(of_p, p, -1, p.dtype).mul_(spec.scale)
                torch.bmm(of_s, k[:, reached], out=of_q[:, begin:end])
                _add(of_k[:, reached], of_s.transpose(1, 2), q[:, begin:end], whole)
            _put(of_parts, of_stacked, layout, group)
        return of_first, of_stacked, None


def _clear_beyond(apart: torch.Tensor, group: Group, ends: torch.Tensor) -> None:
    """Set (n, heads, longest, size) to 0 beyond the pairs' ends."""
    if apart.is_cuda:  # one launch instead of one per pair
        beyond = torch.arange(group.longest, device=apart.device) >= ends
        apart.masked_fill_(beyond[:, None, :, None], 0)
        return
    for place, length in enumerate(group.lengths):
        apart[place, :, length:] = 0


def _add(target: torch.Tensor, left: torch.Tensor, right: torch.Tensor, whole: bool) -> None:
    if whole:
        torch.bmm(left, right, out=target)
    else:
        target += torch.bmm(left, right)


def grouped_attention(first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Return `attention.packed_attention` as products compute it."""
    found: torch.Tensor = _Grouped.apply(first, stacked, spec)  # type: ignore[no-untyped-call]
    return found
