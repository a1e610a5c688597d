"""Doing the same work in smaller parts when a device's memory is full."""

from collections.abc import Callable, Sequence

import torch

from rerank.errors import RerankError
from rerank.models.batches import token_batches

# CUDA has an error of its own; the others say it in words (MPS, a single buffer on MPS, cuBLAS, CPU).
_SAYINGS = (
    "mps backend out of memory",
    "invalid buffer size",
    "cublas_status_alloc_failed",
    "defaultcpuallocator",
)


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


class TokenBudget:
    """Tokens that one forward pass may hold: halved whenever memory is full, and kept so for the next call."""

    def __init__(self, tokens: int, kind: str) -> None:
        self.tokens = tokens
        self._kind = kind

    def in_batches(self, lengths: Sequence[int], compute: Callable[[list[int]], None]) -> None:
        """Call `compute` with batches of positions until each has been in one that succeeded, longest first.

        lengths: tokens by position. Raises RerankError `device_out_of_memory` when one position alone does
        not fit.
        """
        waiting = token_batches(lengths, self.tokens, padded=False)
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
            longest, held = lengths[batch[0]], sum(lengths[place] for place in batch)
            if self.tokens <= longest:
                raise RerankError("device_out_of_memory", n_tokens=longest)
            self.tokens = max(longest, min(self.tokens, held) // 2)
            left = [place for batch in waiting for place in batch]
            again = token_batches([lengths[place] for place in left], self.tokens, padded=False)
            waiting = [[left[place] for place in batch] for batch in again]
