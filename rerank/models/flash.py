"""Attention over packed sequences by torch's own kernels on CUDA."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from rerank.models.packed import AttentionSpec, Layout

# Queries, keys, values, (n, heads, size) each; a kernel brings a gradient of its own.
Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, AttentionSpec], torch.Tensor]


@contextmanager
def _fixed_order() -> Iterator[None]:
    """Have gradients added up in a fixed order, so that equal seeds give equal weights.

    torch does so only where deterministic algorithms are demanded without exception, which other operations of a
    model cannot promise: the demand is made for a kernel's own gradient alone.
    """
    enabled, only_warns = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=only_warns)


def _parts(first: torch.Tensor | None, stacked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    keys, values = stacked[:, -2:].unbind(1)
    return stacked[:, 0] if first is None else first, keys, values


def _lengths(first: torch.Tensor | None, layout: Layout) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Return where queries and keys of each pair begin, and the longest pair's numbers of both."""
    longest = layout.lengths[0]
    if first is None:
        return layout.cumulative, layout.cumulative, longest, longest
    return layout.one_each, layout.cumulative, 1, longest


def _gradients(
    has_first: bool, of_q: torch.Tensor, of_k: torch.Tensor, of_v: torch.Tensor
) -> tuple[torch.Tensor | None, ...]:
    """Return the gradients of `first` and `stacked`."""
    if not has_first:
        return None, torch.stack((of_q, of_k, of_v), dim=1)
    return of_q, torch.stack((of_k, of_v), dim=1)


class _Flash(torch.autograd.Function):
    """The kernel under torch's variable-length attention, called directly: that one has no dropout."""

    @staticmethod
    def forward(ctx: Any, first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
        window = -1 if spec.window is None else spec.window
        ctx.asked = {"scale": spec.scale, "window_size_left": window, "window_size_right": window}
        ctx.spec, ctx.has_first = spec, first is not None
        found, sums, state, unused, _ = torch.ops.aten._flash_attention_forward(
            *_parts(first, stacked), *_lengths(first, spec.layout), spec.dropout, False, False, **ctx.asked
        )
        ctx.save_for_backward(stacked, found, sums, state, unused, *(() if first is None else (first,)))
        return found  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        stacked, found, sums, state, unused = ctx.saved_tensors[:5]
        first = ctx.saved_tensors[5] if ctx.has_first else None
        with _fixed_order():
            parts = torch.ops.aten._flash_attention_backward(
                gradients[0].contiguous(),
                *_parts(first, stacked),
                found,
                sums,
                *_lengths(first, ctx.spec.layout),
                ctx.spec.dropout,
                False,
                state,
                unused,
                **ctx.asked,
            )
        return *_gradients(ctx.has_first, *parts), None


def flash(first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Return `attention.packed_attention` as torch's kernel computes it; bf16 on CUDA."""
    found: torch.Tensor = _Flash.apply(first, stacked, spec)  # type: ignore[no-untyped-call]
    return found


class _Trained(torch.autograd.Function):
    """A kernel with the gradient that it brings along, added up in a fixed order."""

    @staticmethod
    def forward(
        ctx: Any, first: torch.Tensor | None, stacked: torch.Tensor, kernel: Kernel, spec: AttentionSpec
    ) -> torch.Tensor:
        with torch.enable_grad():
            q, k, v = (part.detach().requires_grad_() for part in _parts(first, stacked))
            found = kernel(q, k, v, spec)
        ctx.parts, ctx.found, ctx.has_first = (q, k, v), found, first is not None
        return found.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        with _fixed_order():
            parts = torch.autograd.grad(ctx.found, ctx.parts, gradients[0].contiguous())
        del ctx.parts, ctx.found
        return *_gradients(ctx.has_first, *parts), None, None


def trained_by(kernel: Kernel, first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Return `attention.packed_attention` without dropout as a kernel computes it, with the kernel's gradient."""
    if not (torch.is_grad_enabled() and stacked.requires_grad):
        return kernel(*_parts(first, stacked), spec)
    found: torch.Tensor = _Trained.apply(first, stacked, kernel, spec)  # type: ignore[no-untyped-call]
    return found


def _variable_length(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    asked: dict[str, Any] = {} if spec.window is None else {"window_size": (spec.window, spec.window)}
    if spec.scale != q.shape[-1] ** -0.5:  # the usual one is the default, also where it cannot be named
        asked["scale"] = spec.scale
    of_q, of_k, most_q, most_k = _lengths(None if len(q) == len(k) else q, spec.layout)
    found: torch.Tensor = varlen_attn(  # type: ignore[assignment]
        q.contiguous(), k.contiguous(), v.contiguous(), of_q, of_k, most_q, most_k, **asked
    )
    return found


def variable_length(first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Return `attention.packed_attention` by torch's public function, which has no dropout.

    Raises NotImplementedError for any.
    """
    if spec.dropout > 0:
        raise NotImplementedError
    return trained_by(_variable_length, first, stacked, spec)
