"""Attention over packed sequences: exact, without a mask over other pairs and without their products."""

from collections.abc import Callable
from functools import cache

import torch

from rerank.models.flash import flash, variable_length
from rerank.models.grouped_attention import grouped_attention
from rerank.models.packed import Layout, layout_of

# First tokens' queries, what is stacked, layout, scale, share dropped, window: as `packed_attention` has them.
Attend = Callable[[torch.Tensor | None, torch.Tensor, Layout, float, float, int | None], torch.Tensor]


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
    fits = stacked.is_cuda and stacked.dtype is torch.bfloat16 and size % 8 == 0 and size <= 256
    # A kernel counts a window from the last token when the queries are fewer than the keys.
    if fits and (first is None or window is None):
        has_gradient = torch.is_grad_enabled() and stacked.requires_grad
        kernel = kernel_that_works(window is not None, has_gradient, dropout > 0)
        if kernel is not None:
            return kernel(first, stacked, layout, scale, dropout, window)
    return grouped_attention(first, stacked, layout, scale, dropout, window)


@cache
def kernel_that_works(windowed: bool, has_gradient: bool, has_dropout: bool) -> Attend | None:
    """Return the fastest of torch's kernels that runs here and computes what the products do, else None.

    Their signatures change between releases and not every card runs them. With a gradient a kernel also has to give
    the same bits twice, with dropout to drop the same on the way back.
    """
    device = torch.device("cuda")
    for kernel in (flash, variable_length):
        with torch.random.fork_rng(devices=[device]):
            torch.manual_seed(0)
            try:
                fits = agrees(kernel, device, windowed=windowed, has_gradient=has_gradient)
                if fits and (not has_dropout or drops_alike(kernel, device)):
                    return kernel
            except (AttributeError, ImportError, RuntimeError, TypeError, ValueError):
                continue
    return None


def agrees(attend: Attend, device: torch.device, *, windowed: bool, has_gradient: bool) -> bool:
    """Say whether a kernel gives attention within bf16's precision of plain products, and its gradient repeatably."""
    layout = layout_of([150, 90, 33, 5], device)
    n, heads, size = sum(layout.lengths), 4, 32
    window = 16 if windowed else None
    for n_first in (0,) if windowed else (0, len(layout.lengths)):
        stacked = torch.randn(n, 2 if n_first else 3, heads, size, device=device, dtype=torch.bfloat16)
        first = torch.randn(n_first, heads, size, device=device, dtype=torch.bfloat16) if n_first else None
        outer = torch.randn(n_first or n, heads, size, device=device, dtype=torch.bfloat16)
        with torch.set_grad_enabled(has_gradient):
            runs = []
            for run in (grouped_attention, attend, attend):
                leaves = [part.clone().requires_grad_(has_gradient) for part in (stacked, first) if part is not None]
                found = run(leaves[1] if n_first else None, leaves[0], layout, size**-0.5, 0.0, window)
                of_leaves = torch.autograd.grad(found, leaves, outer) if has_gradient else ()
                runs.append([found.detach(), *of_leaves])
        golden, ours, again = runs
        if not all(torch.equal(one, other) for one, other in zip(ours, again, strict=True)):
            return False
        for exact, value in zip(golden, ours, strict=True):
            if not (value - exact).float().norm() <= 0.03 * exact.float().norm():  # not a number fails as well
                return False
    return True


def drops_alike(attend: Attend, device: torch.device) -> bool:
    """Say whether a kernel drops something, the same for one seed, and the same on the way back.

    What is dropped fixed, attention is linear in its values: its square is their product with its own gradient,
    while another draw's gradient misses the third of it that the draw makes.
    """
    layout, share = layout_of([150, 90, 33, 5], device), 0.3
    stacked = torch.randn(sum(layout.lengths), 3, 4, 32, device=device, dtype=torch.bfloat16).requires_grad_()

    def drawn(share: float) -> torch.Tensor:
        torch.manual_seed(0)
        with torch.enable_grad():
            return attend(None, stacked, layout, 32**-0.5, share, None)

    found, again, whole = drawn(share), drawn(share).detach(), drawn(0.0).detach()
    (gradient,) = torch.autograd.grad(found, stacked, again)
    square = again.float().square().sum()
    back = (stacked.detach()[:, 2].float() * gradient[:, 2].float()).sum()
    is_repeated = torch.equal(found.detach(), again) and not torch.equal(again, whole)
    return is_repeated and bool((square - back).abs() <= 0.05 * square)
