"""What stands between a layer's products: residual and norm, or GELU, with the biases of the products before them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import torch
from torch.nn import functional

from rerank.models.products import Linear
from rerank.models.trials import is_near, passes, same_bits

WIDEST = 8192  # columns that one program of a kernel holds
# Rows that a kernel is tried with: its programs have several turns each, and the last one fewer rows than the others.
TRIED_ROWS = 9 * 1024 + 5

# (residual, out, bias of out or None, norm's weight and bias, epsilon) to the norm of the sum in fp32 and in bf16.
NormKernel = Callable[..., tuple[torch.Tensor, torch.Tensor]]
# (product, bias) to GELU of their sum.
GeluKernel = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Kernel = TypeVar("Kernel")


def added_norm(
    residual: torch.Tensor, rows: torch.Tensor, linear: Linear, norm: Any, dtype: torch.dtype, dropout: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return norm(residual + linear(rows)), (n, width), in fp32 and in `dtype`; a share of the product is dropped."""
    width = residual.shape[-1]
    is_usual = isinstance(norm, torch.nn.LayerNorm) and norm.bias is not None and width <= WIDEST
    kernel = norm_kernel(width) if is_usual and _is_for_kernels(rows) else None
    if kernel is None:
        hidden = norm(residual + dropped(linear(rows), dropout))
        return hidden, hidden.to(dtype)
    if dropout > 0:
        return kernel(residual, dropped(linear(rows), dropout), None, norm.weight, norm.bias, norm.eps)
    product = functional.linear(rows, linear.weight)
    return kernel(residual, product, linear.bias, norm.weight, norm.bias, norm.eps)


def gelu_of(rows: torch.Tensor, linear: Linear) -> torch.Tensor:
    """Return GELU of linear(rows)."""
    if linear.bias is not None and _is_for_kernels(rows):
        kernel = gelu_kernel(len(linear.bias))
        if kernel is not None:
            return kernel(functional.linear(rows, linear.weight), linear.bias)
    return linear.gelu(rows)


def dropped(values: torch.Tensor, share: float) -> torch.Tensor:
    """Return values with a share of them dropped."""
    return functional.dropout(values, share) if share > 0 else values


def _is_for_kernels(rows: torch.Tensor) -> bool:
    return rows.is_cuda and rows.dtype is torch.bfloat16


@cache
def norm_kernel(width: int) -> NormKernel | None:
    """Return the kernel for sums and norms of this width where it compiles and computes what torch does, else None."""

    def load() -> NormKernel:
        from rerank.models.triton_kernels import added_norm as kernel

        return kernel

    return _tried("norm", load, norm_agrees, width)


@cache
def gelu_kernel(width: int) -> GeluKernel | None:
    """Return the kernel for biases and GELU of this width where it compiles and computes what torch does, else None."""

    def load() -> GeluKernel:
        from rerank.models.triton_kernels import biased_gelu as kernel

        return kernel

    return _tried("gelu", load, gelu_agrees, width)


def _tried(
    what: str, load: Callable[[], Kernel], agrees: Callable[[Kernel, torch.device, int], bool], width: int
) -> Kernel | None:
    """Return a kernel if it is there and agrees.

    Triton comes with CUDA builds of torch and needs a C compiler; what it raises without one differs by release.
    """
    device = torch.device("cuda")
    found: list[Kernel] = []

    def trial() -> bool:
        found.append(load())
        return agrees(found[0], device, width)

    return found[0] if passes(what, trial, device) else None


def norm_agrees(kernel: NormKernel, device: torch.device, width: int) -> bool:
    """Say whether a kernel gives the norms and gradients of torch, with and without a bias, and the same bits twice."""
    norm = torch.nn.LayerNorm(width, eps=1e-12).to(device)
    for weight in norm.parameters():
        torch.nn.init.normal_(weight)
    residual = torch.randn(TRIED_ROWS, width, device=device, requires_grad=True)
    out = torch.randn(TRIED_ROWS, width, device=device).bfloat16().requires_grad_()
    bias = torch.randn(width, device=device).bfloat16().requires_grad_()
    outer = torch.randn(TRIED_ROWS, width, device=device)
    for given in (bias, None):

        def plain(given: torch.Tensor | None = given) -> tuple[torch.Tensor, torch.Tensor]:
            hidden = norm(residual + out.float() + (0.0 if given is None else given.float()))
            return hidden, hidden.bfloat16()

        def fused(given: torch.Tensor | None = given) -> tuple[torch.Tensor, torch.Tensor]:
            return kernel(residual, out, given, norm.weight, norm.bias, norm.eps)

        leaves = [residual, out, norm.weight, norm.bias, *([] if given is None else [given])]
        if not _alike(plain, fused, leaves, (outer, outer.bfloat16())):
            return False
    return True


def gelu_agrees(kernel: GeluKernel, device: torch.device, width: int) -> bool:
    """Say whether a kernel gives GELU and its gradients as torch does, and the same bits twice."""
    product = torch.randn(TRIED_ROWS, width, device=device).bfloat16().requires_grad_()
    bias = torch.randn(width, device=device).bfloat16().requires_grad_()
    outer = torch.randn(TRIED_ROWS, width, device=device).bfloat16()

    def plain() -> tuple[torch.Tensor]:
        return (functional.gelu(product.float() + bias.float()).bfloat16(),)

    return _alike(plain, lambda: (kernel(product, bias),), (product, bias), (outer,))


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
    return (
        same_bits(ours, again)
        and all(_is_near(one, other) for one, other in zip(exact, ours, strict=True))
        and all(_is_near(one, other) for one, other in zip(exact, alone, strict=False))
    )


def _is_near(exact: torch.Tensor, value: torch.Tensor) -> bool:
    return is_near(exact.float(), value.float(), 1e-2 if exact.dtype is torch.bfloat16 else 1e-5)
