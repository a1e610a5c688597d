"""What stands between products is torch's own where no kernel is, and a kernel is used only if it computes the same."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from rerank.models import fused, kernels
from rerank.models.devices import Device
from rerank.models.fused import added_norm, gelu_agrees, gelu_kernel, gelu_of, norm_agrees
from rerank.models.products import Linear

original = fused._tried
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


class Short(torch.autograd.Function):
    """GELU that reads one block of columns, and whose gradient ends after the eighth row of a program's share."""

    @staticmethod
    def forward(ctx: Any, product: torch.Tensor, bias: torch.Tensor, columns: int, rows: int) -> torch.Tensor:
        ctx.save_for_backward(product, bias)
        ctx.rows = rows
        found = plain_gelu(product, bias)
        found[:, columns:] = 0
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        product, bias = (part.detach().requires_grad_() for part in ctx.saved_tensors)
        outer = gradients[0].clone()
        outer[torch.arange(len(outer)) % (len(outer) // 1024 + 1) >= ctx.rows] = 0
        with torch.enable_grad():
            found = plain_gelu(product, bias)
        return *torch.autograd.grad(found, (product, bias), outer), None, None


@pytest.mark.parametrize("norm", [forgets_the_bias, rounds_too_early, adds_in_any_order])
def test_a_norm_that_computes_something_else_is_not_used(norm: Norm) -> None:
    torch.manual_seed(0)
    assert norm_agrees(plain_norm, CPU, 48)
    assert not norm_agrees(norm, CPU, 48)


@pytest.mark.parametrize(
    "gelu",
    [
        cuts_the_gradient,
        is_relu,
        lambda product, bias: Short.apply(product, bias, 256, 1024),
        lambda product, bias: Short.apply(product, bias, 1024, 8),
    ],
    ids=["no gradient", "another function", "one block of columns", "one turn of a program"],
)
def test_a_gelu_that_computes_something_else_is_not_used(
    gelu: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    torch.manual_seed(0)
    assert gelu_agrees(plain_gelu, CPU, 300)
    assert not gelu_agrees(gelu, CPU, 300)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), OSError("no C compiler")])
def test_full_memory_says_nothing_about_a_kernel(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A kernel that is not there is not asked for again; one that found no memory is."""
    asked: list[int] = []

    def tried(*_: object) -> bool:
        asked.append(1)
        raise error

    monkeypatch.setattr(fused, "_tried", lambda what, load, agrees, width: without_card(agrees, width))
    monkeypatch.setattr(fused, "gelu_agrees", tried)
    gelu_kernel.cache_clear()
    kernels.refusals.pop("gelu", None)

    def without_card(agrees: Callable[..., bool], width: int) -> object:
        with monkeypatch.context() as patch:
            patch.setattr(torch.random, "fork_rng", lambda devices: nullcontext())
            return original("gelu", lambda: plain_gelu, agrees, width)

    for _ in range(2):
        if isinstance(error, torch.OutOfMemoryError):
            with pytest.raises(torch.OutOfMemoryError):
                gelu_kernel(16)
        else:
            assert gelu_kernel(16) is None
            assert kernels.refusals["gelu"] == "OSError: no C compiler"
    gelu_kernel.cache_clear()
    assert len(asked) == (2 if isinstance(error, torch.OutOfMemoryError) else 1)


def test_a_card_says_which_kernels_it_lacks_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device("cuda", "a card", "bf16", 1)
    for name in ("kernel_that_works", "norm_kernel", "gelu_kernel"):
        monkeypatch.setattr(kernels, name, lambda *_: plain_gelu)
    assert kernels.missing_kernels(card) == {}
    for name in ("kernel_that_works", "gelu_kernel"):
        monkeypatch.setattr(kernels, name, lambda *_: None)
    monkeypatch.setattr(kernels, "refusals", {"flash": "TypeError: no such argument", "variable_length": "another"})
    assert kernels.missing_kernels(card) == {"attention": "TypeError: no such argument", "gelu": ""}
    assert kernels.missing_kernels(replace(card, dtype="fp32")) == {}

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(kernels, "norm_kernel", full)
        assert kernels.missing_kernels(card) == {"memory": ""}
    assert kernels.missing_kernels(replace(card, kind="cpu")) == {}


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
