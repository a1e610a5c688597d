"""The result's tables as frames of text and numbers, the same for pages, downloads and the terminal."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.cost.business import Business
from rerank.cost.teachers import training_usd
from rerank.wording.amounts import amount
from rerank.wording.language import Say, later
from rerank.wording.names import ATTRIBUTION_PARTS, name_of, strategy_name
from rerank.wording.numbers import NOTHING, delta, interval, milliseconds, score
from rerank.wording.plans import GUARDRAILS, STATUSES, guardrail_interval, guardrail_value, is_open
from rerank.wording.verdicts import significance, significance_and_kind, verdict_name

SOURCES: Mapping[str, str] = {
    "model": later("Re-ranker"),
    "embedding": later("Encoder"),
    "first_stage": later("First stage"),
}


def against_first_stage(result: Mapping[str, Any], strategy: str) -> Mapping[str, Any] | None:
    """Return the comparison of a strategy with the first stage on the primary measure, None without one."""
    primary = result["plan"]["primary_measure"]
    for comparison in result["comparisons"]:
        pair = (comparison["reference"], comparison["challenger"], comparison["measure"])
        if pair == ("first-stage", strategy, primary):
            found: Mapping[str, Any] = comparison
            return found
    return None


def deciding_comparisons(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a decision rests on beside the locked questions and the first stage, on the primary measure.

    The best single stage against what is free, when that is recommended instead; the best second stage against a
    single stage that was trained for as long, where that is a reason.
    """
    decided, primary = result["decision"], result["plan"]["primary_measure"]
    pairs = []
    if decided["code"] == "adopt_free_baseline":
        pairs.append((decided["recommended_strategy"], decided["single_strategy"]))
    if set(decided["reasons"]) & {"second_beats_longer", "second_longer_not_beaten", "second_only_longer"}:
        pairs.append((decided["longer_strategy"], decided["second_strategy"]))
    return [
        item
        for pair in pairs
        for item in result["comparisons"]
        if (item["reference"], item["challenger"]) == pair and item["measure"] == primary
    ]


IN_USD = Business()


def strategy_table(say: Say, result: Mapping[str, Any], business: Business = IN_USD) -> pd.DataFrame:
    """Return one row per strategy: KPI, difference, significance and cost in the user's currency side by side."""
    primary = result["plan"]["primary_measure"]
    rows = []
    for name, record in result["strategies"].items():
        found = against_first_stage(result, name)
        rows.append(
            {
                say("Strategy"): strategy_name(say, name),
                primary: score(record["measures"][primary]),
                say("Δ to first stage"): delta(found["delta"]) if found else "",
                say("95 % interval"): interval(found["ci_low"], found["ci_high"]) if found else "",
                say("Verdict"): verdict_name(say, found["verdict"]) if found else say("reference"),
                say("Significance"): significance_and_kind(say, found) if found else "",
                say("Training"): amount(say, training_usd(result, business, name), business),
                say("Serving, 1,000 queries"): amount(say, record["cost"]["serve_usd_per_1k_queries"], business),
                say("Latency p50"): milliseconds(record["latency_ms"]["p50"]),
                say("Latency p95"): milliseconds(record["latency_ms"]["p95"]),
                say("Judged@10"): score(record["judged_at_10"]),
            }
        )
    return pd.DataFrame(rows)


def guardrail_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per strategy and guardrail of the plan: limit, value and whether it is held."""
    rows = []
    for record in result["guardrails"]:
        code = str(record["guardrail"])
        for strategy, check in record["strategies"].items():
            value = guardrail_value(code, check["value"])
            status = name_of(say, STATUSES, check["status"])
            rows.append(
                {
                    say("Strategy"): strategy_name(say, strategy),
                    say("Guardrail"): name_of(say, GUARDRAILS, code),
                    say("Limit"): guardrail_value(code, record["limit"]),
                    say("Value"): f"{value} ({check['segment']})" if check["segment"] else value,
                    say("How sure"): guardrail_interval(say, code, check) or NOTHING,
                    say("Status"): say("{status}, not shown either way", status=status) if is_open(check) else status,
                }
            )
    return pd.DataFrame(rows)


def comparisons_of_quality(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a result's comparisons but those of how much is judged, which is neither better nor worse."""
    return [item for item in result["comparisons"] if not item["measure"].startswith("Judged@")]


def comparison_table(say: Say, comparisons: list[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per comparison with every number that belongs to its verdict."""
    rows = []
    for item in comparisons:
        rows.append(
            {
                say("Challenger"): strategy_name(say, item["challenger"]),
                say("Reference"): strategy_name(say, item["reference"]),
                say("Measure"): item["measure"],
                "Δ": delta(item["delta"]),
                say("95 % interval"): interval(item["ci_low"], item["ci_high"]),
                say("Verdict"): verdict_name(say, item["verdict"]),
                say("Significance"): significance(say, item),
                say("Queries"): item["n_queries"],
                say("Kind"): say("confirmatory") if item["confirmatory"] else say("exploratory"),
            }
        )
    return pd.DataFrame(rows)


def measure_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per strategy with the mean of every measure."""
    rows = [
        {say("Strategy"): strategy_name(say, name)} | dict(record["measures"])
        for name, record in result["strategies"].items()
    ]
    return pd.DataFrame(rows)


def moved_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return how far the second stage moved each two-stage model; empty without one."""
    rows = []
    for name, record in result["strategies"].items():
        moved = record["moved"]
        if moved is not None:
            rows.append(
                {
                    say("Strategy"): strategy_name(say, name),
                    say("Kendall τ of the rankings"): score(moved["kendall_tau"]),
                    say("Relative weight change"): f"{moved['relative_weight_change']:.4f}",
                }
            )
    return pd.DataFrame(rows)


def _fits(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return a strategy's weights, one row per fold and seed and one column per source; empty for a plain one."""
    return pd.DataFrame(record["fusion_weights"] or [], columns=list(SOURCES)).fillna(0.0)


def free_recipe(say: Say, result: Mapping[str, Any]) -> str | None:
    """Return how to mix what is recommended when that needs no model; None otherwise."""
    record = result["strategies"].get(result["decision"].get("recommended_strategy"))
    fits = pd.DataFrame() if record is None else _fits(record)
    if fits.empty or fits["model"].any():
        return None
    mean = fits.mean()
    return say(
        "What is recommended needs no trained model: mix standardised scores, {encoder} × the encoder's similarity + "
        "{first_stage} × your search's score.",
        encoder=f"{mean['embedding']:.2f}",
        first_stage=f"{mean['first_stage']:.2f}",
    )


def mixture_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return the weights of every fused strategy, means over its folds and seeds; empty without one.

    Weights are 0 to 1 and sum to 1. The range is that of the re-ranker's weight over the fits.
    """
    sources = {source: say(heading) for source, heading in SOURCES.items()}
    rows = []
    for name, record in result["strategies"].items():
        fits = _fits(record)
        if fits.empty:
            continue
        mean, low, high = fits.mean(), fits["model"].min(), fits["model"].max()
        rows.append(
            {say("Strategy"): strategy_name(say, name)}
            | {heading: f"{mean[source]:.2f}" for source, heading in sources.items()}
            | {
                say("Fits"): len(fits),
                say("Re-ranker, lowest to highest"): f"{low:.2f} – {high:.2f}" if high > low else NOTHING,
            }
        )
    return pd.DataFrame(rows)


def attribution_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per part of every two-stage strategy's gain."""
    rows = [
        {
            say("Strategy"): strategy_name(say, item["strategy"]),
            say("Part"): name_of(say, ATTRIBUTION_PARTS, item["part"]),
            say("Measured as"): say(
                "{challenger} vs {reference}",
                challenger=strategy_name(say, item["challenger"]),
                reference=strategy_name(say, item["reference"]),
            ),
            "Δ": delta(item["delta"]),
            say("95 % interval"): interval(item["ci_low"], item["ci_high"]),
            say("Verdict"): verdict_name(say, item["verdict"]),
        }
        for item in result["attribution"]
    ]
    return pd.DataFrame(rows)


def curve_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per point of the learning curve."""
    rows = [
        {
            say("Strategy"): strategy_name(say, point["strategy"]),
            say("Training queries"): point["n_train_queries"],
            result["plan"]["primary_measure"]: score(point["mean"]),
            say("Δ to first stage"): delta(point["delta"]),
            say("95 % interval"): interval(point["ci_low"], point["ci_high"]),
        }
        for point in result["learning_curve"] or []
    ]
    return pd.DataFrame(rows)
