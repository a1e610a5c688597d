"""What a strategy must keep, however large its gain: each guardrail of the plan held, broken or not measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rerank.planning.plan import Guardrails

GuardrailCode = Literal["max_p95_latency_ms", "min_recall", "max_segment_drop", "max_harmed_share"]
Status = Literal["held", "broken", "not_measured"]
GUARDRAILS: tuple[GuardrailCode, ...] = get_args(GuardrailCode)
HARM = 0.1  # a query that loses more than that is harmed
MIN_SEGMENT_QUERIES = 15  # the mean of a smaller segment is mostly chance
_ROUNDING = 1e-9  # .8 - .7 is a little more than .1


@dataclass(frozen=True)
class Check:
    """One guardrail of one strategy: what was measured, None if nothing could be, and whether it keeps the limit.

    segment: the one that lost most, for `max_segment_drop`.
    """

    guardrail: GuardrailCode
    limit: float
    value: float | None
    status: Status
    segment: str | None = None


def harmed(differences: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each query whether it loses more than .1, in units of the measure."""
    return differences < -(HARM + _ROUNDING)


def worst_segment(differences: NDArray[np.float64], segments: Sequence[str]) -> tuple[str, float] | None:
    """Return the segment with the lowest mean difference and how far it falls (0 when none falls).

    Segments of fewer than 15 queries are left out; None when no other one is there.
    """
    names = np.array(segments, dtype=object)
    means = {
        name: float(differences[names == name].mean())
        for name in sorted({str(name) for name in segments if name})
        if int((names == name).sum()) >= MIN_SEGMENT_QUERIES
    }
    if not means:
        return None
    worst = min(means, key=lambda name: means[name])
    return worst, max(0.0, -means[worst])


def check_guardrails(
    limits: Guardrails,
    *,
    p95_latency_ms: float | None,
    recall: float | None,
    differences: NDArray[np.float64],
    segments: Sequence[str],
) -> list[Check]:
    """Return every guardrail that the plan set, checked for one strategy.

    differences: of the KPI to the first stage, one per test query; segments: of these queries, "" for none. The
    values are those of the sample, without any test: a small excess may be chance.
    """
    worst = worst_segment(differences, segments)
    share = float(harmed(differences).mean()) if len(differences) else None
    measured: dict[GuardrailCode, tuple[float | None, str | None]] = {
        "max_p95_latency_ms": (p95_latency_ms, None),
        "min_recall": (recall, None),
        "max_segment_drop": (worst[1], worst[0]) if worst else (None, None),
        "max_harmed_share": (share, None),
    }
    checks = []
    for code in GUARDRAILS:
        limit = getattr(limits, code)
        if limit is None:
            continue
        value, segment = measured[code]
        status: Status = "not_measured"
        if value is not None:
            excess = limit - value if code == "min_recall" else value - limit
            status = "broken" if excess > _ROUNDING else "held"
        checks.append(Check(code, limit, value, status, segment))
    return checks


def broken_of(records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the broken guardrails of each strategy that breaks one, from the `guardrails` of a result."""
    found: dict[str, tuple[str, ...]] = {}
    for record in records:
        for strategy, check in record["strategies"].items():
            if check["status"] == "broken":
                found[strategy] = (*found.get(strategy, ()), str(record["guardrail"]))
    return found
