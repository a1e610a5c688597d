"""What a strategy must keep, however large its gain: which guardrails of the plan it holds, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rerank.planning.plan import Guardrails
from rerank.stats.deciding import error_of, half_width

GuardrailCode = Literal["max_p95_latency_ms", "min_recall", "max_segment_drop", "max_harmed_share"]
Status = Literal["held", "broken", "not_shown", "not_measured"]
GUARDRAILS: tuple[GuardrailCode, ...] = get_args(GuardrailCode)
HARM = 0.1  # a query that loses more than that is harmed
MIN_SEGMENT_QUERIES = 15  # the mean of a smaller segment is mostly chance
_ROUNDING = 1e-9  # .8 - .7 is a little more than .1
_LEVEL = 0.95


@dataclass(frozen=True)
class Measured:
    """A guardrail's value with its 95 % interval, an end of which is None where so few numbers cannot tell it.

    n: the queries behind it, for the latency the timed searches. segment: for `max_segment_drop`, whose interval holds
    for all segments together. falls: whether the segment is shown to fall at all.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    segment: str | None = None
    falls: bool = True


@dataclass(frozen=True)
class Check:
    """One guardrail of one strategy: what was measured, None if nothing could be, and whether it keeps the limit.

    not_shown: a segment falls beyond the limit, but it is the worst of several and not shown to fall at all. certain:
    whether the whole interval is on the value's side of the limit; the sample alone decides where it is not.
    """

    guardrail: GuardrailCode
    limit: float
    measured: Measured | None
    status: Status
    certain: bool = False


def harmed(differences: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each query whether it loses more than .1, in units of the measure."""
    return differences < -(HARM + _ROUNDING)


def worst_segment(
    differences: NDArray[np.float64],
    segments: Sequence[str],
    limit: float,
    trained: Sequence[NDArray[np.float64]] = (),
) -> Measured | None:
    """Return how far the worst segment falls below the first stage (0 when none falls); None without a segment.

    trained: the strategy's scores (n_seeds, n_queries) when it was trained, for training luck. Segments of fewer than
    15 queries are left out. Of those beyond the limit one that is shown to fall comes first: a small segment's chance
    must not hide a sure loss elsewhere. Intervals hold for all segments at once (Bonferroni).
    """
    names = np.array(segments, dtype=object)
    known = sorted({str(name) for name in segments if name and int((names == name).sum()) >= MIN_SEGMENT_QUERIES})
    found = []
    for name in known:
        mine = names == name
        error = error_of(differences[mine], [values[:, mine] for values in trained])
        half = half_width(1 - (1 - _LEVEL) / len(known), error.se, error.df)
        fall = -float(differences[mine].mean())
        found.append(Measured(fall, fall - half, fall + half, int(mine.sum()), name, falls=fall - half > _ROUNDING))
    if not found:
        return None
    worst = max(found, key=lambda item: (item.falls and item.value > limit + _ROUNDING, item.value))
    return replace(worst, value=max(0.0, worst.value))


def _harmed_share(differences: NDArray[np.float64]) -> Measured | None:
    """Return the share of harmed queries with Wilson's interval (1927)."""
    from scipy import stats

    n = len(differences)
    if not n:
        return None
    n_harmed = int(harmed(differences).sum())
    ends = stats.binomtest(n_harmed, n).proportion_ci(_LEVEL, method="wilson")
    return Measured(n_harmed / n, float(ends.low), float(ends.high), n)


def _mean_recall(recalls: NDArray[np.float64]) -> Measured | None:
    """Return the mean over queries with its t-interval."""
    n = len(recalls)
    if not n:
        return None
    mean = float(recalls.mean())
    if n < 2:
        return Measured(mean, None, None, n)
    error = error_of(recalls, [])
    half = half_width(_LEVEL, error.se, error.df)
    return Measured(mean, max(0.0, mean - half), min(1.0, mean + half), n)


def _p95_latency(latencies_ms: NDArray[np.float64]) -> Measured | None:
    """Return the 95th percentile with the order statistics that hold it with 95 %, whatever the distribution.

    With fewer than 72 searches no observed one is surely slow enough: the upper end is None.
    """
    from scipy import stats

    n = len(latencies_ms)
    if not n:
        return None
    low = int(stats.binom.ppf((1 - _LEVEL) / 2, n, 0.95))
    high = int(stats.binom.ppf(0.5 + _LEVEL / 2, n, 0.95)) + 1
    ordered = np.sort(latencies_ms)
    return Measured(
        float(np.percentile(ordered, 95)),
        float(ordered[low - 1]) if low >= 1 else None,
        float(ordered[high - 1]) if high <= n else None,
        n,
    )


def check_guardrails(
    limits: Guardrails,
    *,
    latencies_ms: NDArray[np.float64],
    recalls: NDArray[np.float64],
    differences: NDArray[np.float64],
    segments: Sequence[str],
    trained: Sequence[NDArray[np.float64]] = (),
) -> list[Check]:
    """Return every guardrail that the plan set, checked for one strategy.

    latencies_ms: of single searches, empty without any. recalls and differences: one per test query, the latter of the
    KPI to the first stage; segments: of these queries, "" for none; trained: as `worst_segment` takes it. The sample's
    value decides, and only the worst of several segments must be shown to fall.
    """
    drop = limits.max_segment_drop
    measured: dict[GuardrailCode, Measured | None] = {
        "max_p95_latency_ms": _p95_latency(latencies_ms),
        "min_recall": _mean_recall(recalls),
        "max_segment_drop": None if drop is None else worst_segment(differences, segments, drop, trained),
        "max_harmed_share": _harmed_share(differences),
    }
    return [_check(code, limit, measured[code]) for code in GUARDRAILS if (limit := getattr(limits, code)) is not None]


def _check(code: GuardrailCode, limit: float, found: Measured | None) -> Check:
    if found is None:
        return Check(code, limit, None, "not_measured")
    least = code == "min_recall"
    is_beyond = (limit - found.value if least else found.value - limit) > _ROUNDING
    if not is_beyond:
        end = found.low if least else found.high
        certain = end is not None and (end >= limit if least else end <= limit)
        return Check(code, limit, found, "held", certain)
    end = found.high if least else found.low
    certain = end is not None and (end < limit if least else end > limit)
    return Check(code, limit, found, "broken" if found.falls else "not_shown", certain)


def broken_of(records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the broken guardrails of each strategy that breaks one, from the `guardrails` of a result."""
    found: dict[str, tuple[str, ...]] = {}
    for record in records:
        for strategy, check in record["strategies"].items():
            if check["status"] == "broken":
                found[strategy] = (*found.get(strategy, ()), str(record["guardrail"]))
    return found


def broken_by_chance(records: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return the strategies that break a guardrail in this sample only: every limit that they break may be chance.

    Results of earlier versions do not say so.
    """
    surely: dict[str, bool] = {}
    for record in records:
        for strategy, check in record["strategies"].items():
            if check["status"] == "broken":
                surely[strategy] = surely.get(strategy, False) or check.get("certain", True)
    return frozenset(name for name, sure in surely.items() if not sure)
