"""What stands between a layer's products: residual and norm, or GELU, with the biases of the products before them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from rerank.models.products import Linear

WIDEST = 8192  # columns that one program of a kernel holds


class Kernels(NamedTuple):
    """One pass each on CUDA.

    added_norm: (residual, out, bias of out or None, norm's weight and bias, epsilon) to the norm in fp32 and in bf16.
    gelu: (product, bias) to GELU of their sum.
    """

    added_norm: Callable[..., tuple[torch.Tensor, torch.Tensor]]
    gelu: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def added_norm(
    residual: torch.Tensor, rows: torch.Tensor, linear: Linear, norm: Any, dtype: torch.dtype, dropout: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return norm(residual + linear(rows)), (n, width), in fp32 and in `dtype`; a share of the product is dropped."""
    kernels = _kernels_for(rows, residual.shape[-1])
    if kernels is None or not isinstance(norm, torch.nn.LayerNorm) or norm.bias is None:
        hidden = norm(residual + dropped(linear(rows), dropout))
        return hidden, hidden.to(dtype)
    if dropout > 0:
        return kernels.added_norm(residual, dropped(linear(rows), dropout), None, norm.weight, norm.bias, norm.eps)
    product = functional.linear(rows, linear.weight)
    return kernels.added_norm(residual, product, linear.bias, norm.weight, norm.bias, norm.eps)


def gelu_of(rows: torch.Tensor, linear: Linear) -> torch.Tensor:
    """Return GELU of linear(rows)."""
    kernels = None if linear.bias is None else _kernels_for(rows, 1)
    if kernels is None or linear.bias is None:
        return linear.gelu(rows)
    return kernels.gelu(functional.linear(rows, linear.weight), linear.bias)


def dropped(values: torch.Tensor, share: float) -> torch.Tensor:
    """Return values with a share of them dropped."""
    return functional.dropout(values, share) if share > 0 else values


def _kernels_for(rows: torch.Tensor, width: int) -> Kernels | None:
    fits = rows.is_cuda and rows.dtype is torch.bfloat16 and width <= WIDEST
    return kernels_that_work() if fits else None


@cache
def kernels_that_work() -> Kernels | None:
    """Return the kernels where they compile and compute what torch does, else None.

    Triton comes with CUDA builds of torch and needs a C compiler; what it raises without one differs by release.
    """
    device = torch.device("cuda")
    with torch.random.fork_rng(devices=[device]):
        torch.manual_seed(0)
        try:
            from rerank.models.triton_kernels import BiasedGelu, added_norm

            kernels = Kernels(added_norm, BiasedGelu.apply)
            return kernels if agree(kernels, device) else None
        except Exception:
            return None


def agree(kernels: Kernels, device: torch.device) -> bool:
    """Say whether kernels give the values and gradients of torch, and the same bits twice."""
    norm = torch.nn.LayerNorm(48, eps=1e-12).to(device)
    for weight in norm.parameters():
        torch.nn.init.normal_(weight)
    residual = torch.randn(1100, 48, device=device, requires_grad=True)
    out = torch.randn(1100, 48, device=device).bfloat16().requires_grad_()
    bias = torch.randn(48, device=device).bfloat16().requires_grad_()
    outer = torch.randn(1100, 48, device=device)

    def plain_norm() -> tuple[torch.Tensor, torch.Tensor]:
        hidden = norm(residual + out.float() + bias.float())
        return hidden, hidden.bfloat16()

    def fused_norm() -> tuple[torch.Tensor, torch.Tensor]:
        return kernels.added_norm(residual, out, bias, norm.weight, norm.bias, norm.eps)

    def without_bias() -> tuple[torch.Tensor, torch.Tensor]:
        return kernels.added_norm(residual, out, None, norm.weight, norm.bias, norm.eps)

    def plain_without() -> tuple[torch.Tensor, torch.Tensor]:
        hidden = norm(residual + out.float())
        return hidden, hidden.bfloat16()

    def plain_gelu() -> tuple[torch.Tensor]:
        return (functional.gelu(out.float() + bias.float()).bfloat16(),)

    def fused_gelu() -> tuple[torch.Tensor]:
        return (kernels.gelu(out, bias),)

    of_norm = (residual, out, norm.weight, norm.bias)
    return (
        _alike(plain_norm, fused_norm, (*of_norm, bias), (outer, outer.bfloat16()))
        and _alike(plain_without, without_bias, of_norm, (outer, outer.bfloat16()))
        and _alike(plain_gelu, fused_gelu, (out, bias), (outer.bfloat16(),))
    )


def _alike(
    plain: Callable[[], Sequence[torch.Tensor]],
    fused: Callable[[], Sequence[torch.Tensor]],
    leaves: Sequence[torch.Tensor],
    outer: Sequence[torch.Tensor],
) -> bool:
    runs = []
    for run in (plain, fused, fused):
        with torch.enable_grad():
            found = run()
        runs.append([*found, *torch.autograd.grad(found, leaves, outer)])
    exact, ours, again = runs
    with torch.no_grad():  # compiled apart: nothing is kept for a gradient
        alone = fused()
    repeats = all(torch.equal(one, other) for one, other in zip(ours, again, strict=True))
    near = all(_is_near(one, other) for one, other in zip(exact, ours, strict=True))
    return repeats and near and all(_is_near(one, other) for one, other in zip(exact, alone, strict=False))


def _is_near(exact: torch.Tensor, value: torch.Tensor) -> bool:
    share = 1e-2 if exact.dtype is torch.bfloat16 else 1e-5
    return bool((value.float() - exact.float()).norm() <= share * exact.float().norm())  # not a number fails as well
