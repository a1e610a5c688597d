"""Comparisons of trainings that lie apart by luck."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rerank.stats.compare import Scores, compare
from rerank.stats.comparison import Comparison

QUERIES = tuple(f"q{number}" for number in range(120))
SPREAD = np.random.default_rng(5).normal(0.0, 0.12, len(QUERIES))
SPREAD -= SPREAD.mean()

Seeds = Sequence[float] | NDArray[np.float64]


def compared(seeds: Seeds, *, reference: Seeds | None = None, quick: bool = False) -> Comparison:
    """Compare trainings that lie apart by the given differences on every query with an untrained reference, or such."""
    others = np.zeros(1) if reference is None else np.asarray(reference)
    flat = np.zeros(len(QUERIES))
    return compare(
        Scores("first-stage", QUERIES, others[:, None] + flat, "same", trained=reference is not None),
        Scores("C", QUERIES, np.asarray(seeds)[:, None] + SPREAD, "same", trained=True),
        measure="nDCG@10",
        margin=0.02,
        alpha=0.05,
        confirmatory=False,
        rng_seed=0,
        verdict_only=quick,
    )
