"""The confirmatory family: several locked questions, one error rate."""

import dataclasses
from collections.abc import Sequence

from rerank.stats.comparison import Comparison
from rerank.stats.verdict import deciding_p, with_verdict


def adjust_family(
    comparisons: Sequence[Comparison], *, family_size: int, alpha: float, verdict_only: bool = False
) -> list[Comparison]:
    """Return the comparisons in their order, confirmatory ones with Holm's adjusted p-value and its verdict.

    Holm 1979. family_size: how many questions the plan locked. Exploratory comparisons pass unchanged.
    verdict_only: no number of further queries.
    """
    # A locked question without a p-value (gate 2 has not run, not comparable, identical) still counts, as the
    # largest p-value: those that were answered come first and are multiplied by the whole family's size. Any
    # other place for it would make them smaller, and leaving a question out could make another significant.
    confirmatory = [index for index, item in enumerate(comparisons) if item.confirmatory]
    size = max(family_size, len(confirmatory))
    answered = [(p, index) for index in confirmatory if (p := deciding_p(comparisons[index])) is not None]
    adjusted = list(comparisons)
    highest = 0.0
    for step, (p, index) in enumerate(sorted(answered)):
        highest = min(1.0, max(highest, p * (size - step)))
        item = dataclasses.replace(comparisons[index], p_adjusted=highest)
        # Which step of Holm a further sample would meet is unknown: its number of queries assumes the strictest.
        adjusted[index] = with_verdict(item, alpha=alpha, p=highest, alpha_each=alpha / size, verdict_only=verdict_only)
    return adjusted
