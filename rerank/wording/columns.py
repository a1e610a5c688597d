"""What a table's columns mean: one sentence each, shown when a reader points at the heading."""

from collections.abc import Mapping

from rerank.wording.language import Say, later

# By heading; the measures are named by themselves.
COLUMNS: Mapping[str, str] = {
    "Δ to first stage": later("The strategy's mean minus that of the first stage, on the same test queries."),
    "95 % interval": later(
        "Where the true difference plausibly lies: such intervals hold it in 95 of 100 experiments."
    ),
    "Verdict": later("What the locked rules say about the difference, by significance and margin."),
    "Significance": later(
        "How often a difference of this size or a larger one would come by chance alone if there were none."
    ),
    "Training": later("What one training costs, with the stages it builds on and what the teacher was asked."),
    "Serving, 1,000 queries": later("What re-ranking adds for 1,000 searches on this device."),
    "Latency p50": later("What re-ranking adds to a search in the middle of all: half are faster."),
    "Latency p95": later("What re-ranking adds to a slow search: 95 of 100 are faster."),
    "Judged@10": later(
        "The share of the first 10 documents that somebody has judged; the others count as not relevant."
    ),
    "How sure": later("The value's 95 % interval and what it was measured on."),
    "Expected gain": later("KPI of what will be in use minus KPI of what is in use now, on average."),
    "Probability that the decision is right": later(
        "How likely it is that what is then used is truly better, or that what is left is better by no more than δ."
    ),
    "Cost per +0.01 KPI": later("What one hundredth more of the KPI costs once, and its range."),
    "Return": later("What the gain brings over the horizon minus its cost, as a share of the cost."),
    "Break-even month": later("The month in which what it has brought exceeds what it has cost."),
    "Break-even traffic": later("The searches per month from which it pays."),
    "Kendall τ of the rankings": later("How alike two orders are: 1 is the same order, 0 is unrelated."),
    "Relative weight change": later("How far training moved the model: 0 is not at all."),
    "Share of the reachable gain": later("The gain divided by that of a perfect order of the same candidates."),
    "Influence on Δ": later("By how much the difference would change if this document alone were highly relevant."),
    "Kind": later("Confirmatory: locked before training. Exploratory: looked at besides, and not adjusted for."),
}
_MEASURES: Mapping[str, str] = {
    "nDCG@10": later("How close the order of the first 10 documents is to the best possible one: 1 is the best."),
    "RR@10": later("1 divided by the rank of the first relevant document, 0 beyond rank 10; mean over queries."),
    "Success@1": later("The share of searches whose first document is relevant."),
    "P@5": later("The share of the first 5 documents that are relevant."),
    "AP": later("Average precision: how far up all relevant documents stand, 1 is perfect."),
}


def column_help(say: Say, heading: str) -> str | None:
    """Return one sentence about a column by its translated heading; None where the heading says it all."""
    if heading in _MEASURES:
        return measure_help(say, heading)
    for name, sentence in COLUMNS.items():
        if say(name) == heading:
            return say(sentence)
    return None


def measure_help(say: Say, measure: str) -> str | None:
    """Return what a measure counts in one sentence; None for one that has none."""
    return say(_MEASURES[measure]) if measure in _MEASURES else None
