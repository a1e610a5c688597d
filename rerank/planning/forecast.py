"""How long an experiment will take, from a measured speed and a count of its work."""

from dataclasses import asdict, dataclass
from typing import Any

# Measured runs ended between these factors of the forecast: other load on the machine slows,
# cached stages and early finished queries speed up.
LOW, HIGH = 0.7, 1.6
START_SECONDS = 8.0  # importing the libraries, loading models, comparing


@dataclass(frozen=True)
class Speed:
    """A device's measured speed on a dataset's own pairs."""

    device_kind: str
    device_name: str
    score_tokens_per_second: float
    train_tokens_per_second: float
    tokens_per_scored_pair: float  # a long document may be several, see plan.md on `passages`
    tokens_per_trained_pair: float

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


def forecast(speed: Speed, work: Work) -> Forecast:
    """Return the predicted time of some work at a measured speed."""
    training = work.trained_pairs * speed.tokens_per_trained_pair / speed.train_tokens_per_second
    # The encoder reads a text once and only its beginning, as a training does.
    scored = work.scored_pairs * speed.tokens_per_scored_pair + work.encoded_texts * speed.tokens_per_trained_pair
    scoring = scored / speed.score_tokens_per_second
    seconds = START_SECONDS + training + scoring
    return Forecast(seconds, seconds * LOW, seconds * HIGH, work.trained_pairs, work.scored_pairs)
