"""The teacher's audit in words: a colour and one sentence for managers, every measure for analysts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.wording.language import Say, later
from rerank.wording.names import AUDIT_COLOURS, TEACHERS, name_of, strategy_name
from rerank.wording.numbers import delta, interval, score, share, usd

# Beside the word, never instead of it.
COLOUR_SIGNS: Mapping[str, str] = {"green": "●", "amber": "◐", "red": "■"}

MEANINGS: Mapping[str, str] = {
    "green": later("The teacher may teach: it is better than what is free, and no bias was found."),
    "amber": later("The teacher may teach, with reservations: {reasons}"),
    "red": later("The teacher must not teach: {reasons}"),
}

REASONS: Mapping[str, str] = {
    "worse_than_free": later("It ranks worse than what is free."),
    "not_shown_better": later("It is not shown to rank better than what is free."),
    "too_few_queries": later("There are fewer than 15 judged queries: nothing can be shown."),
    "position_bias": later("It prefers documents by where they stood in its input."),
    "length_bias": later("Among equally relevant documents it goes by their length."),
    "lexical_bias": later("It puts irrelevant documents first when the query is written into them."),
    "order_dependent": later("It turns round more than one pair in ten when its input is shuffled."),
    "malformed_answers": later("More than 2 % of its answers were malformed."),
}

WARNINGS: Mapping[str, str] = {
    "same_family_as_judge": later(
        "Teacher and judge are of one model family: the judge may prefer its own, and agreement proves less."
    ),
    "position_not_separable": later(
        "The teacher read the documents in the first stage's order: a preference for the first ones cannot be told "
        "from relevance. Shuffled input would tell."
    ),
}

SCOPES: Mapping[str, str] = {
    "development": later("training and development queries; the test queries stay sealed"),
    "folds": later("all evaluable queries; with folds every query is tested once, so nothing is sealed"),
    "judged": later("all judged queries; without a plan nothing is sealed"),
}

MEASURES: Mapping[str, str] = {
    "delta_free": later("Δ {measure} to the best free baseline ({baseline})"),
    "delta_base": later("Δ {measure} to what the student starts from ({base})"),
    "kendall_tau": later("Agreement with the human order (Kendall τ-b per query)"),
    "kappa": later("Agreement with the grades (quadratic-weighted κ)"),
    "top_1": later("First document is relevant"),
    "shuffled": later("Pairs turned round by shuffled input"),
    "repeated": later("Pairs turned round by asking again"),
    "position_slope": later("Slope of output place on input place"),
    "length": later("Error with document length (Spearman)"),
    "lexical": later("Error with the query's words in the document (Spearman)"),
    "probe": later("Irrelevant documents first once the query is in them"),
    "malformed": later("Malformed answers"),
    "tokens_per_query": later("Tokens per query"),
    "usd_per_query": later("Money per query"),
}

MARK_NAMES: Mapping[str, str] = {
    "teacher_error": later("Teacher error"),
    "label_error": later("Label error"),
    "unclear": later("Unclear"),
}

BINNINGS: Mapping[str, str] = {
    "as_given": later("The teacher's own grades, rounded."),
    "per_query_marginals": later(
        "In every query the teacher's first documents count as the best grade, as many as the human gave it, and so on."
    ),
}

FREE_TEACHERS = ("embedding", "fusion")

_SHARES = ("top_1", "shuffled", "repeated", "probe", "malformed")
_DIFFERENCES = ("delta_free", "delta_base")


def colour_line(say: Say, audit: Mapping[str, Any]) -> str:
    """Return the colour with its sign and its name."""
    colour = str(audit["colour"])
    return f"{COLOUR_SIGNS[colour]} {name_of(say, AUDIT_COLOURS, colour)}"


def audit_reasons(say: Say, audit: Mapping[str, Any]) -> str:
    """Return the reasons as sentences."""
    return " ".join(name_of(say, REASONS, code) for code in audit["reasons"])


def audit_sentence(say: Say, audit: Mapping[str, Any]) -> str:
    """Return the one sentence for a manager."""
    colour = str(audit["colour"])
    return say(MEANINGS[colour], reasons=audit_reasons(say, audit))


def evidence_sentence(say: Say, audit: Mapping[str, Any]) -> str:
    """Return what the colour rests on: teacher, baseline, queries, difference and interval."""
    return say(
        "Teacher: {teacher}. Against {baseline} on {n} queries: {delta} {measure}, 95 % interval {interval}.",
        teacher=name_of(say, TEACHERS, audit["teacher"]),
        baseline=strategy_name(say, audit["baseline"]),
        n=audit["n_queries"],
        delta=delta(audit["delta"]),
        measure=audit["measure"],
        interval=interval(audit["ci_low"], audit["ci_high"]),
    )


def free_sentence(say: Say, audit: Mapping[str, Any]) -> str:
    """Return that a teacher which costs nothing could be used itself, "" for another one."""
    if audit["teacher"] not in FREE_TEACHERS:
        return ""
    return say("This teacher is itself free: that it beats other free strategies does not justify distilling it.")


def scope_sentence(say: Say, audit: Mapping[str, Any]) -> str:
    """Return which queries were looked at."""
    return say("Audited on {scope}.", scope=name_of(say, SCOPES, audit["scope"]))


def gate_sentences(say: Say, audit: Mapping[str, Any]) -> list[str]:
    """Return what the gate did: distillation stopped, or who let a red teacher teach; nothing outside an experiment."""
    override = audit.get("override")
    if override is not None:
        return [
            say(
                "The teacher's audit is red. {by} let it teach all the same on {at} (UTC): {reason}",
                by=override["by"],
                at=override["at"][:16].replace("T", " "),
                reason=override["reason"],
            )
        ]
    if audit.get("blocked"):
        names = say(", ").join(strategy_name(say, name) for name in audit["left_out"])
        if not names:
            return [say("The teacher's audit is red: nothing will be distilled from it.")]
        return [say("The teacher's audit is red, so these strategies were not trained: {names}.", names=names)]
    return []


def warning_sentences(say: Say, audit: Mapping[str, Any]) -> list[str]:
    """Return what does not move the colour and must be known."""
    return [name_of(say, WARNINGS, code) for code in audit["warnings"]]


def unmeasured_sentence(say: Say, audit: Mapping[str, Any]) -> str:
    """Return what was not measured, so that its silence is not taken for good news; empty where all was."""
    missing = [measure_label(say, audit, name) for name in audit["not_measured"]]
    if not missing:
        return ""
    return say("Not measured, so no reservation could come from it: {names}.", names=say(", ").join(missing))


def measure_label(say: Say, audit: Mapping[str, Any], name: str) -> str:
    """Return a measure's name."""
    return say(
        MEASURES[name],
        measure=audit["measure"],
        baseline=strategy_name(say, audit["baseline"]),
        base=strategy_name(say, audit["student_base"]),
    )


def _value(say: Say, name: str, value: float | None) -> str:
    if value is None:
        return say("not measured")
    if name in _DIFFERENCES:
        return delta(value)
    if name in _SHARES:
        return share(value)
    if name == "tokens_per_query":
        return f"{value:,.0f}"
    return usd(value) if name == "usd_per_query" else score(value)


def _interval(name: str, low: float | None, high: float | None) -> str:
    if name in _SHARES and low is not None and high is not None:
        return f"[{share(low)}, {share(high)}]"
    return interval(low, high)


def audit_table(say: Say, audit: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per measure with its interval and its number of queries."""
    rows = []
    for name, found in audit["measures"].items():
        rows.append(
            {
                say("Measure"): measure_label(say, audit, name),
                say("Value"): _value(say, name, found["value"]),
                say("95 % interval"): _interval(name, found["ci_low"], found["ci_high"]),
                say("Queries"): found["n"],
            }
        )
    return pd.DataFrame(rows)


def confusion_table(say: Say, audit: Mapping[str, Any]) -> pd.DataFrame:
    """Return how often which human grade met which teacher grade: one row per human grade."""
    cells = pd.DataFrame(audit["confusion"], columns=["human", "teacher", "n"])
    if cells.empty:
        return pd.DataFrame()
    wide = cells.pivot(index="human", columns="teacher", values="n")
    wide.columns = pd.Index([say("Teacher: {grade}", grade=grade) for grade in wide.columns])
    return wide.reset_index().rename(columns={"human": say("Human grade")})
