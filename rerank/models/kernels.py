"""Which of the fast kernels do not run on this card: whoever waits longer than others should learn why."""

from rerank.models.attention import kernel_that_works
from rerank.models.devices import Device
from rerank.models.flash import flash
from rerank.models.fused import gelu_kernel, norm_kernel
from rerank.models.memory import is_out_of_memory
from rerank.models.trials import refusals


def missing_kernels(device: Device, *, head_size: int = 32, width: int = 384) -> dict[str, str]:
    """Return `attention`, `norm` and `gelu` where plain operations do a kernel's work, with the kernel's failure.

    The failure is empty where the kernel ran and computed something else. Sizes: those of the embedded model. Kernels
    compute in bf16 on CUDA; other devices have none to miss. Where memory is full nothing can be tried: `memory`.
    """
    if device.kind != "cuda" or device.dtype != "bf16":
        return {}
    try:
        return _refused(head_size, width)
    except RuntimeError as error:
        if is_out_of_memory(error):
            return {"memory": ""}
        raise


def _refused(head_size: int, width: int) -> dict[str, str]:
    refused = {}
    if kernel_that_works(head_size, False, True, True) is None:
        refused["attention"] = refusals.get(flash.__name__, "")
    if norm_kernel(width) is None:
        refused["norm"] = refusals.get("norm", "")
    if gelu_kernel(4 * width) is None:
        refused["gelu"] = refusals.get("gelu", "")
    return refused
