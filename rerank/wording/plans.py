"""What a plan asks and demands, in words: templates, their hypotheses, guardrails."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say, later
from rerank.wording.names import name_of, strategy_name
from rerank.wording.numbers import NOTHING, milliseconds, score

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
    "not_measured": later("not measured"),
}


def guardrail_value(code: str, value: float | None) -> str:
    """Return a guardrail's limit or value in its unit."""
    if code == "max_p95_latency_ms":
        return milliseconds(value)
    if code == "max_harmed_share":
        return NOTHING if value is None else f"{value:.1%}"
    return score(value)


def guardrail_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return the guardrails of the strategy that is recommended, else of the best single stage; empty without any."""
    decision = result["decision"]
    strategy = decision.get("recommended_strategy") or decision["single_strategy"]
    lines = []
    for record in result.get("guardrails", ()):
        check = record["strategies"].get(strategy)
        if check is None:
            continue
        code = str(record["guardrail"])
        facts = {
            "strategy": strategy_name(say, strategy),
            "guardrail": name_of(say, GUARDRAILS, code),
            "limit": guardrail_value(code, record["limit"]),
            "value": guardrail_value(code, check["value"]),
            "status": name_of(say, STATUSES, check["status"]),
        }
        if check["segment"]:
            facts["segment"] = check["segment"]
            lines.append(say("{strategy}: {guardrail} {limit}: {value} in {segment}, {status}.", **facts))
        else:
            lines.append(say("{strategy}: {guardrail} {limit}: {value}, {status}.", **facts))
    return lines
