"""What students took over from their teacher, in words: one reading for managers, a table for analysts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.wording.language import Say, later
from rerank.wording.names import name_of, strategy_name
from rerank.wording.numbers import NOTHING, count, delta, interval, share

FINDINGS: Mapping[str, str] = {
    "inherited": later("{strategy} has learned errors from its teacher."),
    "not_shown": later("It is not shown that {strategy} learned errors from its teacher."),
    "fewer": later("{strategy} makes fewer of its teacher's errors than a model that never saw the teacher."),
    "too_few_queries": later(
        "Whether {strategy} learned errors from its teacher cannot be told: fewer than 15 queries have a contradiction."
    ),
    "no_control": later(
        "Whether {strategy} learned errors from its teacher cannot be told: no model of its form learned from judgments alone."
    ),
}

BIASES: Mapping[str, str] = {
    "length": later("a preference for long or short documents"),
    "lexical": later("a preference for documents with the query's words"),
}

SCOPES: Mapping[str, str] = {
    "test": later("Measured on the test queries, which no training has seen."),
    "development": later(
        "Measured on the development queries: the teacher was not asked about the test queries. They have chosen the "
        "epochs, and taught nothing."
    ),
}


def _spoken(result: Mapping[str, Any]) -> str | None:
    """Return the student that the sentence is about: the recommended strategy if it distils, else the first one."""
    found = result["inheritance"]["strategies"]
    students = [name for name, record in found.items() if record["finding"] is not None]
    recommended = result["decision"].get("recommended_strategy")
    if recommended in students:
        return str(recommended)
    return students[0] if students else None


def inheritance_sentences(say: Say, result: Mapping[str, Any], strategy: str | None = None) -> list[str]:
    """Return what a student took over from its teacher: the finding, its shares, its biases, and on which queries.

    strategy: a student; by default the recommended one, else the first one. Empty where nothing distils.
    """
    found = result.get("inheritance")  # not in results of earlier versions
    if not found:
        return []
    name = strategy or _spoken(result)
    student = found["strategies"].get(name)
    if name is None or student is None or student["finding"] is None:
        return []
    if not found["n_pairs"]:
        nothing = say("The teacher contradicts no judgment of two documents here: there was no error to inherit.")
        return [nothing, name_of(say, SCOPES, found["scope"])]
    finding = name_of(say, FINDINGS, student["finding"]).format(strategy=strategy_name(say, name))
    lines = [finding, _shares(say, found, name, student)]
    bent = [bias for bias in BIASES if _is_taken_over(found, student, bias)]
    if bent:
        named = say(", ").join(say(BIASES[bias]) for bias in bent)
        lines.append(
            say("{strategy} took over from its teacher: {list}.", strategy=strategy_name(say, name), list=named)
        )
    if student["n_seeds"] == 1:
        lines.append(say("Everything was trained once: training luck is unknown."))
    lines.append(name_of(say, SCOPES, found["scope"]))
    return lines


def _shares(say: Say, found: Mapping[str, Any], name: str, student: Mapping[str, Any]) -> str:
    facts = {
        "n_pairs": count(found["n_pairs"]),
        "n_queries": count(found["n_queries"]),
        "strategy": strategy_name(say, name),
        "share": share(student["sides"]["value"]),
    }
    if student["control"] is None:
        return say(
            "Where the teacher contradicts your judgments ({n_pairs} pairs of documents, {n_queries} queries), {strategy} "
            "sides with the teacher in {share}.",
            **facts,
        )
    control = found["strategies"][student["control"]]
    apart = student["difference"]
    if apart["ci_low"] is None:
        told = say(
            "Difference: {difference} points, too few queries for an interval.", difference=points(apart["value"])
        )
    else:
        told = say(
            "Difference: {difference} points, 95 % interval {interval}.",
            difference=points(apart["value"]),
            interval=points_interval(apart),
        )
    sides = say(
        "Where the teacher contradicts your judgments ({n_pairs} pairs of documents, {n_queries} queries), {strategy} "
        "sides with the teacher in {share}; {control}, which never saw the teacher, in {control_share}.",
        control=strategy_name(say, student["control"]),
        control_share=share(control["sides"]["value"]),
        **facts,
    )
    return say.joined((sides, told))


def _is_taken_over(found: Mapping[str, Any], student: Mapping[str, Any], bias: str) -> bool:
    """Say whether a student leans further than its control the way its teacher does, with intervals beyond 0."""
    apart, taught = student[f"{bias}_difference"], found["teacher"][bias]
    if apart["ci_low"] is None or taught["ci_low"] is None:
        return False
    up = apart["ci_low"] > 0 and taught["ci_low"] > 0
    return bool(up or (apart["ci_high"] < 0 and taught["ci_high"] < 0))


def points(value: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return NOTHING if value is None else f"{100 * value:+.0f}".replace("-", "−")


def points_interval(found: Mapping[str, Any]) -> str:
    """Return the interval of a difference of shares."""
    if found["ci_low"] is None or found["ci_high"] is None:
        return NOTHING
    return f"[{points(found['ci_low'])}, {points(found['ci_high'])}]"


def _share_with_interval(found: Mapping[str, Any]) -> str:
    value = share(found["value"])
    return value if found["ci_low"] is None else f"{value} [{share(found['ci_low'])}, {share(found['ci_high'])}]"


def _with_interval(found: Mapping[str, Any]) -> str:
    value = delta(found["value"])
    return value if found["ci_low"] is None else f"{value} {interval(found['ci_low'], found['ci_high'])}"


def inheritance_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row for the teacher and each trained strategy: its share of the errors, its biases, and the differences."""
    found = result["inheritance"]
    names = (
        say("Who"),
        say("Sides with the teacher against your judgments"),
        say("Compared with"),
        say("Difference in points"),
        say("Length (Spearman)"),
        say("Difference in length"),
        say("Query's words (Spearman)"),
        say("Difference in words"),
    )
    teacher = found["teacher"]
    rows = [
        (
            say("The teacher"),
            share(1.0) if found["n_pairs"] else NOTHING,
            NOTHING,
            NOTHING,
            _with_interval(teacher["length"]),
            NOTHING,
            _with_interval(teacher["lexical"]),
            NOTHING,
        )
    ]
    for name, student in found["strategies"].items():
        apart = student["difference"]
        gap = points(apart["value"])
        rows.append(
            (
                strategy_name(say, name),
                _share_with_interval(student["sides"]),
                strategy_name(say, student["control"]) if student["control"] else NOTHING,
                gap if apart["ci_low"] is None else f"{gap} {points_interval(apart)}",
                _with_interval(student["length"]),
                _with_interval(student["length_difference"]),
                _with_interval(student["lexical"]),
                _with_interval(student["lexical_difference"]),
            )
        )
    return pd.DataFrame(rows, columns=list(names))
