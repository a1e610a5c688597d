"""Linear maps in the type of matrix products; those that will not change are laid out once as the CPU wants them."""

from dataclasses import dataclass
from functools import cache

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


def linear_of(weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype, *, fixed: bool) -> Linear:
    """Return a linear map in `dtype` that keeps its link to the master weights.

    fixed: weights stay and nobody wants gradients; then the link is cut and a CPU reads them in its own order.
    """
    cast = None if bias is None else bias.to(dtype)
    if fixed and dtype is torch.bfloat16 and weight.device.type == "cpu" and _can_lay_out():
        return Linear(_laid_out(weight.to(dtype)), cast, is_laid_out=True)
    return Linear(weight.to(dtype), cast)


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
