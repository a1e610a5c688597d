"""What a plan asks and demands, in words: templates, their hypotheses, guardrails."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say, later
from rerank.wording.names import name_of, strategy_name
from rerank.wording.numbers import NOTHING, count, milliseconds, score

TEMPLATES: Mapping[str, str] = {
    "reranking": later("Is re-ranking worth it?"),
    "second_stage": later("Is the second stage worth it?"),
    "label_or_distil": later("Label or distil?"),
}
ALL_QUESTIONS = later("All of it (the starting point's own strategies)")

# What somebody may expect; the plan's author changes it or leaves it.
HYPOTHESES: Mapping[str, str] = {
    "reranking": later("One stage of fine-tuning gains more than δ over today's order."),
    "second_stage": later(
        "A second stage gains more than δ over the best single stage, and not only by more training."
    ),
    "label_or_distil": later("Distilling the teacher does as well as learning from our own judgments, within δ."),
}

GUARDRAILS: Mapping[str, str] = {
    "max_p95_latency_ms": later("Latency p95 that re-ranking adds, at most"),
    "min_recall": later("Recall of the candidates, at least"),
    "max_segment_drop": later("Fall of the worst segment, at most"),
    "max_harmed_share": later("Share of queries harmed by more than .1, at most"),
}

STATUSES: Mapping[str, str] = {
    "held": later("held"),
    "broken": later("broken"),
    "not_shown": later("over the limit, but the segment is not shown to fall: holds nothing back"),
    "not_measured": later("not measured"),
}


def guardrail_value(code: str, value: float | None) -> str:
    """Return a guardrail's limit or value in its unit."""
    if code == "max_p95_latency_ms":
        return milliseconds(value)
    if code == "max_harmed_share":
        return NOTHING if value is None else f"{value:.1%}"
    return score(value).replace("-", "−")  # a segment's interval may reach below 0


def guardrail_interval(say: Say, code: str, check: Mapping[str, Any]) -> str:
    """Return the 95 % interval of a guardrail's value and what is behind it; "" where nothing is known of it."""
    low, high = check.get("low"), check.get("high")  # not in results of earlier versions
    if not check.get("n"):
        return ""
    facts = {"low": guardrail_value(code, low), "high": guardrail_value(code, high), "n": count(check["n"])}
    is_latency = code == "max_p95_latency_ms"
    if low is None and high is None:
        return say("{n} searches, too few for an interval", **facts) if is_latency else say("{n} queries", **facts)
    if high is None:
        return say("95 % interval from {low} on, {n} searches", **facts)
    if is_latency:
        return say("95 % interval {low} to {high}, {n} searches", **facts)
    return say("95 % interval {low} to {high}, {n} queries", **facts)


def is_open(check: Mapping[str, Any]) -> bool:
    """Say whether a guardrail is kept or broken in this sample only: its limit lies within the interval."""
    return check["status"] in ("held", "broken") and not check.get("certain", True)


def guardrail_sentences(say: Say, result: Mapping[str, Any], *, only_broken: bool = False) -> list[str]:
    """Return the guardrails of the strategy that is recommended, else of the best single stage; empty without any.

    Broken ones come first.
    """
    decision = result["decision"]
    strategy = decision.get("recommended_strategy") or decision["single_strategy"]
    lines = []
    checked = [record for record in result.get("guardrails", ()) if strategy in record["strategies"]]
    for record in sorted(checked, key=lambda record: record["strategies"][strategy]["status"] != "broken"):
        check = record["strategies"][strategy]
        if only_broken and check["status"] != "broken":
            continue
        code = str(record["guardrail"])
        value = guardrail_value(code, check["value"])
        if check["segment"]:
            value = say("{value} in {segment}", value=value, segment=check["segment"])
        spread = guardrail_interval(say, code, check)
        facts = {
            "strategy": strategy_name(say, strategy),
            "guardrail": name_of(say, GUARDRAILS, code),
            "limit": guardrail_value(code, record["limit"]),
            "value": say("{value} ({interval})", value=value, interval=spread) if spread else value,
            "status": name_of(say, STATUSES, check["status"]),
        }
        if is_open(check):
            lines.append(
                say("{strategy}: {guardrail} {limit}: {value}, {status} in this sample, not shown either way.", **facts)
            )
        else:
            lines.append(say("{strategy}: {guardrail} {limit}: {value}, {status}.", **facts))
    return lines
