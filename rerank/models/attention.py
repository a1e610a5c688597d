"""Attention over packed sequences: exact, without a mask over other pairs and without their products."""

from collections.abc import Callable, Sequence
from functools import cache

import torch

from rerank.models.flash import flash, variable_length
from rerank.models.grouped_attention import grouped_attention
from rerank.models.packed import AttentionSpec, layout_of
from rerank.models.trials import is_near, passes, same_bits

# First tokens' queries and what is stacked, as `packed_attention` has them.
Attend = Callable[[torch.Tensor | None, torch.Tensor, AttentionSpec], torch.Tensor]


def packed_attention(first: torch.Tensor | None, stacked: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Return attention within each packed pair.

    stacked: (n_tokens, 3, heads, size), every token's query, key and value; returns (n_tokens, heads, size).
    With `first`, the queries of the pairs' first tokens alone, (n_pairs, heads, size), stacked holds keys and
    values, (n_tokens, 2, heads, size), and so many rows return: all that a last layer needs when only the
    first token is read.
    """
    size = stacked.shape[-1]
    fits = stacked.is_cuda and stacked.dtype is torch.bfloat16 and size % 8 == 0 and size <= 256
    # A kernel counts a window from the last token when the queries are fewer than the keys.
    if fits and (first is None or spec.window is None):
        # With dropout, passes with and without a gradient have to drop the same: one kernel for both.
        has_gradient = spec.dropout > 0 or (torch.is_grad_enabled() and stacked.requires_grad)
        kernel = kernel_that_works(size, spec.window is not None, has_gradient, spec.dropout > 0)
        if kernel is not None:
            return kernel(first, stacked, spec)
    return grouped_attention(first, stacked, spec)


@cache
def kernel_that_works(size: int, windowed: bool, has_gradient: bool, has_dropout: bool) -> Attend | None:
    """Return the fastest of torch's kernels that runs here and computes what the products do, else None.

    Their signatures change between releases, and not every card runs them for every size of heads. With a gradient a
    kernel also has to give the same bits twice, with dropout to drop the same on the way back.
    """
    device = torch.device("cuda")
    for kernel in (flash, variable_length):

        def trial(kernel: Attend = kernel) -> bool:
            fits = agrees(kernel, device, size=size, windowed=windowed, has_gradient=has_gradient)
            return fits and (not has_dropout or drops_alike(kernel, device, size=size))

        if passes(kernel.__name__, trial, device, (AttributeError, ImportError, RuntimeError, TypeError, ValueError)):
            return kernel
    return None


def agrees(attend: Attend, device: torch.device, *, size: int = 32, windowed: bool, has_gradient: bool) -> bool:
    """Say whether a kernel gives attention within bf16's precision of plain products, and its gradient repeatably."""
    layout = layout_of([150, 90, 33, 5], device)
    n, heads = sum(layout.lengths), 4
    spec = AttentionSpec(layout, size**-0.5, window=16 if windowed else None)
    for n_first in (0,) if windowed else (0, len(layout.lengths)):
        stacked = torch.randn(n, 2 if n_first else 3, heads, size, device=device, dtype=torch.bfloat16)
        first = torch.randn(n_first, heads, size, device=device, dtype=torch.bfloat16) if n_first else None
        outer = torch.randn(n_first or n, heads, size, device=device, dtype=torch.bfloat16)
        with torch.set_grad_enabled(has_gradient):
            runs = []
            for run in (grouped_attention, attend, attend):
                leaves = [part.clone().requires_grad_(has_gradient) for part in (stacked, first) if part is not None]
                found = run(leaves[1] if n_first else None, leaves[0], spec)
                of_leaves = torch.autograd.grad(found, leaves, outer) if has_gradient else ()
                runs.append([found.detach(), *of_leaves])
        golden, ours, again = runs
        if not (same_bits(ours, again) and _all_near(golden, ours)):
            return False
    return True


def drops_alike(attend: Attend, device: torch.device, *, size: int = 32) -> bool:
    """Say whether a kernel drops a share as products do, the same for one seed, and the same on the way back.

    Values that are unit vectors tell which keys of every query were kept; with that known, attention and all of its
    gradients can be computed by plain products.
    """
    longest, heads, share = min(size, 32), 4, 0.3
    layout = layout_of([longest, longest, longest // 2 + 1, 2], device)
    n_pairs, n = len(layout.lengths), sum(layout.lengths)
    spec = AttentionSpec(layout, size**-0.5, share)
    units = torch.cat([torch.eye(length, size, device=device) for length in layout.lengths])
    for n_first in (0, n_pairs):
        stacked = torch.randn(n, 2 if n_first else 3, heads, size, device=device, dtype=torch.bfloat16)
        first = torch.randn(n_first, heads, size, device=device, dtype=torch.bfloat16) if n_first else None
        outer = torch.randn(n_first or n, heads, size, device=device, dtype=torch.bfloat16)
        leaves = [part.requires_grad_() for part in (stacked, first) if part is not None]

        def drawn(stacked: torch.Tensor, first: torch.Tensor | None = first) -> torch.Tensor:
            torch.manual_seed(0)
            with torch.enable_grad():
                return attend(first, stacked, spec)

        telling = stacked.detach().clone()
        telling[:, -1] = units[:, None].to(torch.bfloat16)
        kept = drawn(telling).detach() > 0
        asked = [1 if n_first else length for length in layout.lengths]
        of_all = heads * sum(queries * length for queries, length in zip(asked, layout.lengths, strict=True))
        if not abs(int(kept.sum()) / of_all - (1 - share)) < 0.15:
            return False
        found, again = drawn(stacked), drawn(stacked).detach()
        with torch.enable_grad():
            exact = _with_kept(first, stacked, kept, spec)
        golden = [exact, *torch.autograd.grad(exact, leaves, outer.float())]
        ours = [found.detach(), *torch.autograd.grad(found, leaves, outer)]
        if not (torch.equal(ours[0], again) and _all_near(golden, ours)):
            return False
    return True


def _all_near(golden: Sequence[torch.Tensor], ours: Sequence[torch.Tensor]) -> bool:
    """Say whether values are as near as bf16 lets attention be."""
    return all(is_near(exact, value, 0.03) for exact, value in zip(golden, ours, strict=True))


def _with_kept(
    first: torch.Tensor | None, stacked: torch.Tensor, kept: torch.Tensor, spec: AttentionSpec
) -> torch.Tensor:
    """Return attention in fp32, pair by pair, of which these (queries, heads, key) were kept."""
    found = []
    for place, (start, length) in enumerate(zip(spec.layout.starts, spec.layout.lengths, strict=True)):
        own = slice(start, start + length)
        asking = slice(place, place + 1) if first is not None else own
        q = (stacked[own, 0] if first is None else first[asking]).float()
        k, v = stacked[own, -2].float(), stacked[own, -1].float()
        p = torch.softmax(torch.einsum("qhd,khd->qhk", q, k) * spec.scale, dim=-1)
        found.append(torch.einsum("qhk,khd->qhd", p * kept[asking][..., :length] / (1 - spec.dropout), v))
    return torch.cat(found)
