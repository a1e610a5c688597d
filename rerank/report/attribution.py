"""Where a second stage's gain comes from: more steps, the other signal, or the order of the two."""

from collections.abc import Sequence
from typing import Any

from rerank.planning.plan import FUSION, TWO_STAGE, Plan
from rerank.stats.comparison import Comparison

# Two-stage strategy: the single stage that it continues and that one's equal-budget control.
CHAINS = {"C-then-D": ("C", "C-long"), "D-then-C": ("D", "D-long")}


def links_of(strategy: str, present: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (part, reference, challenger) of a two-stage strategy's gain, as far as its controls were trained.

    `steps`: the longer single stage against the single one. `signal`: both signals in one training against the
    longer single stage, same steps. `order`: one after the other against together. Without the joint training
    `signal` and `order` are one part, `signal_and_order`.
    """
    plain = strategy.removesuffix(FUSION)
    if plain not in CHAINS or strategy not in present:
        return []
    # A fused strategy is held against the fused forms of its parts.
    single, long, joint = (part + strategy[len(plain) :] for part in (*CHAINS[plain], "C+D"))
    if not {single, long} <= set(present):
        return []
    links = [("steps", single, long)]
    if joint in present:
        return [*links, ("signal", long, joint), ("order", joint, strategy)]
    return [*links, ("signal_and_order", long, strategy)]


def attribution(plan: Plan, present: Sequence[str], comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return the parts of every two-stage strategy's gain on the primary measure; the parts add up to the gain."""
    known = {(item.reference, item.challenger): item for item in comparisons if item.measure == plan.primary_measure}
    found = []
    for strategy in TWO_STAGE:
        for part, reference, challenger in links_of(strategy, present):
            item = known.get((reference, challenger))
            if item is None:
                continue
            found.append(
                {
                    "strategy": strategy,
                    "part": part,
                    "reference": reference,
                    "challenger": challenger,
                    "delta": item.delta,
                    "ci_low": item.ci_low,
                    "ci_high": item.ci_high,
                    "verdict": item.verdict,
                }
            )
    return found
