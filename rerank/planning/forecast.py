"""How long an experiment will take, from a measured speed and a count of its work."""

import heapq
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Measured runs ended between these factors of the forecast: other load on the machine slows,
# cached stages and early finished queries speed up.
LOW, HIGH = 0.7, 1.6
START_SECONDS = 8.0  # importing the libraries, loading models, comparing
LANE_SECONDS = 6.0  # until processes that train beside each other have begun
# How much of what trainings side by side could save at best is expected. On a CPU each has its own threads
# (measured: docs/performance.md). On a GPU four small models save all of it, one that fills the card nothing: half
# of it, and a range that reaches to both.
EXPECTED_SAVING = {"cpu": 1.0, "cuda": 0.5}


@dataclass(frozen=True)
class Speed:
    """A device's measured speed on a dataset's own pairs."""

    device_kind: str
    device_name: str
    score_tokens_per_second: float
    train_tokens_per_second: float
    tokens_per_scored_pair: float  # a long document may be several, see plan.md on `passages`
    tokens_per_trained_pair: float

    def training_seconds(self, pairs: int) -> float:
        """Return how long it takes to train on some pairs."""
        return pairs * self.tokens_per_trained_pair / self.train_tokens_per_second

    def scoring_seconds(self, pairs: int, texts: int = 0) -> float:
        """Return how long it takes to score some pairs and to encode some texts.

        The encoder reads a text once and only its beginning, as a training does.
        """
        tokens = pairs * self.tokens_per_scored_pair + texts * self.tokens_per_trained_pair
        return tokens / self.score_tokens_per_second

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Work:
    """Counts of what has to be computed."""

    trained_pairs: int
    scored_pairs: int
    encoded_texts: int


@dataclass(frozen=True)
class Forecast:
    """Predicted device seconds with a range, and the counts behind them."""

    seconds: float
    seconds_low: float
    seconds_high: float
    trained_pairs: int
    scored_pairs: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Training:
    """One training's work, and the place of the one that it continues."""

    trained_pairs: int
    dev_pairs: int
    parent: int | None = None


def seconds_side_by_side(durations: Sequence[float], parents: Sequence[int | None], lanes: int) -> float:
    """Return when the last of some trainings ends, each begun by the first free lane, parents before children.

    durations: seconds; parents: places, each before its child's.
    """
    free = [0.0] * lanes
    ends: list[float] = []
    for seconds, parent in zip(durations, parents, strict=True):
        begin = heapq.heappop(free)
        ends.append(max(begin, 0.0 if parent is None else ends[parent]) + seconds)
        heapq.heappush(free, ends[-1])
    return max(ends, default=0.0)


def saved_side_by_side(speed: Speed, trainings: Sequence[Training], lanes: int) -> float:
    """Return how many seconds less than one after another some trainings take in lanes at best.

    On a CPU the speed of training is that of one lane, with its part of the threads.
    """
    if lanes == 1 or not trainings:
        return 0.0
    slower = lanes if speed.device_kind == "cpu" else 1  # scoring was measured with all threads
    trained = [speed.training_seconds(item.trained_pairs) for item in trainings]
    scored = [speed.scoring_seconds(item.dev_pairs) for item in trainings]
    durations = [training + slower * dev for training, dev in zip(trained, scored, strict=True)]
    together = LANE_SECONDS + seconds_side_by_side(durations, [item.parent for item in trainings], lanes)
    return max(0.0, sum(trained) + sum(scored) - together)


def forecast(speed: Speed, work: Work, saved: float = 0.0) -> Forecast:
    """Return the predicted time of some work at a measured speed; saved: seconds at best, by lanes."""
    training = speed.training_seconds(work.trained_pairs)
    scoring = speed.scoring_seconds(work.scored_pairs, work.encoded_texts)
    alone = START_SECONDS + training + scoring
    seconds = alone - saved * EXPECTED_SAVING.get(speed.device_kind, 0.0)
    return Forecast(seconds, (alone - saved) * LOW, seconds * HIGH, work.trained_pairs, work.scored_pairs)
