"""Triton kernels for what stands between a layer's products on CUDA: residual, norm and casts in one pass.

Needs Triton, which CUDA builds of torch bring along; `norms.py` asks whether it is there and computes the same.
"""

from typing import Any

import torch
import triton
import triton.language as tl

ROWS_AT_ONCE = 1024  # programs of a backward pass; each adds up its own part of the norm's gradient, in a fixed order


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward(  # type: ignore[no-untyped-def]
    residual,
    out,
    weight,
    bias,
    summed,
    normed,
    entering,
    means,
    scales,
    width,
    epsilon,
    KEEPS: tl.constexpr,  # noqa: N803 - Triton's habit for what is known when it compiles
    BLOCK: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    at = row * width + columns
    x = tl.load(residual + at, mask=inside, other=0.0) + tl.load(out + at, mask=inside, other=0.0).to(tl.float32)
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
def _backward(  # type: ignore[no-untyped-def]
    of_normed,
    of_entering,
    summed,
    means,
    scales,
    weight,
    of_residual,
    of_out,
    of_weight,
    of_bias,
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
        tl.store(of_residual + at, dx, mask=inside)
        tl.store(of_out + at, dx.to(tl.bfloat16), mask=inside)
    tl.store(of_weight + program * width + columns, sum_weight, mask=inside)
    tl.store(of_bias + program * width + columns, sum_bias, mask=inside)


def _block(width: int) -> tuple[int, int]:
    """Return the columns of a program, a power of two, and its warps."""
    block = int(triton.next_power_of_2(width))
    return block, min(8, max(1, block // 256))


class AddedNorm(torch.autograd.Function):
    """norm(residual + out): residual (n, width) fp32 and out bf16 in, the norm in fp32 and in bf16 out."""

    @staticmethod
    def forward(
        ctx: Any, residual: torch.Tensor, out: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, epsilon: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        residual, out = residual.contiguous(), out.contiguous()
        n_rows, width = residual.shape
        keeps = any(ctx.needs_input_grad)
        normed, entering = torch.empty_like(residual), torch.empty_like(out)
        summed = torch.empty_like(residual) if keeps else residual
        means, scales = (residual.new_empty(n_rows if keeps else 0) for _ in range(2))
        block, warps = _block(width)
        _forward[(n_rows,)](
            residual, out, weight, bias, summed, normed, entering, means, scales, width, epsilon,
            KEEPS=keeps, BLOCK=block, num_warps=warps,
        )  # fmt: skip
        if keeps:
            ctx.save_for_backward(summed, means, scales, weight)
        return normed, entering

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        summed, means, scales, weight = ctx.saved_tensors
        of_normed, of_entering = (gradient.contiguous() for gradient in gradients)
        n_rows, width = summed.shape
        programs = max(1, min(n_rows, ROWS_AT_ONCE))
        rows_each = -(-n_rows // programs)
        of_residual, of_out = torch.empty_like(summed), torch.empty_like(of_entering)
        of_weight, of_bias = (summed.new_empty(programs, width) for _ in range(2))
        block, warps = _block(width)
        _backward[(programs,)](
            of_normed, of_entering, summed, means, scales, weight, of_residual, of_out, of_weight, of_bias,
            n_rows, width, rows_each, BLOCK=block, num_warps=warps,
        )  # fmt: skip
        return of_residual, of_out, of_weight.sum(0), of_bias.sum(0), None
