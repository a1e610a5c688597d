"""Seconds, queries and judgments to money."""

from rerank.cost.prices import Price

MINUTES_PER_JUDGMENT = 0.5  # an assumption: graded judgments of short texts take 20-40 seconds


def compute_usd(device_seconds: float, price: Price) -> float:
    """Return what device seconds cost at an hourly price."""
    return device_seconds / 3600.0 * price.usd


def serving_usd_per_1k(latency_ms: float, price: Price) -> float:
    """Return the cost of 1,000 queries that keep one device busy for `latency_ms` each."""
    return compute_usd(latency_ms, price)  # 1,000 queries x ms = seconds


def judging_usd(n_judgments: int, price: Price, minutes_per_judgment: float = MINUTES_PER_JUDGMENT) -> float:
    """Return what it costs to make judgments at a judge's hourly price."""
    return n_judgments * minutes_per_judgment / 60.0 * price.usd
