"""What a reader must know about how a result came about: looks, deviations, overrides."""

from collections.abc import Mapping, Sequence
from typing import Any

from rerank.wording.decisions import GATE
from rerank.wording.language import Say, later
from rerank.wording.names import DECISION_NAMES, VERDICTS, name_of, strategy_name
from rerank.wording.numbers import count

DEVIATIONS: Mapping[str, str] = {
    "second_stage_despite_no_go": later("The second stage was run although {by} had decided no-go ({at}). {reason}"),
    "second_stage_against_recommendation": later(
        "The second stage was run against gate 1's recommendation: {by}, {at}. {reason}"
    ),
    "gates_run_at_once": later(
        "Both gates were run without a decision between them; gate 1 would have recommended: {recommended}."
    ),
    "device_changed": later("Its starts computed on different devices: {values}."),
    "version_changed": later("The program's version changed between its starts: {values}."),
    "computed_otherwise": later(
        "A later start computed in another way ({ways}): what was trained before was trained once more, and scores can differ a little."
    ),
    "strategies_left_out": later("Planned, but not run: {strategies}. The base model cannot rank without training."),
    "rows_left_out": later("{n} rows of the upload were left out for errors before the plan was locked."),
    "fewer_unlabelled_queries": later("{planned} unlabelled queries were planned, {n} were found."),
}


def look_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return which plan this is that was evaluated on these test queries; "" for the first one."""
    looks = result.get("looks", {"nth": 1})
    if looks["nth"] == 1:
        return ""
    return say(
        "This is plan number {n} that was evaluated on these test queries: p-values do not know about the earlier ones.",
        n=looks["nth"],
    )


def seal_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return whether test judgments were sealed until the plan was locked."""
    if result["plan"]["split"]["kind"] == "holdout":
        return say("The test queries' judgments were sealed until the plan was locked.")
    return say("With folds nothing is sealed: every query is tested in one fold and used in the others.")


def deviation_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return every deviation from the locked plan, one sentence each."""
    lines = []
    for item in result.get("deviations", ()):
        facts = dict(item["facts"])
        if "recommended" in facts:
            facts["recommended"] = name_of(say, GATE, str(facts["recommended"]))
        if "strategies" in facts:
            facts["strategies"] = say(", ").join(strategy_name(say, name) for name in facts["strategies"])
        if "values" in facts:
            facts["values"] = say(", ").join(map(str, facts["values"]))
        if "at" in facts:
            facts["at"] = moment(str(facts["at"]))
        for name in ("n", "planned"):
            if name in facts:
                facts[name] = count(facts[name])
        lines.append(name_of(say, DEVIATIONS, str(item["code"])).format(**facts).strip())
    return lines


def moment(at: str) -> str:
    """Return a time to the minute."""
    return at[:16].replace("T", " ")


def override_sentences(say: Say, overrides: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return who overrode what, with the reason, oldest first."""
    lines = []
    for item in overrides:
        facts = {
            "by": item["by"],
            "at": moment(item["at"]),
            "reason": item["reason"],
            "computed": name_of(say, VERDICTS if item["subject"] else DECISION_NAMES, item["computed"]),
            "decided": name_of(say, VERDICTS if item["subject"] else DECISION_NAMES, item["decided"]),
        }
        if item["subject"]:
            reference, challenger = (strategy_name(say, name) for name in item["subject"])
            lines.append(
                say(
                    "Verdict on {challenger} against {reference} overridden by {by}, {at} (UTC): {decided} instead of "
                    "{computed}. Reason: {reason}",
                    challenger=challenger,
                    reference=reference,
                    **facts,
                )
            )
        else:
            lines.append(
                say(
                    "Decision overridden by {by}, {at} (UTC): {decided} instead of {computed}. Reason: {reason}",
                    **facts,
                )
            )
    return lines
