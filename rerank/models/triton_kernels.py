"""Triton kernels for what stands between a layer's products on CUDA: biases, residual, norm, GELU and casts at once.

Needs Triton, which CUDA builds of torch bring along; `fused.py` asks whether it is there and computes the same.
"""

from typing import Any

import torch
import triton
import triton.language as tl

# Programs of a backward pass: each adds up its own part of a bias's or norm's gradient, in a fixed order.
PROGRAMS = 1024
GELU_ROWS, GELU_COLUMNS = 8, 256  # of a program at once
HALF_ROOT = tl.constexpr(0.7071067811865476)  # 1/√2
DENSITY = tl.constexpr(0.3989422804014327)  # 1/√(2π)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _norm_forward(  # type: ignore[no-untyped-def]
    residual,
    out,
    out_bias,
    weight,
    bias,
    summed,
    normed,
    entering,
    means,
    scales,
    width,
    epsilon,
    HAS_BIAS: tl.constexpr,  # noqa: N803 - Triton's habit for what is known when it compiles
    KEEPS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    at = row * width + columns
    x = tl.load(residual + at, mask=inside, other=0.0) + tl.load(out + at, mask=inside, other=0.0).to(tl.float32)
    if HAS_BIAS:
        x += tl.load(out_bias + columns, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / width
    centred = tl.where(inside, x - mean, 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(centred * centred, axis=0) / width + epsilon)
    y = centred * scale * tl.load(weight + columns, mask=inside, other=0.0)
    y += tl.load(bias + columns, mask=inside, other=0.0)
    tl.store(normed + at, y, mask=inside)
    tl.store(entering + at, y.to(tl.bfloat16), mask=inside)
    if KEEPS:
        tl.store(summed + at, x, mask=inside)
        tl.store(means + row, mean)
        tl.store(scales + row, scale)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _norm_backward(  # type: ignore[no-untyped-def]
    of_normed,
    of_entering,
    summed,
    means,
    scales,
    weight,
    of_residual,
    of_out,
    of_weights,
    n_rows,
    width,
    rows_each,
    BLOCK: tl.constexpr,  # noqa: N803
):
    program = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    gain = tl.load(weight + columns, mask=inside, other=0.0)
    sum_weight = tl.zeros((BLOCK,), dtype=tl.float32)
    sum_bias = tl.zeros((BLOCK,), dtype=tl.float32)
    sum_out = tl.zeros((BLOCK,), dtype=tl.float32)
    first = program * rows_each
    for row in range(first, tl.minimum(first + rows_each, n_rows)):
        at = row * width + columns
        dy = tl.load(of_normed + at, mask=inside, other=0.0)
        dy += tl.load(of_entering + at, mask=inside, other=0.0).to(tl.float32)
        scale = tl.load(scales + row)
        x = tl.where(inside, (tl.load(summed + at, mask=inside, other=0.0) - tl.load(means + row)) * scale, 0.0)
        sum_weight += dy * x
        sum_bias += dy
        dy *= gain
        dx = scale * (dy - tl.sum(dy, axis=0) / width - x * (tl.sum(dy * x, axis=0) / width))
        sum_out += tl.where(inside, dx, 0.0)
        tl.store(of_residual + at, dx, mask=inside)
        tl.store(of_out + at, dx.to(tl.bfloat16), mask=inside)
    at = of_weights + program * 3 * width + columns
    tl.store(at, sum_weight, mask=inside)
    tl.store(at + width, sum_bias, mask=inside)
    tl.store(at + 2 * width, sum_out, mask=inside)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _gelu_forward(  # type: ignore[no-untyped-def]
    product,
    bias,
    found,
    n_rows,
    width,
    ROWS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    is_column = columns < width
    inside = (rows < n_rows)[:, None] & is_column[None, :]
    at = rows[:, None] * width + columns[None, :]
    x = tl.load(product + at, mask=inside, other=0.0).to(tl.float32)
    x += tl.load(bias + columns, mask=is_column, other=0.0).to(tl.float32)[None, :]
    y = 0.5 * x * (1.0 + tl.erf(x * HALF_ROOT))
    tl.store(found + at, y.to(tl.bfloat16), mask=inside)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _gelu_backward(  # type: ignore[no-untyped-def]
    outer,
    product,
    bias,
    of_product,
    of_bias,
    n_rows,
    width,
    rows_each,
    ROWS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    program = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    is_column = columns < width
    shift = tl.load(bias + columns, mask=is_column, other=0.0).to(tl.float32)
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    first = program * rows_each
    last = tl.minimum(first + rows_each, n_rows)
    for begin in range(first, last, ROWS):
        rows = begin + tl.arange(0, ROWS)
        inside = (rows < last)[:, None] & is_column[None, :]
        at = rows[:, None] * width + columns[None, :]
        x = tl.load(product + at, mask=inside, other=0.0).to(tl.float32) + shift[None, :]
        below = 0.5 * (1.0 + tl.erf(x * HALF_ROOT))
        density = DENSITY * tl.exp(-0.5 * x * x)
        dx = tl.load(outer + at, mask=inside, other=0.0).to(tl.float32) * (below + x * density)
        total += tl.sum(dx, axis=0)
        tl.store(of_product + at, dx.to(tl.bfloat16), mask=inside)
    tl.store(of_bias + program * width + columns, total, mask=is_column)


def _block(width: int) -> tuple[int, int]:
    """Return the columns of a program, a power of two, and its warps."""
    block = int(triton.next_power_of_2(width))
    return block, min(8, max(1, block // 256))


def _shares(n_rows: int) -> tuple[int, int]:
    """Return how many programs share the rows, and how many rows each of them has."""
    rows_each = max(1, -(-n_rows // PROGRAMS))
    return max(1, -(-n_rows // rows_each)), rows_each


class AddedNorm(torch.autograd.Function):
    """norm(residual + out + out_bias): residual (n, width) fp32, out bf16; the norm in fp32 and in bf16."""

    @staticmethod
    def forward(
        ctx: Any,
        residual: torch.Tensor,
        out: torch.Tensor,
        out_bias: torch.Tensor | None,
        weight: torch.Tensor,
        bias: torch.Tensor,
        epsilon: float,
        keeps: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        residual, out = residual.contiguous(), out.contiguous()
        n_rows, width = residual.shape
        normed, entering = torch.empty_like(residual), torch.empty_like(out)
        summed = torch.empty_like(residual) if keeps else residual
        means, scales = residual.new_empty(2, n_rows if keeps else 0).unbind(0)
        block, warps = _block(width)
        _norm_forward[(n_rows,)](
            residual, out, out_bias, weight, bias, summed, normed, entering, means, scales, width, epsilon,
            HAS_BIAS=out_bias is not None, KEEPS=keeps, BLOCK=block, num_warps=warps,
        )  # fmt: skip
        if keeps:
            ctx.save_for_backward(summed, means, scales, weight)
            ctx.bias_type = None if out_bias is None else out_bias.dtype
        return normed, entering

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        summed, means, scales, weight = ctx.saved_tensors
        of_normed, of_entering = (gradient.contiguous() for gradient in gradients)
        n_rows, width = summed.shape
        programs, rows_each = _shares(n_rows)
        of_residual, of_out = torch.empty_like(summed), torch.empty_like(of_entering)
        of_weights = summed.new_empty(programs, 3, width)
        block, warps = _block(width)
        _norm_backward[(programs,)](
            of_normed, of_entering, summed, means, scales, weight, of_residual, of_out, of_weights,
            n_rows, width, rows_each, BLOCK=block, num_warps=warps,
        )  # fmt: skip
        of_weight, of_bias, of_out_bias = of_weights.sum(0).unbind(0)
        found = None if ctx.bias_type is None else of_out_bias.to(ctx.bias_type)
        return of_residual, of_out, found, of_weight, of_bias, None, None


def added_norm(
    residual: torch.Tensor,
    out: torch.Tensor,
    out_bias: torch.Tensor | None,
    weight: torch.Tensor,
    bias: torch.Tensor,
    epsilon: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `AddedNorm`; what its gradient needs is kept only where gradients are on."""
    keeps = torch.is_grad_enabled()
    found: tuple[torch.Tensor, torch.Tensor] = AddedNorm.apply(  # type: ignore[no-untyped-call]
        residual, out, out_bias, weight, bias, epsilon, keeps
    )
    return found


class BiasedGelu(torch.autograd.Function):
    """GELU(product + bias), the exact one, by erf: (n, width) bf16 in and out."""

    @staticmethod
    def forward(ctx: Any, product: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        product = product.contiguous()
        found = torch.empty_like(product)
        n_rows, width = product.shape
        _gelu_forward[(triton.cdiv(n_rows, GELU_ROWS), triton.cdiv(width, GELU_COLUMNS))](
            product, bias, found, n_rows, width, ROWS=GELU_ROWS, BLOCK=GELU_COLUMNS, num_warps=4
        )
        ctx.save_for_backward(product, bias)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        product, bias = ctx.saved_tensors
        n_rows, width = product.shape
        programs, rows_each = _shares(n_rows)
        of_product = torch.empty_like(product)
        of_bias = bias.new_empty(programs, width, dtype=torch.float32)
        _gelu_backward[(programs, triton.cdiv(width, GELU_COLUMNS))](
            gradients[0].contiguous(), product, bias, of_product, of_bias, n_rows, width, rows_each,
            ROWS=GELU_ROWS, BLOCK=GELU_COLUMNS, num_warps=4,
        )  # fmt: skip
        return of_product, of_bias.sum(0).to(bias.dtype)


def biased_gelu(product: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return `BiasedGelu`."""
    found: torch.Tensor = BiasedGelu.apply(product, bias)  # type: ignore[no-untyped-call]
    return found
