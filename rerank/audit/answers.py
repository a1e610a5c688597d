"""What an audit takes: a teacher's answers, and what else is known of how they were given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["scores", "order", "grades"]
# Texts that the teacher is asked to score once more: query_id, doc_id, text -> a score for every row.
Asker = Callable[[pd.DataFrame], NDArray[np.float64]]


@dataclass(frozen=True)
class Extras:
    """What a teacher's protocol can tell besides its answers; everything may be missing.

    kind: what the scores mean; "grades" are on the judgments' own scale. positions: query_id, doc_id, position (from
    1, where the document stood in the input of the answers). again: query_id, doc_id, score, asked ("shuffled" or
    "repeated"), round (whole number) and, if known, position: further answers about the same documents. Where the
    scores are made of several answers, the one that the others are compared with is among them, asked "first".
    probed: query_id, rose (0 or 1: the document stands above every relevant one now), of probes that were asked about
    beforehand. n_answers, n_malformed: answers received and how many were not usable as they came. n_tokens, usd: of
    n_asked queries together. model, judge: names of the teacher's model and of what made the judgments, or "".
    """

    kind: Kind = "scores"
    positions: pd.DataFrame | None = None
    again: pd.DataFrame | None = None
    probed: pd.DataFrame | None = None
    n_answers: int | None = None
    n_malformed: int | None = None
    n_asked: int | None = None
    n_tokens: int | None = None
    usd: float | None = None
    model: str = ""
    judge: str = ""

    def identity(self) -> list[Any]:
        """Return everything an audit can depend on, for its digest."""
        frames = [
            None if frame is None else frame.to_csv(index=False, lineterminator="\n")
            for frame in (self.positions, self.again, *([] if self.probed is None else [self.probed]))
        ]
        numbers = [self.n_answers, self.n_malformed, self.n_asked, self.n_tokens, self.usd]
        return [self.kind, self.model, self.judge, *numbers, *frames]


@dataclass(frozen=True)
class Answers:
    """A teacher's scores (query_id, doc_id, score; higher is better) and how it can be asked again.

    ask: scores texts that are not in the dataset; None for a teacher that cannot be called.
    """

    scores: pd.DataFrame
    extras: Extras = field(default_factory=Extras)
    ask: Asker | None = None
