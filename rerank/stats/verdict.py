"""From numbers to a verdict's code: the order of the rules, once."""

import dataclasses

from rerank.stats.comparison import Comparison, Verdict
from rerank.stats.more_queries import queries_to_settle
from rerank.stats.more_seeds import seeds_to_settle


def deciding_p(comparison: Comparison) -> float | None:
    """Return the p-value that decides before the family is adjusted for."""
    return comparison.p_t if comparison.p_seed_aware is None else comparison.p_seed_aware


def with_verdict(
    comparison: Comparison, *, alpha: float, p: float, alpha_each: float, verdict_only: bool = False
) -> Comparison:
    """Return the comparison with verdict, `negligible`, `n_more_queries` and `n_more_seeds`.

    p: what is held against `alpha` (adjusted in a family). alpha_each: what a further, unadjusted p would
    have to reach, for the number of queries or seeds that would settle it; with `verdict_only` that is not asked.
    """
    if comparison.delta is None or comparison.p_tost is None or comparison.p_not_worse is None:
        return comparison
    verdict: Verdict
    if p < alpha:
        verdict = "better" if comparison.delta > 0 else "worse"
    elif comparison.p_tost < alpha:
        verdict = "equivalent"
    elif comparison.p_not_worse < alpha:
        verdict = "not_worse"
    else:
        verdict = "inconclusive"
    reasons = tuple(reason for reason in comparison.reasons if reason != "not_realistic")
    more = more_seeds = None
    if verdict == "inconclusive" and not verdict_only:
        more = queries_to_settle(comparison, alpha=alpha, alpha_difference=alpha_each)
        more_seeds = seeds_to_settle(comparison, alpha=alpha, alpha_difference=alpha_each)
        if more is None:
            reasons = (*reasons, "not_realistic")
    return dataclasses.replace(
        comparison,
        verdict=verdict,
        negligible=verdict in ("better", "worse") and comparison.p_tost < alpha,
        n_more_queries=more,
        n_more_seeds=more_seeds,
        reasons=reasons,
    )
