"""Where the next money should go, in sentences and a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.cost.business import Business
from rerank.decide.evidence import n_to_judge
from rerank.decide.next_money import COME_FIRST, Advice, Offer, Prospect, held_back
from rerank.stats.learning_curve import FAR, NEAR
from rerank.wording.amounts import amount
from rerank.wording.language import Say, later
from rerank.wording.names import name_of, strategy_name
from rerank.wording.numbers import NOTHING, count, delta, interval, score, share

OPTION_NAMES: Mapping[str, str] = {
    "stop_now": later("Stop now"),
    "label_queries": later("Judge more queries"),
    "teacher_scores": later("Buy teacher scores for more queries"),
    "second_stage": later("Add the second stage"),
}
STATUSES: Mapping[str, str] = {
    "counted": "",
    "growth_unknown": later("Cannot tell how much better the model would become."),
    "measured": later("Measured, and shown to be better."),
    "not_shown": later("Measured, but not shown to be better: not recommended."),
    "too_dear": later("Brings less than it costs at the traffic and value given: not recommended."),
    "breaks_guardrail": later("Breaks a guardrail of the plan: not recommended."),
    "teacher_red": later("The teacher is worse than what is free: not recommended."),
    "no_curve": later("Cannot tell: no learning curve of this strategy says what more queries bring."),
    "not_measured": later("Not measured in this experiment: nothing is guessed."),
    "not_planned": later("Not in the plan."),
    "no_price": later("The price table has no price for it."),
}
CURVES: Mapping[str, str] = {
    "projected": later(
        "The learning curve of {strategy} is still rising: with 4 times the training queries {gain} {measure} is "
        "expected (95 % interval {interval})."
    ),
    "plateau": later(
        "The learning curve of {strategy} shows no rise of the margin of {margin} {measure} or more with 4 times the "
        "training queries: {gain} is expected, 95 % interval {interval}."
    ),
    "too_few_points": later(
        "What more training queries bring cannot be told: the learning curve of {strategy} has {n} points, at least 3 "
        "different sizes are needed."
    ),
    "too_few_queries": later("What more training queries bring cannot be told: there are fewer than 15 test queries."),
    "rise_not_shown": later(
        "What more training queries bring cannot be told: the learning curve of {strategy} is noisy, its rise so far is "
        "not shown and a further one not excluded."
    ),
    "falls": later(
        "What more training queries bring cannot be told: {strategy} got worse with more of them, which no saturating "
        "curve explains."
    ),
}
BASIS = later(
    "This rests on {n} points (trainings behind each: {trainings}) and assumes that more training queries never hurt."
)
FITTED = ("projected", "plateau")  # what these say rests on the fit
NO_CURVE = later("What more training queries bring cannot be told: the plan has no learning curve of {strategy}.")
ASSUMPTIONS: Mapping[str, str] = {
    "same_population": later("Further queries are like the present ones, with as many judgments each."),
    "adopted_if_shown": later(
        "After the next experiment {strategy} is used if it is then shown to be better, by the rules of this plan."
    ),
    "power_law": later(
        "The KPI follows a power law that saturates below the KPI of a perfect order; more training queries never hurt."
    ),
    "curve_of_plain_form": later("The curve is that of the strategy without fusion."),
    "luck_assumed": later("Every point was trained once: how much is training luck is assumed, not measured."),
    "model_stays": later(
        "The probability counts further test queries only, as if more training queries changed nothing."
    ),
    "experiment_repeated": later(
        "The cost includes repeating the experiment for this strategy and one training to ship."
    ),
    "judging_time": later("Judgments cost the time per judgment and the hourly wage stated above."),
    "teacher_as_language_model": later(
        "A teacher's scores cost what the dearest language model of the price table takes to read every candidate."
    ),
    "teacher_on_device": later("The teacher is the program's own and costs device time only."),
    "measured_as_it_is": later("The second stage is counted as it was measured, with the data of now."),
    "exploratory": later("It is compared with what is in use now; that is not one of the locked questions."),
}


def option_name(say: Say, code: str) -> str:
    """Return an option's name."""
    return name_of(say, OPTION_NAMES, code)


def _gain(prospect: Prospect | None) -> dict[str, str]:
    if prospect is None:
        return {"gain": NOTHING, "range": NOTHING}
    return {"gain": delta(prospect.expected_gain), "range": interval(prospect.gain_low, prospect.gain_high)}


def _right(prospect: Prospect | None) -> str:
    return NOTHING if prospect is None else share(prospect.probability_right)


def _held_back(result: Mapping[str, Any]) -> bool:
    """Say whether what is right is not a matter of the KPI alone."""
    return held_back(result["decision"]["code"], result["decision"].get("reasons", ()))


def _strategy(say: Say, result: Mapping[str, Any], code: str) -> str:
    options = result["next_money"]["options"]
    name = next((item["strategy"] for item in options if item["option"] == code), None)
    return strategy_name(say, name) if name else NOTHING


def recommendation(say: Say, result: Mapping[str, Any], advice: Advice, business: Business) -> str:
    """Return where a budget should go, in one to three sentences."""
    offer = advice.recommended
    stop = next(found for code, found in advice.rows if code == "stop_now")
    facts: dict[str, object] = {
        "budget": amount(say, advice.budget_usd, business),
        "cost": amount(say, offer.cost_usd, business),
        "n": count(offer.n),
        "strategy": _strategy(say, result, offer.option),
        "measure": result["plan"]["primary_measure"],
        "margin": score(result["plan"]["margin"]),
        "p": _right(offer.prospect),
        "stop": _right(stop.prospect if stop else None),
        **_gain(offer.prospect),
    }
    code = result["decision"]["code"]
    if code in COME_FIRST:
        return say("With {budget}: none of these. The decision comes first.", **facts)
    if _held_back(result):
        return say(
            "With {budget}: buy nothing more. The single stage is not held back for want of data: see the reasons of the "
            "decision.",
            **facts,
        )
    if offer.option == "stop_now":
        sentence, from_on = _NOTHING_TO_BUY
        asked = n_to_judge(result["decision"]["next_numbers"]) if code == "collect_judgments" else None
        if asked is not None:
            sentence, from_on = _TOO_MUCH_ASKED
            facts["asked"] = count(asked)
        parts = [say(sentence, **facts)]
        if advice.from_usd is not None:
            parts.append(say(from_on, usd=amount(say, advice.from_usd, business)))
        return say.joined(parts)
    bought = _BUYS[offer.option]
    parts = [say(bought, **facts)]
    if offer.prospect is not None and offer.prospect.expected_gain is not None:
        parts.append(
            say(
                "Expected gain {gain} {measure}, 95 % interval {range}; the decision is then right with a probability of "
                "{p} (stopping now: {stop}).",
                **facts,
            )
        )
    else:
        parts.append(
            say(
                "How much better the model would become cannot be told; the decision is then right with a probability of "
                "{p} (stopping now: {stop}).",
                **facts,
            )
        )
    if offer.beyond:
        parts.append(beyond_sentence(say))
    if code in ("stop", "adopt_free_baseline"):
        parts.append(
            say("The decision is about what was measured; this is about what a model taught by more queries may reach.")
        )
    return say.joined(parts)


# What is said when nothing is bought, and from which budget on that changes.
_NOTHING_TO_BUY = (
    later(
        "With {budget}: buy nothing more. After the decision {strategy} is in use; nothing that this buys is expected "
        "to gain the margin of {margin} {measure}, or makes a right decision clearly likelier than it is now ({stop})."
    ),
    later("From {usd} on, something would."),
)
_TOO_MUCH_ASKED = (
    later(
        "With {budget}: buy nothing yet. The {asked} more queries that the decision asks "
        "for cost more than that, or are more than can be projected."
    ),
    later("They are within reach from {usd} on."),
)
_BUYS: Mapping[str, str] = {
    "label_queries": later("With {budget}: judge {n} more queries and train {strategy} with them, for {cost}."),
    "teacher_scores": later(
        "With {budget}: buy teacher scores for {n} more queries and train {strategy} with them, for {cost}."
    ),
    "second_stage": later("With {budget}: add the second stage ({strategy}), for {cost}."),
}


def beyond_sentence(say: Say) -> str:
    """Return the warning that belongs to everything beyond 4 times the training queries."""
    return say(
        "That is beyond {near} times the training queries of now: an extrapolation that nothing here supports. Beyond "
        "{far} times nothing is projected.",
        near=f"{NEAR:.0f}",
        far=f"{FAR:.0f}",
    )


def curve_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return what the learning curve says about more training queries, or why it says nothing."""
    found = result["next_money"]["curve"]
    measure, margin = result["plan"]["primary_measure"], score(result["plan"]["margin"])
    if found is None:
        return say(NO_CURVE, strategy=strategy_name(say, result["next_money"]["strategy"]))
    facts: dict[str, object] = {
        "strategy": strategy_name(say, found["strategy"]),
        "n": found["n_points"],
        "measure": measure,
        "margin": margin,
    }
    near = [point for point in found["points"] if not point["beyond"]]
    if near:
        last = near[-1]
        facts |= {"gain": delta(last["growth"]), "interval": interval(last["growth_low"], last["growth_high"])}
    sentence = CURVES[found["status"]]
    if found["status"] not in FITTED:
        return say(sentence, **facts)
    return say.joined([say(sentence, **facts), say(BASIS, n=found["n_points"], trainings=_trainings(say, result))])


def _trainings(say: Say, result: Mapping[str, Any]) -> str:
    """Return how many trainings are behind each point of the curve; the last one has all seeds of the plan."""
    name, n_seeds = result["next_money"]["curve"]["strategy"], len(result["plan"]["seeds"])
    numbers = [
        n_seeds if point["share"] == 1.0 else point["n_seeds"]
        for point in result["learning_curve"]
        if point["strategy"] == name
    ]
    low, high = min(numbers), max(numbers)
    return count(low) if low == high else say("{low} to {high}", low=count(low), high=count(high))


def fit_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return what line and band of the projected curve are."""
    return say(
        "The line is fitted to all {n} points and need not pass through any of them. The band is the 95 % interval of "
        "the KPI at that size, not that of the gain; the table has both.",
        n=result["next_money"]["curve"]["n_points"],
    )


def right_sentence(say: Say, result: Mapping[str, Any]) -> str:
    """Return what gain and a right decision mean in the table of options, and what their probability leaves out."""
    said = say(
        "Gain: KPI of what will be in use minus KPI of what is in use now, on average over what is not known. "
        "A decision is right when it uses what is truly better, or leaves what is truly better by no more than "
        "the margin. Each option is shown at the size that is expected to gain most within the budget; the "
        "cheaper one of equal sizes."
    )
    if len(result["plan"]["seeds"]) > 1:
        return said
    return say.joined(
        [said, say("Everything was trained once: training luck is not in the comparison behind the probability.")]
    )


def assumption_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return every assumption of every option, each once."""
    found: dict[str, None] = {}
    for option in result["next_money"]["options"]:
        name = strategy_name(say, option["strategy"]) if option["strategy"] else NOTHING
        for code in option["assumptions"]:
            sentence = ASSUMPTIONS[code]
            found[say(sentence, strategy=name)] = None
    return list(found)


def option_table(say: Say, result: Mapping[str, Any], advice: Advice, business: Business) -> pd.DataFrame:
    """Return one row per option at the budget: what it buys, cost, gain with its interval, probability, remarks."""
    statuses = {item["option"]: item for item in result["next_money"]["options"]}
    bought = dict(advice.rows)
    codes = [*(code for code, _ in advice.rows), *(code for code in statuses if code not in bought)]
    rows = []
    for code in codes:
        offer = bought.get(code)
        remark = _remark(say, statuses[code], offer)
        prospect = offer.prospect if offer else None
        rows.append(
            {
                say("Option"): option_name(say, code),
                say("More queries"): count(offer.n) if offer and offer.n else NOTHING,
                say("Cost"): amount(say, offer.cost_usd if offer else None, business),
                say("Expected gain"): _gain(prospect)["gain"],
                say("95 % interval"): _gain(prospect)["range"],
                say("Probability that the decision is right"): NOTHING if _held_back(result) else _right(prospect),
                say("Remark"): remark,
            }
        )
    return pd.DataFrame(rows)


def _remark(say: Say, option: Mapping[str, Any], offer: Offer | None) -> str:
    if offer is None and option["offers"] and option["status"] != "no_price":
        return say("Not within this budget.")
    text = STATUSES[option["status"]]
    parts = [say(text)] if text else []
    if offer is not None and offer.beyond:
        parts.append(say("Beyond {n} times the training queries: extrapolated.", n=f"{NEAR:.0f}"))
    return say.joined(parts)


def projection_table(say: Say, result: Mapping[str, Any]) -> pd.DataFrame:
    """Return the projected learning curve: training queries, KPI and its interval, and what is extrapolated."""
    found = result["next_money"]["curve"]
    rows = [
        {
            say("Training queries"): count(point["n_train_queries"]),
            result["plan"]["primary_measure"]: score(point["kpi"]),
            say("95 % interval"): say("{low} to {high}", low=score(point["kpi_low"]), high=score(point["kpi_high"])),
            say("Gain over now"): delta(point["growth"]),
            say("95 % interval of the gain"): interval(point["growth_low"], point["growth_high"]),
            say("Extrapolated"): say("yes") if point["beyond"] else say("no"),
        }
        for point in found["points"]
    ]
    return pd.DataFrame(rows)
