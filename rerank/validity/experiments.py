"""Simulated experiments, judged by the comparison that pages and results show."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison

MEASURE = "simulated"


@dataclass(frozen=True)
class Rate:
    """How often something happened in `n` experiments."""

    count: int
    n: int

    @property
    def share(self) -> float:
        """Return the share (0-1)."""
        return self.count / self.n if self.n else 0.0

    @property
    def error(self) -> float:
        """Return the Monte-Carlo standard error of the share; of a half where nothing or everything happened."""
        if not self.n:
            return 0.0
        inner = (self.count + 0.5) / (self.n + 1)
        return float(np.sqrt(inner * (1 - inner) / self.n))

    def __add__(self, other: "Rate") -> "Rate":
        """Return both together."""
        return Rate(self.count + other.count, self.n + other.n)


NOTHING = Rate(0, 0)


@cache
def _names(n_queries: int) -> tuple[str, ...]:
    return tuple(f"q{number}" for number in range(n_queries))


def compared(
    challenger: NDArray[np.float64],
    reference: NDArray[np.float64] | None = None,
    *,
    margin: float,
    alpha: float,
    confirmatory: bool = False,
) -> Comparison:
    """Return the comparison of one experiment, verdict only.

    challenger, reference: scores (n_seeds, n_queries), or per-query differences (n_queries,) to a reference that is
    0 everywhere and was not trained. A side with seeds is a trained one.
    """
    values = np.atleast_2d(challenger)
    n = values.shape[1]
    against = np.zeros((1, n)) if reference is None else reference
    return compare(
        Scores("reference", _names(n), against, "", trained=reference is not None),
        Scores("challenger", _names(n), values, "", trained=challenger.ndim == 2),
        measure=MEASURE,
        margin=margin,
        alpha=alpha,
        confirmatory=confirmatory,
        rng_seed=0,
        verdict_only=True,
    )


def is_different(found: Comparison) -> bool:
    """Say whether a verdict claims a difference."""
    return found.verdict in ("better", "worse")


def is_equivalent(found: Comparison) -> bool:
    """Say whether a verdict claims a difference below the margin: `equivalent`, or better or worse but negligible."""
    return found.verdict == "equivalent" or found.negligible


def is_not_worse(found: Comparison, alpha: float) -> bool:
    """Say whether a comparison shows "not worse by the margin"; every verdict that claims it stands on this p-value."""
    return found.p_not_worse is not None and found.p_not_worse < alpha
