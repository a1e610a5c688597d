"""Weights are cast together and keep their link to the master weights, one by one."""

import torch

from rerank.models.products import cast_together


def drawn(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape).requires_grad_() for shape in shapes]


def test_groups_are_cast_one_below_the_other() -> None:
    one, two, alone = drawn((2, 3), (4, 3), (5,))
    both, single = cast_together([(one, two), (alone,)], torch.bfloat16)
    assert torch.equal(both, torch.cat([one, two]).bfloat16())
    assert torch.equal(single, alone.bfloat16())


def test_every_backward_pass_adds_its_gradients() -> None:
    """A step of two micro-batches goes through one cast twice; what a pass does not use has no gradient from it."""
    one, two, alone = drawn((2, 3), (4, 3), (5,))
    both, single = cast_together([(one, two), (alone,)], torch.bfloat16)
    outer = torch.randn(6, 3).bfloat16()
    (both * outer).sum().backward()
    assert one.grad is not None
    assert two.grad is not None
    assert torch.equal(one.grad, outer[:2].float())
    assert torch.equal(two.grad, outer[2:].float())
    assert alone.grad is None
    ((both * outer).sum() + single.sum()).backward()
    assert torch.equal(one.grad, 2 * outer[:2].float())
    assert torch.equal(alone.grad, torch.ones(5))


def test_what_has_the_type_is_not_copied() -> None:
    one, two = drawn((2, 3), (4, 3))
    (same,) = cast_together([(one,)], torch.float32)
    assert same is one
    (both,) = cast_together([(one, two)], torch.float32)
    assert torch.equal(both, torch.cat([one, two]))


class Nothing(torch.autograd.Function):
    """Has no gradient to give."""

    @staticmethod
    def forward(ctx: object, values: torch.Tensor) -> torch.Tensor:
        return values.sum()

    @staticmethod
    def backward(ctx: object, *gradients: torch.Tensor) -> None:
        return None


def test_no_gradient_at_all_is_none() -> None:
    (one,) = drawn((2, 3))
    (cast,) = cast_together([(one,)], torch.bfloat16)
    Nothing.apply(cast).backward()
    assert one.grad is None
