"""How much of the room that re-ranking has was taken."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rerank.stats.compare import MIN_QUERIES, ZERO, Scores
from rerank.stats.deciding import error_of, half_width


@dataclass(frozen=True)
class Captured:
    """A share of the room between first stage and oracle: 1 is a perfect order, below 0 is worse than before.

    low and high: its 95 % interval; None with fewer than 15 queries.
    """

    share: float
    low: float | None
    high: float | None


def captured_share(first: Scores, strategy: Scores, oracle: NDArray[np.float64]) -> Captured | None:
    """Return mean(strategy - first) / mean(oracle - first); None when no room is shown.

    No room is shown when the 95 % t-interval of its mean does not lie above 0: a share of it would say nothing.
    oracle: (n_queries,), columns as `first.query_ids`, as must be the strategy's. The interval is that of a ratio
    by the delta method: the deciding test's error of gain - share * room, over the mean room.
    """
    reference = first.values.mean(axis=0)
    room = oracle - reference
    mean = float(room.mean())
    tested = len(room) >= MIN_QUERIES
    of_room = error_of(room, [])
    if mean < ZERO or (tested and mean <= half_width(0.95, of_room.se, of_room.df)):
        return None
    gain = strategy.values.mean(axis=0) - reference
    share = float(gain.mean()) / mean
    if not tested:
        return Captured(share, None, None)
    error = error_of(gain - share * room, [strategy.values] if strategy.trained else [])
    wide = half_width(0.95, error.se, error.df) / mean
    return Captured(share, share - wide, share + wide)
