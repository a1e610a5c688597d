"""What more money could buy, and which of it to buy at a budget."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rerank.stats.learning_curve import interval_of
from rerank.stats.more_queries import Outlook

OptionCode = Literal["stop_now", "label_queries", "teacher_scores", "second_stage"]
OptionStatus = Literal[
    "counted",
    "growth_unknown",
    "measured",
    "not_shown",
    "too_dear",
    "breaks_guardrail",
    "teacher_red",
    "no_curve",
    "not_measured",
    "not_planned",
    "no_price",
]
OPTIONS: tuple[OptionCode, ...] = get_args(OptionCode)
OPTION_STATUSES: tuple[OptionStatus, ...] = get_args(OptionStatus)
# A decision that is right this much more often is worth something, whatever the KPI gains.
SURER = 0.1
# Options in these states are shown and never recommended: no gain is shown, or something speaks against it.
_NOT_TO_BUY = ("not_shown", "too_dear", "breaks_guardrail", "teacher_red")


@dataclass(frozen=True)
class Prospect:
    """What an option would bring, on average over what is not known.

    expected_gain, gain_low, gain_high: KPI of what will be in use minus KPI of what is in use now, with its central
    95 %; None where nothing says how the model grows. probability_right: that whatever is then decided is right:
    adopting what is truly above the reference, or leaving what is truly above it by no more than the margin.
    """

    expected_gain: float | None
    gain_low: float | None
    gain_high: float | None
    probability_right: float


def _right(adopted: NDArray[np.bool_], truth: NDArray[np.float64], margin: float) -> float:
    return float(np.mean(np.where(adopted, truth > 0, truth <= margin)))


def stopping(outlook: Outlook, *, adopted: bool) -> Prospect:
    """Return what stopping now brings: nothing, and the decision that stands.

    adopted: whether the challenger is in use.
    """
    in_use = np.full(len(outlook.truth), adopted)
    return Prospect(0.0, 0.0, 0.0, _right(in_use, outlook.truth, outlook.comparison.margin))


def experimenting(
    outlook: Outlook, *, adopted: bool, growth: NDArray[np.float64] | None, n_more: int, alpha: float
) -> Prospect:
    """Return what training the challenger with more and testing it again brings.

    The challenger is adopted when it is then significantly above the reference at `alpha`; one that is in use stays
    unless it is significantly below. growth: draws of how much better it becomes; None when that is not known, the
    probability is then that of a challenger that stays as it is. n_more: further test queries.
    """
    found = outlook.after(n_more, 0.0 if growth is None else growth)
    significant = found.differs(alpha)
    after = ~(significant & (found.difference < 0)) if adopted else significant & (found.difference > 0)
    right = _right(after, found.truth, outlook.comparison.margin)
    if growth is None:
        return Prospect(None, None, None, right)
    gain = np.where(after, found.truth, 0.0) - (outlook.truth if adopted else 0.0)
    return Prospect(*interval_of(gain), right)


def switching(outlook: Outlook) -> Prospect:
    """Return what changing over to the challenger brings, without another test."""
    return Prospect(*interval_of(outlook.truth), float(np.mean(outlook.truth > 0)))


@dataclass(frozen=True)
class Offer:
    """One option at one size: n of what is bought (queries; 0 where there is no amount), cost in USD, prospect.

    beyond: more than 4 times the training queries. cost_usd: None without a price.
    """

    option: OptionCode
    status: OptionStatus
    n: int
    beyond: bool
    cost_usd: float | None
    prospect: Prospect | None


@dataclass(frozen=True)
class Advice:
    """What a budget buys: of each option the best affordable offer, None without one, best first.

    recommended: one of them. from_usd: the lowest cost at which something else than stopping would be recommended,
    None when this budget has it or no budget does.
    """

    budget_usd: float
    rows: tuple[tuple[OptionCode, Offer | None], ...]
    recommended: Offer
    from_usd: float | None


# Decisions that come before whatever a budget buys.
COME_FIRST = ("repair_first_stage", "train_more_seeds")


def held_back(code: str, reasons: Collection[str]) -> bool:
    """Say whether a guardrail or the cost made a decision against a gain: more data would not change that."""
    held = any(reason in reasons for reason in ("single_breaks_guardrail", "single_too_dear"))
    return held and code in ("stop", "adopt_free_baseline")


def _matters(offer: Offer, stop: Offer, margin: float) -> bool:
    """Say whether an offer is worth recommending: it gains the margin, or makes a right decision clearly likelier."""
    if offer.prospect is None or stop.prospect is None or offer.status in _NOT_TO_BUY or offer is stop:
        return False
    surer = round(offer.prospect.probability_right - stop.prospect.probability_right, 3)
    return (offer.prospect.expected_gain or 0.0) >= margin or surer >= SURER


def _merit(offer: Offer) -> tuple[float, float, float]:
    """Return what orders offers: expected gain, then a right decision, as finely as they are shown; then the cost."""
    if offer.prospect is None or offer.cost_usd is None:
        return -math.inf, 0.0, -math.inf
    gain = offer.prospect.expected_gain
    return -math.inf if gain is None else round(gain, 3), round(offer.prospect.probability_right, 2), -offer.cost_usd


def advise(
    offers: Sequence[Offer],
    budget_usd: float,
    margin: float,
    *,
    decided: OptionCode | None = None,
    n_decided: int = 0,
) -> Advice:
    """Return what a budget buys and which of it is recommended.

    offers: `stop_now` must be among them. decided, n_decided: the option that the result's decision names, and of how
    many queries at least; it is recommended wherever the budget buys it, so that advice and decision do not contradict
    each other. An offer counts when it is that, is expected to gain the margin, or makes a right decision likelier by
    `SURER`; of those that the budget buys, the one with the highest expected gain is recommended, the cheaper one of
    equal ones; without any, stopping.
    """
    stop = next(offer for offer in offers if offer.option == "stop_now")

    def named(offer: Offer) -> bool:
        return offer.option == decided and offer.n >= n_decided and offer.status not in _NOT_TO_BUY

    def matters(offer: Offer) -> bool:
        return offer is not stop and decided != "stop_now" and (named(offer) or _matters(offer, stop, margin))

    best: dict[OptionCode, Offer | None] = dict.fromkeys(offer.option for offer in offers)
    ordered = sorted(offers, key=lambda offer: (named(offer), _merit(offer)), reverse=True)
    for offer in ordered:
        if offer.cost_usd is not None and offer.cost_usd <= budget_usd and best[offer.option] is None:
            best[offer.option] = offer
    bought = sorted((offer for offer in best.values() if offer is not None), key=_merit, reverse=True)
    rows = [(offer.option, offer) for offer in bought] + [(code, None) for code, offer in best.items() if offer is None]
    wanted = sorted((offer for offer in bought if matters(offer)), key=named, reverse=True)
    recommended = wanted[0] if wanted else stop
    from_usd = None
    if recommended is stop:
        costs = [item.cost_usd for item in offers if item.cost_usd is not None and matters(item)]
        from_usd = min((cost for cost in costs if cost > budget_usd), default=None)
    return Advice(budget_usd, tuple(rows), recommended, from_usd)
