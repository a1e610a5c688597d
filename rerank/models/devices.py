"""The device that computes, and everything about it that could move a number."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from rerank import __version__
from rerank.errors import RerankError

# Raised when the engine's arithmetic changes: results of an older one are not mistaken for its own.
ENGINE = 8
# torch's own questions for native bf16 products of a CPU: AMX, and AVX-512's dot product. They are private, and a test
# says when a torch has renamed them.
_NATIVE_BF16 = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")


@dataclass(frozen=True)
class Device:
    """A device: `kind` cuda, mps or cpu, its name, the type of matrix products, and CPU threads."""

    kind: str
    name: str
    dtype: str  # "bf16" only where the hardware has it natively, else "fp32"
    n_threads: int

    @property
    def handle(self) -> torch.device:
        """Return torch's own handle."""
        return torch.device(self.kind)

    @property
    def product_type(self) -> torch.dtype:
        """Return the type in which matrix products are computed."""
        return torch.bfloat16 if self.dtype == "bf16" else torch.float32

    def numerics(self) -> dict[str, Any]:
        """Return what belongs in a stage's digest: equal numerics give equal numbers."""
        kept = asdict(self)
        if self.kind != "cpu":  # how many threads feed another device moves no number
            del kept["n_threads"]
        kept.update(code_version=__version__, engine=ENGINE, torch=str(torch.__version__).split("+")[0])
        kept["transformers"] = version("transformers")
        return kept


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cpu_has_bf16() -> bool:
    """Say whether bf16 products are native: emulated ones are several times slower than fp32."""
    for name in _NATIVE_BF16:
        check = getattr(torch.cpu, name, None)
        if check is not None and check():
            return True
    return False


def pick_device(wanted: str = "auto") -> Device:
    """Return the wanted device (`auto` takes CUDA, then MPS, then CPU).

    Raises RerankError `device_not_available`.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(wanted):
        raise RerankError("device_not_available", wanted=wanted)
    threads = torch.get_num_threads()
    if wanted == "cuda":
        major, _ = torch.cuda.get_device_capability()
        dtype = "bf16" if major >= 8 else "fp32"
        # Equal seeds must give equal numbers after a resume; cuBLAS wants this before its first product.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Else every new tensor is filled before it is written; nothing here reads what was not written.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        return Device("cuda", torch.cuda.get_device_name(), dtype, threads)
    if wanted == "mps":
        return Device("mps", platform.machine(), "fp32", threads)
    return Device("cpu", _cpu_name(), "bf16" if _cpu_has_bf16() else "fp32", threads)


def synchronize(device: Device) -> None:
    """Wait until the device has done what it was given, so that a clock tells the truth."""
    if device.kind == "cuda":
        torch.cuda.synchronize()
    elif device.kind == "mps":
        torch.mps.synchronize()


@contextmanager
def threads_of(device: Device) -> Iterator[None]:
    """Compute with as many CPU threads as the device says."""
    before = torch.get_num_threads()
    torch.set_num_threads(device.n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
