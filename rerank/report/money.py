"""What every strategy costs, what its gain brings and when it pays: a result under the user's business assumptions."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rerank.cost.amounts import judging_usd
from rerank.cost.benefit import (
    Gain,
    Ranged,
    break_even_month,
    break_even_searches,
    cost_per_point,
    return_on,
)
from rerank.cost.business import Business
from rerank.cost.energy import Energy, carbon_price, device_power, electricity_price, energy_of
from rerank.cost.frontier import dominated_by
from rerank.cost.horizon import Horizon, Spending
from rerank.cost.judging import JudgingWork, judging_work
from rerank.cost.prices import Price, current_prices
from rerank.cost.projection import projected_ms, projected_usd
from rerank.cost.teachers import paid_usd, training_usd
from rerank.decide.evidence import n_to_judge
from rerank.errors import RerankError
from rerank.planning.graph import path_of
from rerank.planning.plan import CONTROLS, FUSION
from rerank.report.comparisons import FIRST, SUCCESS


@dataclass(frozen=True)
class Option:
    """One strategy in money, over the horizon; USD on top of today's search.

    total_usd: without traffic what is paid once. kpi_gain, success: against the first stage, None without a
    test. usd_per_point: of each +.01 KPI, None unless a gain is shown. more_successes, benefit_usd,
    net_usd: with the ends of the gain's interval. returns and break_even_*: the same, None without a value
    or where no gain is shown; the low end of a break-even belongs to the interval's upper end.
    within_*: whether the user's limits are kept, None without a limit or a latency.
    """

    strategy: str
    kpi: float
    kpi_low: float
    kpi_high: float
    spending: Spending
    total_usd: float
    serving_usd: float | None
    kpi_gain: Gain | None
    success: Gain | None
    usd_per_point: Ranged | None
    more_successes: Ranged | None
    benefit_usd: Ranged | None
    net_usd: Ranged | None
    returns: Ranged | None
    break_even_searches: Ranged | None
    break_even_month: Ranged | None
    within_latency: bool | None
    within_serving: bool | None
    dominated_by: str | None = None


@dataclass(frozen=True)
class Step:
    """The second stage on top of the single one: extra cost and what it brings, over the horizon, in USD."""

    reference: str
    challenger: str
    extra_usd: float
    success: Gain | None
    benefit_usd: Ranged | None


@dataclass(frozen=True)
class Projected:
    """One strategy on a GPU: one training, 1,000 searches, p95 and the total, by stated ratios."""

    strategy: str
    train_usd: Ranged
    serve_usd_per_1k: Ranged | None
    p95_ms: Ranged | None
    total_usd: Ranged


@dataclass(frozen=True)
class Money:
    """A result in money.

    horizon: None without traffic. success_measure: a measure's name. recommended: the strategy that the sentences
    are about, None without one. poc_usd: what this experiment spent on devices; poc_judging_usd: the sample's
    judgments. prediction_error: measured over predicted seconds, minus 1. energy: of all starts of the experiment;
    training_energy: of one production training of `recommended`. judging: of the judgments that the decision
    or a re-training asks for. gpu: what `projected` is projected to.
    """

    business: Business
    horizon: Horizon | None
    success_measure: str
    options: Mapping[str, Option]
    recommended: str | None
    step: Step | None
    poc_usd: float
    poc_judging_usd: float
    prediction_error: float
    watts: float | None
    grid: Price | None
    energy: Energy | None
    judging: JudgingWork | None
    gpu: Price | None
    projected: tuple[Projected, ...]


def horizon_of(business: Business) -> Horizon | None:
    """Return the user's horizon, None when no traffic was given."""
    if business.searches_per_month is None:
        return None
    later = business.searches_per_month_later
    return Horizon(
        business.horizon_months,
        business.searches_per_month,
        business.searches_per_month if later is None else later,
        business.retrain_every_months,
    )


def success_measure_of(result: Mapping[str, Any], business: Business) -> str:
    """Return the measure whose gain counts as successful searches."""
    primary: str = result["plan"]["primary_measure"]
    return SUCCESS if business.success_measure == SUCCESS else primary


def _spending(result: Mapping[str, Any], business: Business, name: str) -> Spending:
    if name == FIRST:
        return Spending()
    cost = result["strategies"][name]["cost"]
    training = training_usd(result, business, name)
    retraining = 0.0
    if path_of(name):
        retraining = training
        if any(step.startswith("C") for step in path_of(name)):  # only these learn from judgments
            wage = Price(**result["cost"]["labour_price"])
            retraining += judging_usd(business.judgments_per_training, wage, business.minutes_per_judgment)
    return Spending(
        setup_usd=training + business.to_usd(business.setup_cost),
        retraining_usd=retraining,
        per_search_usd=(cost["serve_usd_per_1k_queries"] or 0.0) / 1000,
        per_month_usd=business.to_usd(business.upkeep_per_month),
    )


def _gain(result: Mapping[str, Any], reference: str, challenger: str, measure: str) -> Gain | None:
    wanted = (reference, challenger, measure)
    for item in result["comparisons"]:
        if (item["reference"], item["challenger"], item["measure"]) == wanted and item["delta"] is not None:
            return Gain(item["delta"], item["ci_low"], item["ci_high"])
    return None


def _limits(result: Mapping[str, Any], business: Business, name: str) -> tuple[bool | None, bool | None]:
    """Return whether p95 and the cost of 1,000 searches are within the user's limits."""
    record = result["strategies"][name]
    p95, serving = record["latency_ms"]["p95"], record["cost"]["serve_usd_per_1k_queries"]
    if name == FIRST:
        return None, None
    latency = None if business.max_latency_ms is None or p95 is None else p95 <= business.max_latency_ms
    if business.max_serving_per_1k is None or serving is None:
        return latency, None
    return latency, serving <= business.to_usd(business.max_serving_per_1k)


def _option(result: Mapping[str, Any], business: Business, name: str) -> Option:
    horizon = horizon_of(business)
    primary = result["plan"]["primary_measure"]
    kpi = result["strategies"][name]["measures"][primary]
    spending = _spending(result, business, name)
    total = spending.setup_usd if horizon is None else spending.total_usd(horizon)
    kpi_gain = _gain(result, FIRST, name, primary)
    success = _gain(result, FIRST, name, success_measure_of(result, business))
    within_latency, within_serving = _limits(result, business, name)
    option = Option(
        strategy=name,
        kpi=kpi,
        kpi_low=kpi if kpi_gain is None else kpi - (kpi_gain.delta - kpi_gain.low),
        kpi_high=kpi if kpi_gain is None else kpi + (kpi_gain.high - kpi_gain.delta),
        spending=spending,
        total_usd=total,
        serving_usd=None if horizon is None else horizon.total_searches * spending.per_search_usd,
        kpi_gain=kpi_gain,
        success=success,
        usd_per_point=None,
        more_successes=None,
        benefit_usd=None,
        net_usd=None,
        returns=None,
        break_even_searches=None,
        break_even_month=None,
        within_latency=within_latency,
        within_serving=within_serving,
    )
    if kpi_gain is not None and kpi_gain.code == "gain_shown":
        values = [cost_per_point(total, delta) for delta in (kpi_gain.delta, kpi_gain.high, kpi_gain.low)]
        option = dataclasses.replace(option, usd_per_point=Ranged(*values))
    if horizon is None or success is None:
        return option
    option = dataclasses.replace(option, more_successes=success.times(horizon.total_searches))
    if business.value_per_success is None:
        return option
    return _with_value(option, success, business.to_usd(business.value_per_success), horizon)


def _with_value(option: Option, success: Gain, value_usd: float, horizon: Horizon) -> Option:
    """Return the option with what its gain brings at a value per success; returns only where a gain is shown."""
    total = option.total_usd
    benefit = success.times(horizon.total_searches * value_usd)
    ends = [end for end in (benefit.value, benefit.low, benefit.high) if end is not None]
    option = dataclasses.replace(option, benefit_usd=benefit, net_usd=Ranged(*(end - total for end in ends)))
    if success.code != "gain_shown":
        return option
    deltas = (success.delta, success.high, success.low)  # the best case needs least traffic and time
    return dataclasses.replace(
        option,
        returns=Ranged(*(return_on(end, total) for end in ends)),
        break_even_searches=Ranged(
            *(break_even_searches(delta * value_usd, option.spending, horizon) for delta in deltas)
        ),
        break_even_month=Ranged(*(break_even_month(delta * value_usd, option.spending, horizon) for delta in deltas)),
    )


def options_of(result: Mapping[str, Any], business: Business) -> dict[str, Option]:
    """Return every strategy of a result in money, in the result's order; controls are nothing to choose."""
    names = [name for name in result["strategies"] if name.removesuffix(FUSION) not in CONTROLS]
    options = {name: _option(result, business, name) for name in names}
    dominating = dominated_by({name: (option.total_usd, option.kpi) for name, option in options.items()})
    return {name: dataclasses.replace(option, dominated_by=dominating[name]) for name, option in options.items()}


def net_benefits(result: Mapping[str, Any], business: Business | None) -> dict[tuple[str, str], float]:
    """Return for each compared pair (reference, challenger) what changing over brings minus its extra cost, USD.

    Over the horizon, by point values: they can hold money back, they show no gain. Empty without traffic or value.
    """
    horizon = horizon_of(business) if business else None
    if business is None or horizon is None or business.value_per_success is None:
        return {}
    measure = success_measure_of(result, business)
    worth = horizon.total_searches * business.to_usd(business.value_per_success)
    means = {name: record["measures"][measure] for name, record in result["strategies"].items()}
    total = {name: _spending(result, business, name).total_usd(horizon) for name in means}
    pairs = {(item["reference"], item["challenger"]) for item in result["comparisons"]}
    return {
        (reference, challenger): (means[challenger] - means[reference]) * worth - (total[challenger] - total[reference])
        for reference, challenger in pairs
        if reference in means and challenger in means
    }


def recommended_strategy(result: Mapping[str, Any]) -> str | None:
    """Return the strategy that the decision is about: the one to adopt, else the best single stage."""
    decision = result["decision"]
    if decision["code"] == "adopt_free_baseline":
        return str(decision["next_numbers"]["strategy"])
    if decision["code"] == "add_second_stage":
        return str(decision["second_strategy"])
    single = decision["single_strategy"]
    return None if single is None else str(single)


def _step(result: Mapping[str, Any], business: Business, options: Mapping[str, Option]) -> Step | None:
    single, second = result["decision"]["single_strategy"], result["decision"]["second_strategy"]
    if single is None or second is None:
        return None
    horizon = horizon_of(business)
    success = _gain(result, single, second, success_measure_of(result, business))
    benefit = None
    if horizon is not None and success is not None and business.value_per_success is not None:
        benefit = success.times(horizon.total_searches * business.to_usd(business.value_per_success))
    extra = options[second].total_usd - options[single].total_usd
    return Step(single, second, extra, success, benefit)


def _judging(result: Mapping[str, Any], business: Business) -> JudgingWork | None:
    """Return the work of the judgments that come next: those that the decision asks for, else a re-training's."""
    if business.n_judges is None or business.judge_hours_per_week is None:
        return None
    more = n_to_judge(result["decision"]["next_numbers"])
    n_judgments = business.judgments_per_training
    if more is not None:
        data = result["dataset"]
        n_judgments = round(more * data["n_judgments"] / max(1, data["n_queries"]))
    return judging_work(
        n_judgments,
        minutes_per_judgment=business.minutes_per_judgment,
        n_judges=business.n_judges,
        hours_per_week=business.judge_hours_per_week,
        usd_per_hour=result["cost"]["labour_price"]["usd"],
    )


def _plus(found: Ranged, usd: float) -> Ranged:
    return Ranged(*(None if end is None else end + usd for end in (found.value, found.low, found.high)))


def _projected(
    result: Mapping[str, Any], business: Business, options: Mapping[str, Option], gpu: Price
) -> tuple[Projected, ...]:
    """Return what each re-ranking strategy would cost on a GPU; what people do costs the same there."""
    ratio = Ranged(business.speed_ratio, business.speed_ratio_low, business.speed_ratio_high)
    hour = result["cost"]["device_price"]["usd"]
    horizon = horizon_of(business)
    found = []
    for name, option in options.items():
        cost, p95 = result["strategies"][name]["cost"], result["strategies"][name]["latency_ms"]["p95"]
        if name == FIRST or hour <= 0:
            continue
        paid = paid_usd(result, business, name)
        training = training_usd(result, business, name) - paid
        n_trainings = 1 + (horizon.n_retrainings() if horizon and path_of(name) else 0)
        computed = n_trainings * training + (option.serving_usd or 0.0)
        rest = option.total_usd - computed
        whole = projected_usd(computed / hour * 3600, ratio, gpu)
        serving = cost["serve_usd_per_1k_queries"]
        found.append(
            Projected(
                strategy=name,
                train_usd=_plus(projected_usd(training / hour * 3600, ratio, gpu), paid),
                serve_usd_per_1k=None if serving is None else projected_usd(serving / hour * 3600, ratio, gpu),
                p95_ms=None if p95 is None else projected_ms(p95, ratio),
                total_usd=_plus(whole, rest),
            )
        )
    return tuple(found)


def _energy(
    result: Mapping[str, Any], business: Business, prices: list[Price]
) -> tuple[float | None, Price | None, Energy | None]:
    """Return watts, grid and the energy of all starts; all None when the price table lacks what is needed."""
    try:
        grid, electricity = carbon_price(business.grid, prices), electricity_price(prices)
        watts = business.watts or device_power(Price(**result["cost"]["device_price"]), prices).usd
    except RerankError:
        return None, None, None
    return watts, grid, energy_of(result["cost"]["job_device_seconds"], watts, grid, electricity)


def money_of(result: Mapping[str, Any], business: Business | None, prices: list[Price] | None = None) -> Money:
    """Return a result in money under the user's assumptions; without any, what can be said without them.

    prices: the price table for GPUs, electricity and grids, by default the current one.
    """
    business = business or Business()
    prices = current_prices() if prices is None else prices
    options = options_of(result, business)
    cost = result["cost"]
    watts, grid, energy = _energy(result, business, prices)
    gpu = next((price for price in prices if price.kind == "gpu" and price.item == business.gpu), None)
    if result["device"]["kind"] != "cpu":
        gpu = None
    return Money(
        business=business,
        horizon=horizon_of(business),
        success_measure=success_measure_of(result, business),
        options=options,
        recommended=recommended_strategy(result),
        step=_step(result, business, options),
        poc_usd=cost["job_usd"],
        poc_judging_usd=judging_usd(
            result["dataset"]["n_judgments"], Price(**cost["labour_price"]), business.minutes_per_judgment
        ),
        prediction_error=cost["job_device_seconds"] / cost["forecast"]["seconds"] - 1,
        watts=watts,
        grid=grid,
        energy=energy,
        judging=_judging(result, business),
        gpu=gpu,
        projected=() if gpu is None else _projected(result, business, options, gpu),
    )
