"""What a budget buys, from a stored result and today's prices."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rerank.cost.business import Business
from rerank.cost.prices import Price, current_prices
from rerank.decide.evidence import n_to_judge
from rerank.decide.next_money import COME_FIRST, Advice, Offer, OptionCode, Prospect, advise, held_back
from rerank.report.next_money import FACTORS
from rerank.report.rates import rates_of

# The option that a decision names.
_DECIDED: Mapping[str, OptionCode] = {
    "add_second_stage": "second_stage",
    "collect_judgments": "label_queries",
    **dict.fromkeys(COME_FIRST, "stop_now"),
}


def offers_of(result: Mapping[str, Any], business: Business | None, prices: Sequence[Price]) -> list[Offer]:
    """Return every offer of a stored result, counted at the result's hourly prices and the user's minutes.

    prices: the table that a teacher's tokens are counted at.
    """
    rates = rates_of(result["cost"], business, prices)
    found = []
    for option in result["next_money"]["options"]:
        for item in option["offers"]:
            prospect = None
            if item["probability_right"] is not None:
                prospect = Prospect(*(item[name] for name in Prospect.__dataclass_fields__))
            found.append(
                Offer(option["option"], option["status"], item["n_queries"], item["beyond"], rates.usd(item), prospect)
            )
    return found


def budgets_of(offers: Sequence[Offer]) -> list[float]:
    """Return round amounts of USD (1, 2, 5 and their multiples by 10) from 0 to what buys the dearest offer."""
    costs = [offer.cost_usd for offer in offers if offer.cost_usd]
    if not costs:
        return [0.0]
    found = [0.0]
    for power in range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1):
        for digit in (1, 2, 5):
            amount = float(f"{digit}e{power}")
            if found[-1] < max(costs):
                found.append(amount)
    return found


def usual_budget(result: Mapping[str, Any], offers: Sequence[Offer], budgets: Sequence[float]) -> float:
    """Return the lowest of some budgets that buys the queries that the decision asks for, else as many as now again.

    Where nothing can be labelled at a price, the lowest that buys anything.
    """
    labels = [offer for offer in offers if offer.option == "label_queries" and offer.cost_usd is not None]
    most = max((offer.n for offer in labels), default=0)
    asked = n_to_judge(result["decision"]["next_numbers"])
    wanted = most / (FACTORS[-1] - 1) if asked is None else asked
    enough = [offer for offer in labels if offer.n >= round(wanted)] or labels[-1:] or list(offers)
    cost = enough[0].cost_usd or 0.0
    return next((budget for budget in budgets if budget >= cost), budgets[-1])


def advice_of(
    result: Mapping[str, Any],
    business: Business | None,
    budget_usd: float | None = None,
    prices: list[Price] | None = None,
) -> Advice | None:
    """Return what a budget buys, by default the usual one; None for a result without options."""
    if not result.get("next_money"):
        return None
    offers = offers_of(result, business, current_prices() if prices is None else prices)
    if budget_usd is None:
        budget_usd = usual_budget(result, offers, budgets_of(offers))
    code = result["decision"]["code"]
    return advise(
        offers,
        budget_usd,
        result["plan"]["margin"],
        decided="stop_now" if held_back(code, result["decision"]["reasons"]) else _DECIDED.get(code),
        n_decided=(n_to_judge(result["decision"]["next_numbers"]) or 0) if code == "collect_judgments" else 0,
    )
