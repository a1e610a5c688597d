"""Linear maps in the type of matrix products; those that will not change are laid out once as the CPU wants them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.nn import functional

# The number of rows that the layout of weights is chosen for; any other number runs as well.
_USUAL_ROWS = 2048


@dataclass(frozen=True)
class Linear:
    """A weight, (outputs, inputs), and its bias, (outputs,) or None; `is_laid_out`: in oneDNN's own order."""

    weight: torch.Tensor
    bias: torch.Tensor | None
    is_laid_out: bool = False

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows · weightᵀ + bias: (n, inputs) in, (n, outputs) out."""
        if self.is_laid_out:
            return _laid_out_product(rows, self.weight, self.bias, "none", "")
        return functional.linear(rows, self.weight, self.bias)

    def gelu(self, rows: torch.Tensor) -> torch.Tensor:
        """Return GELU (the exact one, by erf) of the product; laid out, before it is rounded."""
        if self.is_laid_out:
            return _laid_out_product(rows, self.weight, self.bias, "gelu", "none")
        return functional.gelu(self(rows))


@dataclass(frozen=True)
class Rows:
    """Weights that make one product, one below the other, (outputs, inputs) each, and their biases; none: ()."""

    weights: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...] = ()


def rows_of(*modules: Any) -> Rows:
    """Return linear modules with the same inputs as one product. Raises ValueError if only some have a bias."""
    biases = tuple(module.bias for module in modules if module.bias is not None)
    if len(biases) not in (0, len(modules)):
        raise ValueError("biases")
    return Rows(tuple(module.weight for module in modules), biases)


def linears_of(rows: Sequence[Rows], dtype: torch.dtype, *, fixed: bool) -> list[Linear]:
    """Return linear maps in `dtype` that keep their link to the master weights.

    fixed: weights stay and nobody wants gradients; then the link is cut and a CPU reads them in its own order.
    """
    made = iter(cast_together([part for row in rows for part in (row.weights, row.biases) if part], dtype))
    found = [(next(made), next(made) if row.biases else None) for row in rows]
    if fixed and dtype is torch.bfloat16 and found[0][0].device.type == "cpu" and _can_lay_out():
        return [Linear(_laid_out(weight), bias, is_laid_out=True) for weight, bias in found]
    return [Linear(weight, bias) for weight, bias in found]


def cast_together(groups: Sequence[Sequence[torch.Tensor]], dtype: torch.dtype) -> list[torch.Tensor]:
    """Return each group's tensors, one below the other, in `dtype`: a single copy of them all, and of their gradients.

    A GPU is asked many times otherwise, for copies that take it no time. The gradients wait for each other: a layer's
    may, those of a whole model would take half as much memory again as the model.
    """
    if all(part.dtype is dtype for group in groups for part in group):
        return [group[0] if len(group) == 1 else torch.cat(list(group)) for group in groups]
    sizes = [len(group) for group in groups]
    found: tuple[torch.Tensor, ...] = _Cast.apply(dtype, sizes, *(part for group in groups for part in group))  # type: ignore[no-untyped-call]
    return list(found)


class _Cast(torch.autograd.Function):
    """Groups of tensors, one below the other, in another type."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, sizes: list[int], *parts: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.dtypes, ctx.n_rows = [part.dtype for part in parts], [len(part) for part in parts]
        found: list[torch.Tensor] = []
        targets: list[torch.Tensor] = []
        begin = 0
        for size in sizes:
            group = parts[begin : begin + size]
            n_rows = ctx.n_rows[begin : begin + size]
            found.append(group[0].new_empty((sum(n_rows), *group[0].shape[1:]), dtype=dtype))
            targets += torch.split(found[-1], n_rows)
            begin += size
        torch._foreach_copy_(targets, list(parts))
        ctx.sizes = sizes
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        found: list[torch.Tensor | None] = []
        sources: list[torch.Tensor] = []
        for size, gradient in zip(ctx.sizes, gradients, strict=True):
            begin = len(found)
            if gradient is None:
                found += [None] * size
                continue
            parts = torch.split(gradient, ctx.n_rows[begin : begin + size])
            sources += parts
            found += [
                torch.empty_like(part, dtype=dtype)
                for part, dtype in zip(parts, ctx.dtypes[begin : begin + size], strict=True)
            ]
        if sources:
            torch._foreach_copy_([part for part in found if part is not None], sources)
        return None, None, *found


def _laid_out(weight: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), _USUAL_ROWS)
    return found


def _laid_out_product(
    rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, after: str, algorithm: str
) -> torch.Tensor:
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, after, [], algorithm)
    return found


@cache
def _can_lay_out() -> bool:
    """Say whether this build of torch has oneDNN's own order of weights and computes the same with it."""
    rows = torch.linspace(-1, 1, 48).reshape(3, 16).bfloat16()
    weight, bias = torch.linspace(-1, 1, 128).reshape(8, 16).bfloat16(), torch.linspace(-1, 1, 8).bfloat16()
    plain = Linear(weight, bias)
    try:
        ours = Linear(_laid_out(weight), bias, is_laid_out=True)
        pairs = ((ours(rows), plain(rows)), (ours.gelu(rows), plain.gelu(rows)))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return all(torch.allclose(one.float(), other.float(), rtol=2e-2, atol=2e-2) for one, other in pairs)
