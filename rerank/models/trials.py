"""Whether a kernel that may be missing, or may compute something else, can take the place of plain operations."""

from collections.abc import Callable, Sequence

import torch

from rerank.models.memory import is_out_of_memory

# What was tried in vain in this process, and why: an error's name and first line, or nothing where results differed.
refusals: dict[str, str] = {}


def passes(
    what: str, trial: Callable[[], bool], device: torch.device, failures: tuple[type[Exception], ...] = (Exception,)
) -> bool:
    """Say whether a trial says so, else keep why not; one that raises any of `failures` does not.

    Random numbers go on as before. An error that tells of full memory says nothing about a kernel: it is raised, so
    that the caller asks again with a smaller batch.
    """
    with torch.random.fork_rng(devices=[device]):
        torch.manual_seed(0)
        try:
            if trial():
                return True
            cause = ""
        except failures as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            cause = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
        refusals[what] = cause
        return False


def same_bits(ones: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> bool:
    """Say whether two runs gave the same."""
    return all(torch.equal(one, other) for one, other in zip(ones, others, strict=True))


def is_near(exact: torch.Tensor, value: torch.Tensor, share: float) -> bool:
    """Say whether a value is within a share of the exact one's norm; what is not a number never is."""
    return bool((value - exact).float().norm() <= share * exact.float().norm())
