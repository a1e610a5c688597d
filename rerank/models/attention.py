"""Attention over packed sequences: exact, without a mask over other pairs and without their products."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch

from rerank.models.packed import Group, Layout, layout_of

Context = Any  # torch gives the two directions of a Function one object to share
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
    def forward(
        ctx: Context,
        first: torch.Tensor | None,
        stacked: torch.Tensor,
        layout: Layout,
        scale: float,
        dropout: float,
        window: int | None,
    ) -> torch.Tensor:
        found = stacked.new_empty(stacked[:, 0].shape if first is None else first.shape)
        kept: list[torch.Tensor] = []
        for group in layout.groups:
            parts = _padded(stacked, layout, group)
            k, v = parts[-2:].unbind(0)
            # Scaling the queries is cheaper than scaling their products with every key.
            q = (parts[0] if first is None else _first_rows(first, group)) * scale
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
        ctx.layout, ctx.scale, ctx.has_mask, ctx.window = layout, scale, dropout > 0, window
        ctx.first_only, ctx.stacked_shape = first is not None, stacked.shape
        return found

    @staticmethod
    def backward(ctx: Context, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        outer = gradients[0].contiguous()
        layout: Layout = ctx.layout
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
            spans = list(_spans(group, ctx.first_only, ctx.window))
            # Blocks of a window overlap in their keys: their shares are added.
            whole = len(spans) == 1 and spans[0][3] == group.longest
            of_parts = torch.empty_like(parts) if whole else torch.zeros_like(parts)
            of_k, of_v = of_parts[-2:].unbind(0)
            of_q = of_parts[0] if of_first is None else _first_rows(of_first, group)
            for begin, end, first_key, end_key in spans:
                p = next(kept)
                mask = next(kept) if ctx.has_mask else None
                inner, reached = o[:, begin:end], slice(first_key, end_key)
                used = p if mask is None else p * mask
                _add(of_v[:, reached], used.transpose(1, 2), inner, whole)
                of_p = torch.bmm(inner, v[:, reached].transpose(1, 2))
                if mask is not None:
                    of_p *= mask
                # Softmax backwards: p (dp - Σ p dp), then the scale that the queries carried.
                of_s = torch.ops.aten._softmax_backward_data(of_p, p, -1, p.dtype).mul_(ctx.scale)
                torch.bmm(of_s, k[:, reached], out=of_q[:, begin:end])
                _add(of_k[:, reached], of_s.transpose(1, 2), q[:, begin:end], whole)
            _put(of_parts, of_stacked, layout, group)
        return of_first, of_stacked, None, None, None, None


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


def packed_attention(
    first: torch.Tensor | None,
    stacked: torch.Tensor,
    layout: Layout,
    *,
    scale: float,
    dropout: float = 0.0,
    window: int | None = None,
) -> torch.Tensor:
    """Return attention within each packed pair.

    stacked: (n_tokens, 3, heads, size), every token's query, key and value; returns (n_tokens, heads, size).
    With `first`, the queries of the pairs' first tokens alone, (n_pairs, heads, size), stacked holds keys and
    values, (n_tokens, 2, heads, size), and so many rows return: all that a last layer needs when only the
    first token is read.
    window: the farthest distance in tokens that a query reaches, both ways; None: every token of its pair.
    """
    size = stacked.shape[-1]
    fits = stacked.is_cuda and dropout == 0 and stacked.dtype is not torch.float32 and size % 8 == 0 and size <= 256
    # A kernel counts a window from the last token when the queries are fewer than the keys.
    fits = fits and (first is None or window is None)
    if fits:
        has_gradient = torch.is_grad_enabled() and stacked.requires_grad
        kernel = _kernel_that_works(window is not None, has_gradient)
        if kernel is not None and has_gradient:
            return trained_by(kernel, first, stacked, layout, scale, window)
        if kernel is not None:
            return kernel(*_parts(first, stacked), layout, scale, window)
    return _grouped(first, stacked, layout, scale, dropout, window)


def _grouped(
    first: torch.Tensor | None,
    stacked: torch.Tensor,
    layout: Layout,
    scale: float,
    dropout: float,
    window: int | None,
) -> torch.Tensor:
    found: torch.Tensor = _Grouped.apply(first, stacked, layout, scale, dropout, window)  # type: ignore[no-untyped-call]
    return found


# Queries, keys, values, (n, heads, size) each; a kernel brings a gradient of its own.
Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Layout, float, int | None], torch.Tensor]


def _parts(first: torch.Tensor | None, stacked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    keys, values = stacked[:, -2:].unbind(1)
    return stacked[:, 0] if first is None else first, keys, values


class _Trained(torch.autograd.Function):
    """A kernel whose gradient is added up in a fixed order, so that equal seeds give equal weights.

    torch fixes that order only where deterministic algorithms are demanded without exception, which other
    operations of a model cannot promise: the demand is made for the kernel's own gradient alone.
    """

    @staticmethod
    def forward(
        ctx: Context,
        first: torch.Tensor | None,
        stacked: torch.Tensor,
        kernel: Kernel,
        layout: Layout,
        scale: float,
        window: int | None,
    ) -> torch.Tensor:
        with torch.enable_grad():
            q, k, v = (part.detach().requires_grad_() for part in _parts(first, stacked))
            found = kernel(q, k, v, layout, scale, window)
        ctx.parts, ctx.found, ctx.has_first = (q, k, v), found, first is not None
        return found.detach()

    @staticmethod
    def backward(ctx: Context, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        enabled, only_warns = (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        torch.use_deterministic_algorithms(True)
        try:
            of_q, of_k, of_v = torch.autograd.grad(ctx.found, ctx.parts, gradients[0].contiguous())
        finally:
            torch.use_deterministic_algorithms(enabled, warn_only=only_warns)
        del ctx.parts, ctx.found
        if ctx.has_first:
            return of_q, torch.stack((of_k, of_v), dim=1), None, None, None, None
        return None, torch.stack((of_q, of_k, of_v), dim=1), None, None, None, None


def trained_by(
    kernel: Kernel, first: torch.Tensor | None, stacked: torch.Tensor, layout: Layout, scale: float, window: int | None
) -> torch.Tensor:
    """Return `packed_attention` as a kernel computes it, with the kernel's gradient."""
    found: torch.Tensor = _Trained.apply(first, stacked, kernel, layout, scale, window)  # type: ignore[no-untyped-call]
    return found


def _variable_length(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, scale: float, window: int | None
) -> torch.Tensor:
    """Return attention by torch's own kernel for packed sequences."""
    from torch.nn.attention.varlen import varlen_attn

    longest = layout.lengths[0]
    if len(q) == len(k):
        cumulative, longest_query = layout.cumulative, longest
    else:
        cumulative = torch.arange(len(layout.lengths) + 1, dtype=torch.int32, device=q.device)
        longest_query = 1
    asked: dict[str, Any] = {} if window is None else {"window_size": (window, window)}
    if scale != q.shape[-1] ** -0.5:  # the usual one is the default, also where it cannot be named
        asked["scale"] = scale
    found: torch.Tensor = varlen_attn(  # type: ignore[assignment]
        q, k, v, cumulative, layout.cumulative, longest_query, longest, **asked
    )
    return found


def _variable_length_of_copies(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, scale: float, window: int | None
) -> torch.Tensor:
    return _variable_length(q.contiguous(), k.contiguous(), v.contiguous(), layout, scale, window)


@cache
def _kernel_that_works(windowed: bool, has_gradient: bool) -> Kernel | None:
    """Return torch's variable-length kernel where it runs and computes what the products do, else None.

    Its signature changed between releases and not every card runs it; some may read queries, keys and values only
    from copies. With a gradient it also has to give the same bits twice.
    """
    device = torch.device("cuda")
    for kernel in (_variable_length, _variable_length_of_copies):
        with torch.random.fork_rng(devices=[device]):
            torch.manual_seed(0)
            try:
                if agrees(kernel, device, windowed=windowed, has_gradient=has_gradient):
                    return kernel
            except (ImportError, RuntimeError, TypeError, ValueError, NotImplementedError):
                continue
    return None


def agrees(kernel: Kernel, device: torch.device, *, windowed: bool, has_gradient: bool) -> bool:
    """Say whether a kernel gives the attention of `_Grouped` within bf16's precision, and its gradient repeatably."""
    layout = layout_of([150, 90, 33, 5], device)
    n, heads, size = sum(layout.lengths), 4, 32
    window = 16 if windowed else None
    for n_first in (0,) if windowed else (0, len(layout.lengths)):
        stacked = torch.randn(n, 2 if n_first else 3, heads, size, device=device, dtype=torch.bfloat16)
        first = torch.randn(n_first, heads, size, device=device, dtype=torch.bfloat16) if n_first else None
        outer = torch.randn(n_first or n, heads, size, device=device, dtype=torch.bfloat16)
        with torch.set_grad_enabled(has_gradient):
            runs = []
            for run in ("products", "kernel", "kernel again"):
                leaves = [part.clone().requires_grad_(has_gradient) for part in (stacked, first) if part is not None]
                q = leaves[1] if n_first else None
                if run == "products":
                    found = _grouped(q, leaves[0], layout, size**-0.5, 0.0, window)
                elif has_gradient:
                    found = trained_by(kernel, q, leaves[0], layout, size**-0.5, window)
                else:
                    found = kernel(*_parts(q, leaves[0]), layout, size**-0.5, window)
                of_leaves = torch.autograd.grad(found, leaves, outer) if has_gradient else ()
                runs.append([found.detach(), *of_leaves])
        golden, ours, again = runs
        if not all(torch.equal(one, other) for one, other in zip(ours, again, strict=True)):
            return False
        for exact, value in zip(golden, ours, strict=True):
            if not (value - exact).float().norm() <= 0.03 * exact.float().norm():  # not a number fails as well
                return False
    return True
