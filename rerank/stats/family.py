"""The confirmatory family: several locked questions, one error rate."""

import dataclasses
from collections.abc import Sequence

from rerank.stats.comparison import Comparison
from rerank.stats.verdict import deciding_p, with_verdict


def adjust_family(comparisons: Sequence[Comparison], *, family_size: int, alpha: float) -> list[Comparison]:
    """Return the comparisons with Holm's adjusted p-values (Holm 1979) and the verdicts that follow.

    family_size: how many questions the plan locked. One that was not answered (gate 2 has not run, or the
    two are not comparable) counts as a larger p-value, which gives the others the stricter multiplier:
    leaving a question out can never make another one significant.
    """
    size = max(family_size, len(comparisons))
    answered = [(p, index) for index, item in enumerate(comparisons) if (p := deciding_p(item)) is not None]
    adjusted = list(comparisons)
    highest = 0.0
    for step, (p, index) in enumerate(sorted(answered)):
        highest = min(1.0, max(highest, p * (size - step)))
        item = dataclasses.replace(comparisons[index], p_adjusted=highest)
        adjusted[index] = with_verdict(item, alpha=alpha, p=highest, alpha_each=alpha / size)
    return adjusted
