"""A CPU computes in bf16 only where torch says that it has bf16 products of its own."""

from collections.abc import Collection

import pytest
import torch

from rerank.models.devices import _NATIVE_BF16, pick_device

AMX = "_is_amx_tile_supported"
AVX512_BF16 = "_is_avx512_bf16_supported"
# What torch says of a CPU besides: bf16 products are emulated with these.
OTHERS = ("_is_avx2_supported", "_is_avx512_supported", "_is_vnni_supported", "_is_amx_fp16_supported")


def cpu_with(patch: pytest.MonkeyPatch, supported: Collection[str]) -> str:
    """Return the type of matrix products on a CPU that supports only so much."""
    for name in (AMX, AVX512_BF16, *OTHERS):
        patch.setattr(torch.cpu, name, lambda name=name: name in supported, raising=name not in OTHERS)
    return pick_device("cpu").dtype


@pytest.mark.parametrize("name", _NATIVE_BF16)
def test_torch_still_answers_what_it_is_asked_about_bf16(name: str) -> None:
    assert isinstance(getattr(torch.cpu, name)(), bool)


@pytest.mark.parametrize("supported", [(AMX,), (AVX512_BF16,), (AMX, AVX512_BF16, *OTHERS)])
def test_a_cpu_with_bf16_products_computes_in_bf16(monkeypatch: pytest.MonkeyPatch, supported: Collection[str]) -> None:
    assert cpu_with(monkeypatch, supported) == "bf16"


@pytest.mark.parametrize("supported", [(), OTHERS])
def test_a_cpu_that_would_emulate_bf16_computes_in_fp32(
    monkeypatch: pytest.MonkeyPatch, supported: Collection[str]
) -> None:
    assert cpu_with(monkeypatch, supported) == "fp32"


@pytest.mark.parametrize("missing", [AMX, AVX512_BF16])
def test_one_question_that_a_torch_no_longer_knows_leaves_the_other(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    other = AVX512_BF16 if missing == AMX else AMX
    cpu_with(monkeypatch, (other,))
    monkeypatch.delattr(torch.cpu, missing)
    assert pick_device("cpu").dtype == "bf16"
