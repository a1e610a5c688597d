"""The result of comparing two strategies, as values."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["not_comparable", "identical", "better", "worse", "equivalent", "not_worse", "inconclusive"]


@dataclass(frozen=True)
class Comparison:
    """Challenger minus reference on one measure; the fields are those of `result.json`.

    delta and all bounds are in units of the measure. ci_*: 95 % t-interval of the deciding test; ci90_*:
    its 90 % interval (for equivalence). p_t: naive paired t over queries of seed means. p_seed_aware: the
    deciding test with several seeds, else None. p_adjusted: Holm, confirmatory only. p_tost: the larger
    of the two one-sided p-values at +-margin. bca_*: 95 % BCa bootstrap. sd_queries: standard deviation
    over queries of the differences; se and df: standard error and degrees of freedom of the deciding
    test. n_seeds: trainings of each trained side, the fewer ones; None when neither was trained.
    Everything statistical is None when the verdict is `not_comparable`, and p-values of a
    difference are None when it is `identical`; they are never 1 for "could not be computed".
    """

    reference: str
    challenger: str
    measure: str
    confirmatory: bool
    margin: float
    n_queries: int
    delta: float | None
    ci_low: float | None
    ci_high: float | None
    ci90_low: float | None
    ci90_high: float | None
    p_t: float | None
    p_seed_aware: float | None
    p_permutation: float | None
    p_wilcoxon: float | None
    p_adjusted: float | None
    p_tost: float | None
    p_not_worse: float | None
    bca_low: float | None
    bca_high: float | None
    sd_queries: float | None
    se: float | None
    df: float | None
    verdict: Verdict
    negligible: bool
    n_more_queries: int | None
    reasons: tuple[str, ...]
    n_seeds: int | None = None
    n_more_seeds: int | None = None


_STATISTICS = (
    "delta ci_low ci_high ci90_low ci90_high p_t p_seed_aware p_permutation p_wilcoxon p_adjusted p_tost p_not_worse "
    "bca_low bca_high sd_queries se df n_more_queries n_more_seeds"
).split()


@dataclass(frozen=True)
class NotComparable(Comparison):
    """Two strategies that could not be compared: a reason and no number.

    Raises ValueError when it holds a statistic, another verdict, or not exactly one reason.
    """

    def __post_init__(self) -> None:
        """Refuse what would look like the outcome of a test."""
        held = [name for name in _STATISTICS if getattr(self, name) is not None]
        if held or self.negligible or self.verdict != "not_comparable" or len(self.reasons) != 1:
            raise ValueError(f"not comparable, and yet {', '.join(held) or self.verdict} {self.reasons}")

    @property
    def reason(self) -> str:
        """Return why: one of `rerank.stats.reasons.NOT_COMPARABLE_REASONS`."""
        return self.reasons[0]
