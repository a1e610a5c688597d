"""The decision as sentences: what to do next, why, and what would change it."""

from collections.abc import Mapping
from typing import Any

from rerank.decide.evidence import n_to_judge
from rerank.wording.language import Say, later
from rerank.wording.names import strategy_name
from rerank.wording.numbers import count
from rerank.wording.plans import guardrail_sentences
from rerank.wording.tables import against_first_stage, deciding_comparisons
from rerank.wording.verdicts import comparison_sentence

HEADLINES: Mapping[str, str] = {
    "repair_data": later("Repair the data first."),
    "repair_first_stage": later("Repair the first stage first: re-ranking has little to win here."),
    "adopt_free_baseline": later("Use {strategy}: it costs no training."),
    "stop": later("Stop here: fine-tuning shows no gain worth paying for."),
    "train_more_seeds": later("Train with more seeds ({n_more_seeds} more), then decide."),
    "collect_judgments": later("Judge about {n_more_to_judge} more queries, then decide."),
    "add_second_stage": later("Add the second stage: {second} is better than {single}."),
    "repair_teacher": later("Repair the teacher before distilling; ship {single} meanwhile."),
    "adopt_single_stage": later("Ship the single stage {single}."),
}

# The candidates hold nearly everything that is relevant.
NEARLY_PERFECT = 0.95
NOTHING_TO_WIN = later("Leave it as it is: today's order is nearly as good as it can be.")

BREAKS_GUARDRAIL = later("Stop here: what gains breaks a guardrail of the plan.")

REASONS: Mapping[str, str] = {
    "data_has_errors": later("The sample has errors that change the numbers."),
    "too_few_queries": later("There are fewer than 15 test queries: no comparison is possible."),
    "scores_not_comparable": later("The scores of the two strategies cannot be compared."),
    "ceiling_small": later(
        "Even a perfect order of these candidates would gain little: their order is good already, or relevant documents are not among them."
    ),
    "no_single_stage": later("No single-stage strategy was run."),
    "single_better": later("The single stage is better than the first stage."),
    "single_worse": later("The single stage is worse than the first stage."),
    "single_no_gain": later("The single stage and the first stage do not differ by more than the margin."),
    "single_gain_negligible": later("The single stage's gain is smaller than the margin."),
    "single_inconclusive": later("A gain of the single stage is neither shown nor excluded."),
    "single_not_realistic": later(
        "A gain of the single stage is not shown, and no realistic number of queries or seeds would show it."
    ),
    "single_too_dear": later(
        "At the traffic and value given, the single stage brings less than it costs on top of what it would replace."
    ),
    "single_breaks_guardrail": later("The single stage breaks a guardrail of the plan: it is not recommended."),
    "free_baseline_gains": later("Without any training, {strategy} is better than the first stage already."),
    "free_baseline_no_gain": later("No strategy without training is better than the first stage either."),
    "free_baseline_too_dear": later(
        "A strategy without training gains, but brings less than it costs at the traffic and value given."
    ),
    "free_baseline_breaks_guardrail": later("What gains without training breaks a guardrail of the plan."),
    "free_baseline_ties": later(
        "Without any training, {strategy} does as well as the single stage: the cheaper option wins."
    ),
    "free_baseline_not_beaten": later(
        "It is not shown that the single stage beats the best strategy without training."
    ),
    "second_better": later("The second stage adds a gain above the margin."),
    "second_beats_all": later(
        "The two stages together are better than the first stage and than everything without training."
    ),
    "second_beats_longer": later("It also beats {longer}, a single stage that was trained for as long."),
    "second_longer_not_beaten": later(
        "It is not shown to beat {longer}, a single stage that was trained for as long: part of the gain may be longer training."
    ),
    "second_only_longer": later(
        "Two stages beat the single stage, but {longer}, a single stage that was trained for as long, does as well or lies ahead: the gain is not credited to the second stage."
    ),
    "second_not_controlled": later(
        "No single stage was trained for as long as the two stages: part of the gain may be longer training."
    ),
    "second_too_dear": later("The second stage adds a gain, but costs more than it is worth."),
    "second_breaks_guardrail": later("The second stage gains, but breaks a guardrail of the plan."),
    "second_negligible": later("The second stage's gain is smaller than the margin."),
    "second_no_gain": later("The second stage is not shown to add anything."),
    "second_worse": later("The second stage makes it worse."),
    "second_inconclusive": later("Whether the second stage adds anything is open; the cheaper option wins."),
    "second_not_run": later("The second stage has not been run yet."),
    "second_not_planned": later("The plan has no second stage."),
    "signal_distil": later("Distilling the teacher is better than learning from your judgments."),
    "signal_label": later("Learning from your judgments is better than distilling the teacher."),
    "signal_equal": later("Judgments and teacher teach equally well within the margin: take what is cheaper to get."),
    "signal_open": later("Whether judgments or the teacher teach better is open."),
    "second_blocked": later("The second stage was not trained: the teacher's audit is red."),
    "teacher_red": later("The teacher is worse than what is free: it must not teach."),
    "teacher_amber": later("It is not shown that the teacher is better than what is free."),
    "luck_unknown": later("Everything was trained once: training luck is unknown."),
    "luck_hides": later(
        "Training luck keeps the answer open: more seeds cost device time only, and nobody has to judge."
    ),
}

WOULD_CHANGE: Mapping[str, str] = {
    "more_judged_queries": later("more judged queries"),
    "errors_mended": later("the errors mended"),
    "better_retrieval": later("a first stage that finds more relevant documents"),
    "better_base_model": later("a stronger base model"),
    "better_teacher": later("a better teacher"),
    "several_seeds": later("training with more seeds"),
    "single_stage_run": later("a single-stage strategy's result"),
    "second_stage_run": later("the second stage's result"),
    "other_margin": later("another margin (locked in a new plan)"),
    "other_prices": later("other prices, or a gain that is worth more"),
    "guardrails_kept": later("a strategy that keeps the guardrails"),
    "other_guardrails": later("other guardrails (locked in a new plan)"),
    "longer_single_stage": later("a plan whose single stage is trained for as long as two stages"),
    "controls_trained": later("the equal-budget controls, trained as well"),
}

GATE: Mapping[str, str] = {
    "go": later("go"),
    "no_go": later("no-go"),
}


def decision_headline(say: Say, result: Mapping[str, Any]) -> str:
    """Return the decision in one sentence."""
    decision = result["decision"]
    code = str(decision["code"])
    headline = HEADLINES[code]
    if code == "repair_first_stage" and result["first_stage"]["oracle"] >= NEARLY_PERFECT:
        headline = NOTHING_TO_WIN  # little to gain, and nothing is missing: there is no first stage to repair
    if code == "stop" and "single_breaks_guardrail" in decision["reasons"]:
        headline = BREAKS_GUARDRAIL  # a gain may well be shown
    return say(headline, **_facts(say, decision))


def _facts(say: Say, decision: Mapping[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = dict(decision["next_numbers"])
    more = n_to_judge(decision["next_numbers"])
    if more is not None:
        facts["n_more_to_judge"] = count(more)
    if "strategy" in facts:
        facts["strategy"] = strategy_name(say, str(facts["strategy"]))
    for role in ("single", "second", "longer"):
        name = decision.get(f"{role}_strategy")
        facts[role] = strategy_name(say, name) if name else ""
    return facts


def decision_reasons(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return the reasons, most important first."""
    facts = _facts(say, result["decision"])
    return [say(REASONS.get(reason, reason), **facts) for reason in result["decision"]["reasons"]]


def decision_in_numbers(say: Say, result: Mapping[str, Any], *, with_locked: bool) -> list[str]:
    """Return what is recommended against the first stage, and what else the decision rests on, as sentences.

    Where nothing is recommended for what the single stage showed, or did not show, it is that. with_locked: answers to
    locked questions, too; they are left out where they stand beside the decision.
    """
    decided = result["decision"]
    shown = decided.get("recommended_strategy")  # not in results of earlier versions
    if decided["code"] in ("stop", "train_more_seeds", "collect_judgments"):
        shown = decided["single_strategy"]
    gain = against_first_stage(result, shown) if shown else None
    sentences = []
    for item in (*([gain] if gain is not None else []), *deciding_comparisons(result)):
        said = comparison_sentence(say, item)
        if not item["confirmatory"]:
            sentences.append(say("{sentence} Exploratory: not corrected for several comparisons.", sentence=said))
        elif with_locked:
            sentences.append(said)
    return sentences


def what_would_change(say: Say, result: Mapping[str, Any]) -> str:
    """Return what would change the decision in one sentence, "" when nothing is named."""
    named = [say(WOULD_CHANGE.get(code, code)) for code in result["decision"]["would_change"]]
    if not named:
        return ""
    return say("What would change this: {list}.", list=say(", ").join(named))


def decision_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return headline, the confirmatory verdicts, reasons and what would change it."""
    confirmatory = [item for item in result["comparisons"] if item["confirmatory"]]
    lines = [
        decision_headline(say, result),
        *(comparison_sentence(say, item) for item in confirmatory),
        *decision_reasons(say, result),
        *guardrail_sentences(say, result),
        what_would_change(say, result),
    ]
    return [line for line in lines if line]


def gate_sentence(say: Say, gate: Mapping[str, Any]) -> str:
    """Return gate 1's recommendation."""
    if gate["recommended"] is None:
        return say("Gate 1 recommends nothing: the plan has no second stage.")
    if gate["recommended"] == "go":
        return say("Gate 1 recommends: go on to the second stage.")
    return say("Gate 1 recommends: do not go on to the second stage.")
