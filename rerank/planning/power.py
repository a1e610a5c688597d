"""Power before money: what a number of queries can show, and how many a question needs."""

import math
from statistics import NormalDist
from typing import Literal

Question = Literal["difference", "not_worse", "equivalence"]

SD_BETWEEN_RERANKERS = 0.10  # of per-query nDCG@10 differences between two re-rankers over one pool
SD_FIRST_STAGE = 0.19  # the same between a first stage and a re-ranker
POWER = 0.8
MIN_PILOT_QUERIES = 10  # the SD of fewer could as well be half or twice as large
_LARGE = 100_000  # queries from which the normal approximation is exact enough
_NORMAL = NormalDist()


def _level(alpha: float, comparisons: int) -> float:
    """Return the strictest level of Holm's procedure over some comparisons: α divided by their number."""
    return alpha / max(1, comparisons)


def _power(n_queries: int, effect: float, tail: float) -> float:
    """Return the probability that a t-test of one tail shows a true effect, in standard deviations (noncentral t)."""
    from scipy.special import nctdtr, stdtrit

    df = n_queries - 1
    return 1.0 - float(nctdtr(df, effect * math.sqrt(n_queries), stdtrit(df, 1 - tail)))


def minimum_detectable_effect(
    n_queries: int, sd: float, *, alpha: float = 0.05, power: float = POWER, comparisons: int = 1
) -> float:
    """Return the smallest true difference that a paired two-sided t-test finds with the given power.

    λ · SD / √n in the measure's units, where a noncentral t with noncentrality λ exceeds the critical value with that
    probability; infinite with fewer than 2 queries. sd: of per-query differences. comparisons: how many questions
    Holm's procedure holds together.
    """
    from scipy.special import nctdtrinc, stdtrit

    if n_queries < 2:
        return math.inf
    df = n_queries - 1
    critical = stdtrit(df, 1 - _level(alpha, comparisons) / 2)
    return float(nctdtrinc(df, 1 - power, critical)) * sd / math.sqrt(n_queries)


def queries_needed(
    delta: float,
    sd: float,
    question: Question,
    *,
    alpha: float = 0.05,
    power: float = POWER,
    comparisons: int = 1,
) -> int:
    """Return how many queries a question needs: the smallest number whose noncentral t has the power.

    difference: a true difference of `delta`, two-sided; `comparisons` questions share α by Holm's procedure.
    not_worse and equivalence: a true difference of 0 against the margin `delta`, each at α itself as in the
    verdicts; equivalence needs both one-sided tests, each with the power (1 + power)/2. Raises ValueError unless
    `delta` is positive.
    """
    if delta <= 0:
        raise ValueError("delta must be positive")
    tail, each = {
        "difference": (_level(alpha, comparisons) / 2, power),
        "not_worse": (alpha, power),
        "equivalence": (alpha, (1 + power) / 2),
    }[question]
    # The normal approximation is a few queries short, the more the smaller α is: the search begins there.
    n = max(2, math.ceil(((_NORMAL.inv_cdf(1 - tail) + _NORMAL.inv_cdf(each)) * sd / delta) ** 2))
    while n < _LARGE and _power(n, delta / sd, tail) < each:
        n += 1
    return n


def spreads(pilot_sd: float | None) -> tuple[float, float]:
    """Return the SD of per-query differences between first stage and re-ranker, and between two re-rankers.

    From a pilot the first one is measured, the second keeps the typical proportion of the two (.10 to .19): nobody
    knows it before something is trained. Without a pilot both are the typical ones of nDCG@10.
    """
    if pilot_sd is None or pilot_sd <= 0:
        return SD_FIRST_STAGE, SD_BETWEEN_RERANKERS
    return pilot_sd, pilot_sd * SD_BETWEEN_RERANKERS / SD_FIRST_STAGE
