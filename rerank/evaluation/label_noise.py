"""Judgments as another judge might have made them."""

import numpy as np
import pandas as pd


def flipped_grades(judgments: pd.DataFrame, share: float, rng: np.random.Generator) -> tuple[pd.DataFrame, int]:
    """Return judgments of which a share (0-1, at least one) has another grade, and how many have.

    The other grade is drawn evenly from the grades of these judgments and 0.
    """
    grades = np.union1d(judgments["grade"].to_numpy(), [0])
    n_flipped = min(len(judgments), max(1, round(share * len(judgments))))
    if len(grades) < 2 or not n_flipped:
        return judgments, 0
    chosen = rng.choice(len(judgments), size=n_flipped, replace=False)
    given = judgments["grade"].to_numpy().copy()
    # A step of 1 to k - 1 along the sorted grades, in a ring, reaches every other grade and never the same one.
    steps = rng.integers(1, len(grades), size=n_flipped)
    given[chosen] = grades[(np.searchsorted(grades, given[chosen]) + steps) % len(grades)]
    return judgments.assign(grade=given), n_flipped
