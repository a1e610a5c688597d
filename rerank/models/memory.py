"""Doing the same work in smaller parts when a device's memory is full."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from rerank.errors import RerankError
from rerank.models.batches import token_batches

# CUDA has an error of its own; the others say it in words (MPS, a single buffer on MPS, cuBLAS, CPU).
_SAYINGS = (
    "mps backend out of memory",
    "invalid buffer size",
    "cublas_status_alloc_failed",
    "cublas_status_not_initialized",  # no room for its workspace
    "cuda error: out of memory",  # pinned memory and contexts are not the allocator's
    "defaultcpuallocator",
)

_CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Say whether torch raised an error because memory was full, whatever the device."""
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(saying in said for saying in _SAYINGS)


def make_room(kind: str) -> None:
    """Give back what a device's allocator holds and nothing uses."""
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()


@contextmanager
def refused_when_full() -> Iterator[None]:
    """Raise RerankError `model_does_not_fit` where memory is full: a whole model cannot be held in smaller parts."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise RerankError("model_does_not_fit") from error


def total_memory(kind: str) -> int:
    """Return the bytes that a device of this kind has, used or not; of a container, what it may use.

    0 where the system does not say.
    """
    if kind == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    for path in _CONTAINER_LIMITS:
        try:
            said = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if said.isdecimal():
            found = min(found, int(said))
    return found


class TokenBudget:
    """Tokens that one forward pass may hold: halved whenever memory is full, and kept so for the next call."""

    def __init__(self, tokens: int, kind: str) -> None:
        self.tokens = tokens
        self._kind = kind

    def in_batches(self, lengths: Sequence[int], compute: Callable[[list[int]], None], *, padded: bool = False) -> None:
        """Call `compute` with batches of positions until each has been in one that succeeded, longest first.

        lengths: tokens by position. padded: a batch computes its longest one's length for all in it. Raises RerankError
        `device_out_of_memory` when one position alone does not fit.
        """
        waiting = token_batches(lengths, self.tokens, padded=padded)
        while waiting:
            batch = waiting[0]
            try:
                compute(batch)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            else:
                del waiting[0]
                continue
            # Here, outside of the handler, what the traceback held is free.
            make_room(self._kind)
            longest = lengths[batch[0]]
            held = longest * len(batch) if padded else sum(lengths[place] for place in batch)
            if self.tokens <= longest:
                raise RerankError("device_out_of_memory", n_tokens=longest)
            self.tokens = max(longest, min(self.tokens, held) // 2)
            left = [place for batch in waiting for place in batch]
            again = token_batches([lengths[place] for place in left], self.tokens, padded=padded)
            waiting = [[left[place] for place in batch] for batch in again]
