"""A CPU's costs projected to a GPU: seconds by a stated ratio, at the GPU's price. Never a measurement."""

from collections.abc import Callable

from rerank.cost.amounts import compute_usd
from rerank.cost.benefit import Ranged
from rerank.cost.prices import Price


def projected_usd(device_seconds: float, ratio: Ranged, gpu: Price) -> Ranged:
    """Return what seconds of the measured device would cost on a GPU that is `ratio` times as fast.

    ratio: value, low and high, all above 0. The highest ratio gives the low end.
    """
    return _over(ratio, lambda factor: compute_usd(device_seconds / factor, gpu))


def projected_ms(latency_ms: float, ratio: Ranged) -> Ranged:
    """Return a latency on that GPU."""
    return _over(ratio, lambda factor: latency_ms / factor)


def _over(ratio: Ranged, value_at: Callable[[float], float]) -> Ranged:
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return Ranged(None, None, None)
    return Ranged(value_at(ratio.value), value_at(ratio.high), value_at(ratio.low))
