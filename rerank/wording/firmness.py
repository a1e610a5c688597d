"""How firm an answer is: stability, unjudged documents and the ceiling as sentences and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rerank.evaluation.measures import EXPONENTIAL
from rerank.wording.language import Say, later
from rerank.wording.names import VERDICT_SIGNS, strategy_name
from rerank.wording.numbers import count, delta, interval, score, share
from rerank.wording.verdicts import verdict_name

PERTURBATIONS: Mapping[str, str] = {
    "segment_left_out": later("Without the segment {setting}"),
    "measure": later("Measured by {setting}"),
    "alpha": later("α = {setting}"),
    "margin": later("δ = {setting}"),
    "label_noise": later("{n} grades changed by chance ({share}), draw {draw}"),
    "single_seed": later("Seed {setting} alone"),
}
VIEWS: Mapping[str, str] = {
    "not_relevant": later("Unjudged count as not relevant"),
    "left_out": later("Unjudged left out"),
    "relevant": later("Unjudged count as relevant"),
}


def question_name(say: Say, item: Mapping[str, Any]) -> str:
    """Return the two strategies of a question."""
    names = {role: strategy_name(say, str(item[role])) for role in ("challenger", "reference")}
    return say("{challenger} vs {reference}", **names)


def perturbation_name(say: Say, item: Mapping[str, Any]) -> str:
    """Return what was chosen otherwise."""
    setting = str(item["setting"])
    if item["kind"] == "measure" and setting.endswith(EXPONENTIAL):
        setting = say("{measure} with exponential gain", measure=setting.removesuffix(EXPONENTIAL))
    facts: dict[str, object] = {"setting": setting}
    if item["kind"] == "label_noise":
        facts = {"n": count(item["n_flipped"]), "share": share(float(setting)), "draw": item["draw"]}
    sentence = PERTURBATIONS[str(item["kind"])]
    return say(sentence, **facts)


def stability_sentence(say: Say, card: Mapping[str, Any]) -> str:
    """Return how many perturbations a question's verdict survives."""
    facts = {"question": question_name(say, card), "verdict": verdict_name(say, card["verdict"])}
    if not card["n_perturbations"]:
        return say("{question}: the verdict “{verdict}” cannot be put to the test.", **facts)
    return say(
        "{question}: the verdict “{verdict}” survives {n} of {all} perturbations.",
        n=count(card["n_survived"]),
        all=count(card["n_perturbations"]),
        **facts,
    )


def stability_table(say: Say, card: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per perturbation with its difference, interval and verdict."""
    survived = {True: say("yes"), False: say("no"), None: say("cannot be tested")}
    rows = [
        {
            say("What was chosen otherwise"): perturbation_name(say, item),
            say("Queries"): item["n_queries"],
            "Δ": delta(item["delta"]),
            say("95 % interval"): interval(item["ci_low"], item["ci_high"]),
            say("Verdict"): signed_verdict(say, item["verdict"]),
            say("Survives"): survived[item["survives"]],
        }
        for item in card["perturbations"]
    ]
    return pd.DataFrame(rows)


def signed_verdict(say: Say, verdict: str) -> str:
    """Return a verdict's sign and word."""
    return f"{VERDICT_SIGNS[verdict]} {verdict_name(say, verdict)}"


def unjudged_sentence(say: Say, item: Mapping[str, Any]) -> str:
    """Return whether a question's verdict depends on unjudged documents."""
    facts = {"question": question_name(say, item), "n": count(item["n_unjudged"])}
    if not item["n_unjudged"]:
        return say("{question}: every document that counts is judged.", **facts)
    if item["flips"]:
        return say(
            "{question}: the verdict depends on unjudged documents; {n} judgments would settle that.",
            **facts,
        )
    return say("{question}: the verdict does not depend on the {n} unjudged documents.", **facts)


def unjudged_questions_table(say: Say, record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per question and view of the unjudged documents."""
    rows = [
        {
            say("Question"): question_name(say, item),
            say("Unjudged documents"): say(VIEWS[view]),
            "Δ": delta(item[view]["delta"]),
            say("95 % interval"): interval(item[view]["ci_low"], item[view]["ci_high"]),
            say("Verdict"): signed_verdict(say, item[view]["verdict"]),
        }
        for item in record["comparisons"]
        for view in VIEWS
    ]
    return pd.DataFrame(rows)


def unjudged_strategies_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return each strategy's KPI under the three views, and how much of its first ten is judged."""
    rows = []
    for name, views in result["unjudged"]["strategies"].items():
        row: dict[str, object] = {say("Strategy"): strategy_name(say, name)}
        row |= {say(text): score(views[view]) for view, text in VIEWS.items()}
        row[say("Judged@10")] = score(result["strategies"][name]["judged_at_10"])
        rows.append(row)
    return pd.DataFrame(rows)


def to_judge_table(say: Say, strategies: Sequence[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the judgments that would settle it as a reader sees them: texts, ranks and influence."""
    ranks = {strategy_name(say, name): rows[f"rank_{name}"] for name in strategies if f"rank_{name}" in rows}
    return pd.DataFrame(
        {
            say("Query"): rows["query"],
            say("Title"): rows["title"],
            say("Document"): rows["text"],
            say("Influence on Δ"): rows["influence"].map(lambda value: f"{value:.5f}"),
            **{say("Rank: {strategy}", strategy=name): column for name, column in ranks.items()},
        }
    )


def ceiling_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return what re-ranking could gain, what the best chosen strategy took of it, and what is left to retrieval."""
    found = result["ceiling"]
    measure = result["plan"]["primary_measure"]
    parts = [
        say(
            "A perfect order of these candidates would gain {delta} {measure}.",
            delta=delta(found["oracle"] - found["first_stage"]),
            measure=measure,
        )
    ]
    decision = result["decision"]
    for name in (decision["single_strategy"], decision["second_strategy"]):
        taken = found["captured"].get(name)
        if taken is not None and taken["share"] is not None:
            parts.append(
                say(
                    "{strategy} takes {share} of that (95 % interval {low} to {high}).",
                    strategy=strategy_name(say, name),
                    **_shares(taken),
                )
            )
    parts.append(
        say(
            "Only better retrieval could give another {delta}.",
            delta=delta(found["ideal"] - found["oracle"]),
        )
    )
    return say.joined(parts)


def ceiling_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return each strategy's KPI and its share of the reachable gain."""
    primary = result["plan"]["primary_measure"]
    found = result["ceiling"]
    rows = [
        {
            say("Strategy"): strategy_name(say, name),
            primary: score(result["strategies"][name]["measures"][primary]),
            say("Share of the reachable gain"): _shares(taken)["share"],
            say("95 % interval"): say("{low} to {high}", low=_shares(taken)["low"], high=_shares(taken)["high"]),
        }
        for name, taken in found["captured"].items()
    ]
    for text, value in (
        (say("Perfect order of these candidates"), found["oracle"]),
        (say("Every judged document found, in perfect order"), found["ideal"]),
    ):
        rows.append(
            {
                say("Strategy"): text,
                primary: score(value),
                say("Share of the reachable gain"): "",
                say("95 % interval"): "",
            }
        )
    return pd.DataFrame(rows)


def _shares(taken: Mapping[str, Any]) -> dict[str, str]:
    named = {"share": taken["share"], "low": taken["ci_low"], "high": taken["ci_high"]}
    return {name: share(value).replace("-", "−") for name, value in named.items()}


def firmness_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return every sentence about how firm the answers are, as the terminal prints them."""
    return [
        *(stability_sentence(say, card) for card in result["stability"]),
        *(unjudged_sentence(say, item) for item in result["unjudged"]["comparisons"]),
        ceiling_sentence(say, result),
    ]
