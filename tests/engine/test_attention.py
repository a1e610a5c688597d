"""Attention over packed pairs: by hand as finite differences say, and by a kernel only if it computes the same."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from rerank.models.attention import Attend, agrees, drops_alike, packed_attention
from rerank.models.flash import Kernel, flash, trained_by, variable_length
from rerank.models.grouped_attention import grouped_attention
from rerank.models.packed import AttentionSpec, layout_of


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("first_only", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_attention_by_hand_has_the_gradient_of_finite_differences(
    first_only: bool, dropout: float, window: int | None
) -> None:
    layout = layout_of([4, 4, 3, 1], torch.device("cpu"))
    torch.manual_seed(0)
    stacked = torch.randn(12, 2 if first_only else 3, 2, 3, dtype=torch.float64, requires_grad=True)
    first = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True) if first_only else None

    def attend(*given: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)  # the same units are dropped in every evaluation
        head = given[1] if first_only else None
        return packed_attention(head, given[0], AttentionSpec(layout, 0.6, dropout, window))

    given = (stacked,) if first is None else (stacked, first)
    assert torch.autograd.gradcheck(attend, given)


@pytest.mark.parametrize("lengths", [[70] * 3, [70, 69, 66, 60, 30], [5, 4]])
def test_a_window_hides_exactly_what_lies_beyond_it(lengths: list[int]) -> None:
    """Golden values: softmax over all tokens of the pair, those farther than the window at minus infinity."""
    window, n = 9, sum(lengths)
    layout = layout_of(lengths, torch.device("cpu"))
    torch.manual_seed(0)
    stacked = torch.randn(n, 3, 2, 8, dtype=torch.float64, requires_grad=True)
    golden_of = stacked.detach().clone().requires_grad_(True)
    golden = []
    for start, length in zip(layout.starts, lengths, strict=True):
        q, k, v = golden_of[start : start + length].permute(1, 2, 0, 3)
        at = torch.arange(length)
        far = (at[:, None] - at[None]).abs() > window
        p = (q @ k.transpose(1, 2) * 0.3).masked_fill(far, float("-inf")).softmax(-1)
        golden.append((p @ v).transpose(0, 1))
    found = packed_attention(None, stacked, AttentionSpec(layout, 0.3, window=window))
    assert torch.allclose(found, torch.cat(golden), atol=1e-12)
    weight = torch.randn(n, 2, 8, dtype=torch.float64)
    (found * weight).sum().backward()
    (torch.cat(golden) * weight).sum().backward()
    assert stacked.grad is not None
    assert golden_of.grad is not None
    assert torch.allclose(stacked.grad, golden_of.grad, atol=1e-12)


def by_pair(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
    """Stand in for a device's kernel: torch's own attention, pair by pair."""
    found = []
    for place, (start, length) in enumerate(zip(spec.layout.starts, spec.layout.lengths, strict=True)):
        own = slice(start, start + length)
        asking = q[own] if len(q) == len(k) else q[place : place + 1]
        at = torch.arange(length)
        near = None if spec.window is None else (at[:, None] - at[None]).abs() <= spec.window
        parts = (part.transpose(0, 1).unsqueeze(0) for part in (asking, k[own], v[own]))
        one = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=near, scale=spec.scale)
        found.append(one[0].transpose(0, 1))
    return torch.cat(found)


@pytest.mark.parametrize("first_only", [False, True])
def test_a_kernel_is_trained_with_the_gradient_of_the_products(first_only: bool) -> None:
    layout = layout_of([7, 4, 4, 1], torch.device("cpu"))
    torch.manual_seed(0)
    stacked = torch.randn(16, 2 if first_only else 3, 2, 8, dtype=torch.float64, requires_grad=True)
    first = torch.randn(4, 2, 8, dtype=torch.float64, requires_grad=True) if first_only else None
    leaves = [stacked] if first is None else [stacked, first]
    spec = AttentionSpec(layout, 0.3)
    golden = packed_attention(first, stacked, spec)
    found = trained_by(by_pair, first, stacked, spec)
    assert torch.allclose(found, golden, atol=1e-12)
    outer = torch.randn_like(golden)
    assert not torch.are_deterministic_algorithms_enabled()
    ours = torch.autograd.grad(found, leaves, outer)
    assert not torch.are_deterministic_algorithms_enabled(), "the demand is made for this gradient alone"
    for one, other in zip(ours, torch.autograd.grad(golden, leaves, outer), strict=True):
        assert torch.allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.1])
@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("first_only", [False, True])
def test_torchs_kernels_take_what_they_are_given(first_only: bool, window: int | None, share: float) -> None:
    """Their signatures differ between releases, and a card that refuses them is slower without a word.

    Tensors without content go through torch's own checks of shapes and arguments on any machine.
    """
    meta = torch.device("meta")
    spec = AttentionSpec(layout_of([50, 20, 5], meta), 0.2, share, window)
    stacked = torch.empty(75, 2 if first_only else 3, 4, 32, device=meta, dtype=torch.bfloat16, requires_grad=True)
    first = torch.empty(3, 4, 32, device=meta, dtype=torch.bfloat16, requires_grad=True) if first_only else None
    leaves = [stacked] if first is None else [stacked, first]
    for kernel in (flash, variable_length):
        if kernel is variable_length and share > 0:
            with pytest.raises(NotImplementedError):
                kernel(first, stacked, spec)
            continue
        found = kernel(first, stacked, spec)
        assert found.shape == (3 if first_only else 75, 4, 32)
        gradients = torch.autograd.grad(found, leaves, torch.empty_like(found))
        assert [gradient.shape for gradient in gradients] == [leaf.shape for leaf in leaves]


@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize("has_gradient", [False, True])
def test_only_a_kernel_that_computes_the_same_and_the_same_twice_is_used(windowed: bool, has_gradient: bool) -> None:
    def other_scale(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
        return by_pair(q, k, v, replace(spec, scale=spec.scale * 1.5))

    def any_order(*given: Any) -> torch.Tensor:
        found = by_pair(*given)
        return found + 1e-2 * torch.randn_like(found)

    def neighbours_seen(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, spec: AttentionSpec) -> torch.Tensor:
        return by_pair(q, k, v.roll(1, 0), spec)

    def attend(kernel: Kernel) -> Attend:
        return lambda first, stacked, spec: trained_by(kernel, first, stacked, spec)

    asked: Any = {"windowed": windowed, "has_gradient": has_gradient}
    cpu = torch.device("cpu")
    assert agrees(attend(by_pair), cpu, **asked)
    for wrong in (other_scale, any_order, neighbours_seen):
        assert not agrees(attend(wrong), cpu, **asked)


class OtherDraw(torch.autograd.Function):
    """Products whose gradient, or that of queries and keys alone, belongs to another draw."""

    @staticmethod
    def forward(
        ctx: Any, first: torch.Tensor | None, stacked: torch.Tensor, of_values: bool, spec: AttentionSpec
    ) -> Any:
        with torch.enable_grad():
            ctx.leaves = [part.detach().requires_grad_() for part in (stacked, first) if part is not None]
            given = ctx.leaves[1] if first is not None else None
            ctx.found = grouped_attention(given, ctx.leaves[0], spec)
            ctx.other = grouped_attention(given, ctx.leaves[0], spec)
        ctx.of_values = of_values
        return ctx.found.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        own = torch.autograd.grad(ctx.found, ctx.leaves, gradients[0])
        other = torch.autograd.grad(ctx.other, ctx.leaves, gradients[0])
        of_stacked = other[0].clone()
        if ctx.of_values:
            of_stacked[:, -1] = own[0][:, -1]
        return other[1] if len(other) > 1 else None, of_stacked, None, None


def drops(change: Any) -> Attend:
    """Return products with dropout of which something is changed."""
    return lambda first, stacked, spec: change(
        lambda other: grouped_attention(first, stacked, replace(spec, dropout=other)), spec.dropout, first
    )


WRONG_DROPOUTS: dict[str, Attend] = {
    "nothing": drops(lambda attend, share, first: attend(0.0)),
    "nothing where first tokens ask": drops(lambda attend, share, first: attend(share if first is None else 0.0)),
    "what it should keep": drops(lambda attend, share, first: attend(1 - share)),
    "without making up for it": drops(lambda attend, share, first: attend(share) * (1 - share)),
    "another draw on the way back": lambda first, stacked, *rest: OtherDraw.apply(first, stacked, False, *rest),
    "another draw for queries and keys": lambda first, stacked, *rest: OtherDraw.apply(first, stacked, True, *rest),
}


@pytest.mark.parametrize("size", [8, 32, 64])
def test_products_drop_the_same_on_the_way_back(size: int) -> None:
    torch.manual_seed(0)
    assert drops_alike(grouped_attention, torch.device("cpu"), size=size)


@pytest.mark.parametrize("name", WRONG_DROPOUTS)
def test_a_kernel_that_drops_otherwise_is_not_used_for_dropout(name: str) -> None:
    torch.manual_seed(0)
    assert not drops_alike(WRONG_DROPOUTS[name], torch.device("cpu"))
