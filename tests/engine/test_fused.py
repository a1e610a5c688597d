"""What stands between products is torch's own where no kernel is, and a kernel is used only if it computes the same."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from rerank.models.fused import Kernels, added_norm, agree, gelu_of
from rerank.models.products import Linear

CPU = torch.device("cpu")
Norm = Callable[..., tuple[torch.Tensor, torch.Tensor]]


def plain_norm(
    residual: torch.Tensor,
    out: torch.Tensor,
    out_bias: torch.Tensor | None,
    weight: torch.Tensor,
    bias: torch.Tensor,
    epsilon: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    summed = residual + out.float() + (0.0 if out_bias is None else out_bias.float())
    hidden = functional.layer_norm(summed, summed.shape[-1:], weight, bias, epsilon)
    return hidden, hidden.bfloat16()


def plain_gelu(product: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return functional.gelu(product.float() + bias.float()).bfloat16()


def forgets_the_bias(residual: torch.Tensor, out: torch.Tensor, out_bias: torch.Tensor | None, *rest: object) -> object:
    return plain_norm(residual, out, None if out_bias is None else 0 * out_bias, *rest)  # type: ignore[arg-type]


def rounds_too_early(*given: object) -> object:
    _, entering = plain_norm(*given)  # type: ignore[arg-type]
    return entering.float(), entering


def adds_in_any_order(*given: object) -> object:
    hidden, entering = plain_norm(*given)  # type: ignore[arg-type]
    return hidden + 1e-6 * torch.randn_like(hidden), entering


def cuts_the_gradient(product: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return plain_gelu(product, bias.detach() + 0 * bias)


def is_relu(product: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return functional.relu(product.float() + bias.float()).bfloat16()


@pytest.mark.parametrize("norm", [forgets_the_bias, rounds_too_early, adds_in_any_order])
def test_a_norm_that_computes_something_else_is_not_used(norm: Norm) -> None:
    torch.manual_seed(0)
    assert agree(Kernels(plain_norm, plain_gelu), CPU)
    assert not agree(Kernels(norm, plain_gelu), CPU)


@pytest.mark.parametrize("gelu", [cuts_the_gradient, is_relu])
def test_a_gelu_that_computes_something_else_is_not_used(
    gelu: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    torch.manual_seed(0)
    assert not agree(Kernels(plain_norm, gelu), CPU)


def test_without_a_kernel_it_is_torchs_own() -> None:
    torch.manual_seed(0)
    rows, residual = torch.randn(5, 8), torch.randn(5, 16)
    linear, norm = Linear(torch.randn(16, 8), torch.randn(16)), torch.nn.LayerNorm(16)
    product = functional.linear(rows, linear.weight, linear.bias)
    hidden, entering = added_norm(residual, rows, linear, norm, torch.bfloat16, 0.0)
    assert torch.equal(hidden, norm(residual + product))
    assert torch.equal(entering, hidden.bfloat16())
    assert torch.equal(gelu_of(rows, linear), functional.gelu(product))
    whole, _ = added_norm(residual, rows, linear, norm, torch.bfloat16, 1.0)  # everything of the product is dropped
    assert torch.equal(whole, norm(residual))
