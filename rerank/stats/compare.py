"""Two strategies on the same queries: difference, interval, tests, verdict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rerank.stats.comparison import Comparison, NotComparable
from rerank.stats.deciding import error_of, half_width, one_sided, two_sided
from rerank.stats.sensitivity import bca_interval, permutation_p, wilcoxon_p
from rerank.stats.verdict import with_verdict

MIN_QUERIES = 15
ZERO = 1e-12  # seed means of equal scores may differ in the last bit


@dataclass(frozen=True)
class Scores:
    """One strategy's per-query scores on one measure.

    values: (n_seeds, n_queries), columns as `query_ids`. candidates_digest: which lists were re-ranked.
    trained: whether another seed would give other scores; only then do rows say anything about luck.
    Raises ValueError when the shape does not fit the identifiers or an identifier is repeated.
    """

    strategy: str
    query_ids: tuple[str, ...]
    values: NDArray[np.float64]
    candidates_digest: str
    trained: bool

    def __post_init__(self) -> None:
        """Refuse scores that cannot be lined up with their queries."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.query_ids):
            raise ValueError(f"{self.values.shape} scores for {len(self.query_ids)} queries")
        if len(set(self.query_ids)) != len(self.query_ids):
            raise ValueError("repeated query_ids")


def _not_comparable(
    reference: Scores,
    challenger: Scores,
    measure: str,
    margin: float,
    confirmatory: bool,
    reason: str,
    n: int,
) -> NotComparable:
    return NotComparable(
        reference=reference.strategy,
        challenger=challenger.strategy,
        measure=measure,
        confirmatory=confirmatory,
        margin=margin,
        n_queries=n,
        delta=None,
        ci_low=None,
        ci_high=None,
        ci90_low=None,
        ci90_high=None,
        p_t=None,
        p_seed_aware=None,
        p_permutation=None,
        p_wilcoxon=None,
        p_adjusted=None,
        p_tost=None,
        p_not_worse=None,
        bca_low=None,
        bca_high=None,
        sd_queries=None,
        se=None,
        df=None,
        verdict="not_comparable",
        negligible=False,
        n_more_queries=None,
        reasons=(reason,),
    )


def _why_not(reference: Scores, challenger: Scores) -> str | None:
    common = set(reference.query_ids) & set(challenger.query_ids)
    if len(common) < MIN_QUERIES:
        return "too_few_queries"
    without_seeds = 0 in (len(reference.values), len(challenger.values))
    if without_seeds or len(common) < max(len(reference.query_ids), len(challenger.query_ids)):
        return "missing_scores"
    if reference.candidates_digest != challenger.candidates_digest:
        return "different_candidates"
    if not (np.isfinite(reference.values).all() and np.isfinite(challenger.values).all()):
        return "non_finite_scores"
    return None


def compare(
    reference: Scores,
    challenger: Scores,
    *,
    measure: str,
    margin: float,
    alpha: float,
    confirmatory: bool,
    rng_seed: int,
    verdict_only: bool = False,
) -> Comparison:
    """Return challenger minus reference with its verdict; a family is adjusted for afterwards.

    Paired by query, a query's score is its mean over seeds. One seed on a trained side: the paired t-test,
    and the reason `luck_unknown`. Several: the seed-aware error of `rerank.stats.deciding` in test, interval
    and equivalence tests alike. Permutation, BCa, Wilcoxon and the naive t are sensitivity only. verdict_only:
    the same verdict without sensitivity tests and further queries, hundreds of times faster.
    """
    n = len(set(reference.query_ids) & set(challenger.query_ids))
    problem = _why_not(reference, challenger)
    if problem is not None:
        return _not_comparable(reference, challenger, measure, margin, confirmatory, problem, n)
    place = {query_id: column for column, query_id in enumerate(challenger.query_ids)}
    columns = [place[query_id] for query_id in reference.query_ids]
    of_reference, of_challenger = reference.values, challenger.values[:, columns]
    differences = of_challenger.mean(axis=0) - of_reference.mean(axis=0)
    differences[np.abs(differences) < ZERO] = 0.0
    sides = ((reference, of_reference), (challenger, of_challenger))
    trained = [values for side, values in sides if side.trained]
    error = error_of(differences, trained)
    delta, se, df = float(differences.mean()), error.se, error.df
    reasons: list[str] = []
    if any(len(values) < 2 for values in trained):
        reasons.append("luck_unknown")
    identical = not differences.any()
    p_t = None if identical else two_sided(delta, error.sd_queries / np.sqrt(n), n - 1.0)
    has_seeds = any(len(values) > 1 for values in trained)
    p_seeds = two_sided(delta, se, df) if has_seeds and not identical else None
    lower, upper = one_sided(delta + margin, se, df), one_sided(margin - delta, se, df)
    wide, narrow = half_width(0.95, se, df), half_width(0.90, se, df)
    untested = identical or verdict_only
    p_permutation = None if untested else permutation_p(differences, rng_seed)
    p_wilcoxon = None if untested else wilcoxon_p(differences)
    bca = None if untested else bca_interval(differences, rng_seed)
    decides = p_t if p_seeds is None else p_seeds
    if decides is not None and not verdict_only:
        for p, reason in (
            (p_t, "naive_t_disagrees"),
            (p_permutation, "permutation_disagrees"),
            (p_wilcoxon, "wilcoxon_disagrees"),
        ):
            if p is not None and (p < alpha) != (decides < alpha):
                reasons.append(reason)
        # Both intervals are 95 %: they are compared with each other, whatever alpha is.
        if bca is not None and (bca[0] > 0 or bca[1] < 0) != (abs(delta) > wide):
            reasons.append("bca_disagrees")
    found = Comparison(
        reference=reference.strategy,
        challenger=challenger.strategy,
        measure=measure,
        confirmatory=confirmatory,
        margin=margin,
        n_queries=n,
        delta=delta,
        ci_low=delta - wide,
        ci_high=delta + wide,
        ci90_low=delta - narrow,
        ci90_high=delta + narrow,
        p_t=p_t,
        p_seed_aware=p_seeds,
        p_permutation=p_permutation,
        p_wilcoxon=p_wilcoxon,
        p_adjusted=None,
        p_tost=max(lower, upper),
        p_not_worse=lower,
        bca_low=bca[0] if bca else None,
        bca_high=bca[1] if bca else None,
        sd_queries=error.sd_queries,
        se=se,
        df=df,
        verdict="identical",
        negligible=False,
        n_more_queries=None,
        reasons=tuple(reasons),
        n_seeds=min((len(values) for values in trained), default=None),
    )
    if decides is None:
        return found
    return with_verdict(found, alpha=alpha, p=decides, alpha_each=alpha, verdict_only=verdict_only)
