"""What it costs, what it brings and when it pays, in sentences and tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.cost.benefit import Gain, Ranged
from rerank.cost.business import Business
from rerank.report.comparisons import FIRST, SUCCESS
from rerank.report.money import Money, Option
from rerank.wording.amounts import amount, amounts
from rerank.wording.language import Say, later
from rerank.wording.names import name_of, strategy_name
from rerank.wording.numbers import NOTHING, count, duration, interval, milliseconds, score

GAINS: Mapping[str, str] = {
    "gain_shown": later("gain shown"),
    "no_gain_shown": later("no gain shown"),
    "loss_shown": later("decline shown"),
}


def per_hundred(value: float) -> str:
    """Return a difference of a measure as searches in 100, with a true minus sign."""
    searches = 100 * value
    return (f"{searches:.0f}" if abs(searches) >= 1 or searches == 0 else f"{searches:.1f}").replace("-", "−")


def percent(value: float | None) -> str:
    """Return a return on investment with its sign, in per cent."""
    return NOTHING if value is None else f"{100 * value:+,.0f}%".replace("-", "−")


def gain_sentence(say: Say, success: Gain, measure: str) -> str:
    """Return what a gain means for searches, with its plausible range."""
    facts = {"n": per_hundred(success.delta), "low": per_hundred(success.low), "high": per_hundred(success.high)}
    if success.code != "gain_shown":
        said = say(
            "No gain in {measure} is shown: of 100 searches between {low} and {high} more would succeed.",
            measure=measure,
            **facts,
        )
        if success.code == "loss_shown":
            said = say(
                "A decline in {measure} is shown: of 100 searches between {low} and {high} more would succeed.",
                measure=measure,
                **facts,
            )
        return said
    if measure == SUCCESS:
        return say(
            "Of 100 searches, {n} more have a relevant document first; plausible range {low} to {high}.", **facts
        )
    return say(
        "Assuming that +0.01 {measure} is one more successful search in 100: of 100 searches, {n} more succeed; "
        "plausible range {low} to {high}.",
        measure=measure,
        **facts,
    )


def cost_sentence(say: Say, money: Money, option: Option) -> str:
    """Return what one strategy costs: once, per re-training, per search, in all; and where integration is left at 0."""
    found = _cost_sentence(say, money, option)
    if money.business.setup_cost > 0:
        return found
    return say.joined([found, say("The cost of integration is counted as 0.")])


def _cost_sentence(say: Say, money: Money, option: Option) -> str:
    business, spending, horizon = money.business, option.spending, money.horizon
    name = strategy_name(say, option.strategy)
    once = amount(say, spending.setup_usd, business)
    thousand = amount(say, spending.per_search_usd * 1000, business)
    if horizon is None:
        return say(
            "{strategy} costs {once} once and {serving} per 1,000 searches.", strategy=name, once=once, serving=thousand
        )
    facts = {
        "strategy": name,
        "total": amount(say, option.total_usd, business),
        "months": horizon.months,
        "once": once,
        "serving": amount(say, option.serving_usd, business),
        "searches": count(round(horizon.total_searches)),
        "upkeep": amount(say, spending.per_month_usd, business),
    }
    if spending.retraining_usd > 0 and horizon.n_retrainings() > 0:
        return say(
            "{strategy} costs {total} over {months} months: {once} once, {n} × {retraining} for training again, "
            "{serving} to serve {searches} searches, {upkeep} a month of upkeep.",
            n=horizon.n_retrainings(),
            retraining=amount(say, spending.retraining_usd, business),
            **facts,
        )
    return say(
        "{strategy} costs {total} over {months} months: {once} once, {serving} to serve {searches} searches, "
        "{upkeep} a month of upkeep.",
        **facts,
    )


def _months(say: Say, found: Ranged | None) -> tuple[str, str, str]:
    if found is None:
        return NOTHING, NOTHING, NOTHING
    never = say("not within the horizon")
    ends = (found.value, found.low, found.high)
    shown = [never if end is None else say("month {n}", n=round(end)) for end in ends]
    return shown[0], shown[1], shown[2]


def _traffic(say: Say, found: Ranged | None) -> tuple[str, str, str]:
    if found is None:
        return NOTHING, NOTHING, NOTHING
    never = say("no traffic is enough")
    ends = (found.value, found.low, found.high)
    shown = [never if end is None else count(round(end)) for end in ends]
    return shown[0], shown[1], shown[2]


def pay_sentences(say: Say, money: Money, option: Option) -> list[str]:
    """Return benefit, return, break-even month and break-even traffic; nothing of it where no gain is shown."""
    business, horizon = money.business, money.horizon
    if horizon is None or business.value_per_success is None:
        return [
            say("Give searches per month and the value of a successful search to see what it brings and when it pays.")
        ]
    if option.benefit_usd is None or option.success is None:
        return [say("The gain in {measure} was not measured: no benefit can be said.", measure=money.success_measure)]
    benefit = say(
        "Over {months} months that is worth {benefit}.",
        months=horizon.months,
        benefit=amounts(say, option.benefit_usd, business),
    )
    if option.success.code != "gain_shown":
        return [benefit, say("No return and no break-even is given, because no gain is shown.")]
    found = [benefit]
    if option.returns is not None:
        roi = option.returns
        found.append(
            say(
                "Return on what is spent: {roi} (between {low} and {high}).",
                roi=percent(roi.value),
                low=percent(roi.low),
                high=percent(roi.high),
            )
        )
    month, early, late = _months(say, option.break_even_month)
    found.append(say("It pays back: {month} (at best {early}, at worst {late}).", month=month, early=early, late=late))
    traffic, few, many = _traffic(say, option.break_even_searches)
    found.append(
        say(
            "Break-even traffic, searches per month: {traffic} (at best {few}, at worst {many}); you have {now} now.",
            traffic=traffic,
            few=few,
            many=many,
            now=count(round(horizon.searches_now)),
        )
    )
    return found


def step_sentence(say: Say, money: Money) -> str:
    """Return what the second stage costs and brings on top of the single one, "" without one."""
    step = money.step
    if step is None:
        return ""
    facts = {
        "second": strategy_name(say, step.challenger),
        "single": strategy_name(say, step.reference),
        "extra": amount(say, step.extra_usd, money.business),
    }
    if step.success is None:
        return say("{second} costs {extra} more than {single}.", **facts)
    facts["gain"] = say(GAINS[step.success.code])
    facts["range"] = interval(step.success.low, step.success.high)
    facts["measure"] = money.success_measure
    if step.benefit_usd is None:
        return say("{second} costs {extra} more than {single}; in {measure}: {gain}, 95 % interval {range}.", **facts)
    return say(
        "{second} costs {extra} more than {single} and brings {benefit}; in {measure}: {gain}, 95 % interval {range}.",
        benefit=amounts(say, step.benefit_usd, money.business),
        **facts,
    )


def money_sentences(say: Say, money: Money) -> list[str]:
    """Return what the recommended strategy costs, brings and when it pays, and what the second stage adds."""
    found = []
    option = money.options.get(money.recommended) if money.recommended else None
    if option is not None and option.strategy != FIRST:
        found.append(cost_sentence(say, money, option))
        if option.success is not None:
            found.append(gain_sentence(say, option.success, money.success_measure))
        found += pay_sentences(say, money, option)
    return [line for line in (*found, step_sentence(say, money)) if line]


def money_table(say: Say, money: Money) -> pd.DataFrame:
    """Return one row per strategy: total cost, cost per +.01, benefit, return, break-even, what dominates it."""
    business = money.business
    total = (
        say("Paid once") if money.horizon is None else say("Total cost, {months} months", months=money.horizon.months)
    )
    rows = []
    for name, option in money.options.items():
        reference = name == FIRST
        no_gain = "" if reference or option.kpi_gain is None else say(GAINS[option.kpi_gain.code])
        row = {
            say("Strategy"): strategy_name(say, name),
            "KPI": score(option.kpi),
            total: amount(say, option.total_usd, business),
            say("Cost per +0.01 KPI"): no_gain
            if option.usd_per_point is None
            else amounts(say, option.usd_per_point, business),
        }
        if money.horizon is not None and business.value_per_success is not None:
            unshown = "" if reference or option.success is None else say(GAINS[option.success.code])
            shown = option.success is not None and option.success.code == "gain_shown"
            row |= {
                say("Benefit"): "" if reference else amounts(say, option.benefit_usd, business),
                say("Return"): percent(option.returns.value) if shown and option.returns else unshown,
                say("Break-even month"): _months(say, option.break_even_month)[0] if shown else unshown,
                say("Break-even traffic"): _traffic(say, option.break_even_searches)[0] if shown else unshown,
            }
        row[say("At least as good by point value, not dearer (not tested)")] = (
            "" if option.dominated_by is None else strategy_name(say, option.dominated_by)
        )
        rows.append(row)
    return pd.DataFrame(rows)


def scale_sentence(say: Say, money: Money, option: Option) -> str:
    """Return the effect in the first and in the last month: short term against long-term scale."""
    horizon = money.horizon
    if horizon is None or option.success is None:
        return say("Not given: searches per month now and at the horizon.")
    first, last = (horizon.searches(month) * option.success.delta for month in (1, horizon.months))
    facts = {
        "now": count(round(horizon.searches_now)),
        "later": count(round(horizon.searches_later)),
        "first": _signed(first),
        "last": _signed(last),
        "months": horizon.months,
        "gain": say(GAINS[option.success.code]),
    }
    return say(
        "{now} searches a month now, {later} in {months} months. More successful searches: {first} in the first "
        "month, {last} in the last one ({gain}).",
        **facts,
    )


def _signed(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−")


def capacity_sentence(say: Say, money: Money) -> str:
    """Return what the judges can do and how long what comes next would take them."""
    business, work = money.business, money.judging
    if work is None or business.n_judges is None or business.judge_hours_per_week is None:
        return say("Not given: judges and their hours per week.")
    a_week = business.n_judges * business.judge_hours_per_week * 60 / business.minutes_per_judgment
    if work.n_judgments == 0:
        return say("{n} judgments a week. No further judgments are asked for.", n=count(int(a_week)))
    return say(
        "{n} judgments a week. The {next} judgments that come next take {days} working days and cost {cost}.",
        n=count(int(a_week)),
        next=count(work.n_judgments),
        days=count(max(1, round(work.working_days))),
        cost=amount(say, work.usd, business),
    )


def limits_sentence(
    say: Say, money: Money, option: Option, p95_ms: float | None, guardrail_ms: float | None = None
) -> str:
    """Return whether operating cost and latency are what the user accepts.

    guardrail_ms: the latency limit that was locked with the plan: it decides, the user's own is only shown.
    """
    business = money.business
    parts = []
    if guardrail_ms is not None and p95_ms is not None:
        facts = {"p95": milliseconds(p95_ms), "limit": milliseconds(guardrail_ms)}
        if p95_ms <= guardrail_ms:
            parts.append(say("p95 latency {p95} keeps the plan's guardrail of {limit}.", **facts))
        else:
            parts.append(say("p95 latency {p95} breaks the plan's guardrail of {limit}.", **facts))
    if option.within_latency is not None:
        facts = {"p95": milliseconds(p95_ms), "limit": milliseconds(business.max_latency_ms)}
        fits = say("p95 latency {p95} is within {limit}.", **facts)
        parts.append(fits if option.within_latency else say("p95 latency {p95} exceeds {limit}.", **facts))
        if not option.within_latency and guardrail_ms is None:
            parts.append(say("This limit is shown and does not decide: one that decides is a guardrail of the plan."))
    if option.within_serving is not None and business.max_serving_per_1k is not None:
        facts = {
            "cost": amount(say, option.spending.per_search_usd * 1000, business),
            "limit": amount(say, business.to_usd(business.max_serving_per_1k), business),
        }
        fits = say("1,000 searches at {cost} are within {limit}.", **facts)
        parts.append(fits if option.within_serving else say("1,000 searches at {cost} exceed {limit}.", **facts))
    if not parts:
        return say(
            "p95 latency {p95}; 1,000 searches cost {cost} to serve. Not given: what you accept of both.",
            p95=milliseconds(p95_ms),
            cost=amount(say, option.spending.per_search_usd * 1000, business),
        )
    return say.joined(parts)


def criteria(say: Say, result: Mapping[str, Any], money: Money) -> pd.DataFrame:
    """Return the three criteria that managers weigh, for the recommended strategy; empty without one."""
    if money.recommended is None:
        return pd.DataFrame()
    option = money.options[money.recommended]
    p95 = result["strategies"][option.strategy]["latency_ms"]["p95"]
    guardrail = result["plan"].get("guardrails", {}).get("max_p95_latency_ms")
    rows = {
        say("Short-term effect against long-term scale"): scale_sentence(say, money, option),
        say("In-house evaluation capacity"): capacity_sentence(say, money),
        say("Operating cost"): limits_sentence(say, money, option, p95, guardrail),
    }
    return pd.DataFrame({say("Criterion"): list(rows), strategy_name(say, option.strategy): list(rows.values())})


def background_sentences(say: Say, result: Mapping[str, Any], money: Money) -> list[str]:
    """Return this experiment's own cost, predicted against measured, and energy."""
    cost, business = result["cost"], money.business
    forecast = cost["forecast"]
    found = [
        say(
            "This proof of concept by itself: {usd} of device time for all trainings and rankings; the sample's "
            "judgments would cost about {judging}. One production training is counted separately, above.",
            usd=amount(say, money.poc_usd, business),
            judging=amount(say, money.poc_judging_usd, business),
        ),
        say(
            "Predicted before: {predicted} ({low} to {high}); measured after: {measured}. Prediction error: {error}.",
            predicted=duration(forecast["seconds"], say),
            low=duration(forecast["seconds_low"], say),
            high=duration(forecast["seconds_high"], say),
            measured=duration(cost["job_device_seconds"], say),
            error=percent(money.prediction_error),
        ),
    ]
    if money.energy is not None and money.grid is not None:
        found.append(
            say(
                "Estimate of its energy: {kwh} kWh at {watts} W, {co2e} g CO₂e ({grid}, {g} g per kWh, {as_of}, "
                "{source}). Electricity alone would cost {cost}; a rented machine's price holds it already.",
                kwh=f"{money.energy.kwh:,.3f}",
                watts=f"{money.watts:,.0f}",
                co2e=f"{money.energy.co2e_g:,.1f}",
                grid=name_of(say, GRIDS, money.grid.item),
                g=f"{money.grid.usd:,.0f}",
                as_of=money.grid.as_of,
                source=money.grid.source,
                cost=amount(say, money.energy.usd, business),
            )
        )
    return found


GRIDS: Mapping[str, str] = {"Japan grid": later("Japan grid"), "World grid": later("World grid")}


def projection_table(say: Say, money: Money) -> pd.DataFrame:
    """Return costs and latency on the GPU that they are projected to; empty without a projection."""
    business = money.business
    total = (
        say("Paid once") if money.horizon is None else say("Total cost, {months} months", months=money.horizon.months)
    )
    return pd.DataFrame(
        [
            {
                say("Strategy"): strategy_name(say, row.strategy),
                say("Projected: one training"): amounts(say, row.train_usd, business),
                say("Projected: 1,000 searches"): amounts(say, row.serve_usd_per_1k, business),
                say("Projected: latency p95"): NOTHING if row.p95_ms is None else milliseconds(row.p95_ms.value),
                say("Projected: {what}", what=total): amounts(say, row.total_usd, business),
            }
            for row in money.projected
        ]
    )


def projection_sentence(say: Say, money: Money) -> str:
    """Return what the projection rests on, "" without one."""
    gpu, business = money.gpu, money.business
    if gpu is None:
        return ""
    return say(
        "A projection, not a measurement: this CPU's seconds divided by {ratio} ({low} to {high}), at {price} an hour "
        "for {gpu} ({as_of}, {price_source}). Source of the ratio: {source}.",
        ratio=f"{business.speed_ratio:g}",
        low=f"{business.speed_ratio_low:g}",
        high=f"{business.speed_ratio_high:g}",
        price=amount(say, gpu.usd, business),
        gpu=gpu.item,
        as_of=gpu.as_of,
        price_source=gpu.source,
        source=business.ratio_source or say("a rule of thumb, not a measurement"),
    )


def stated_sentence(say: Say, business: Business) -> str:
    """Return which assumptions the money rests on: when they were stated, currency and rate."""
    if not business.stated_at:
        return say("No business assumptions were given.")
    facts = {"at": business.stated_at[:16].replace("T", " ")}
    if business.currency == "USD":
        return say("Business assumptions of {at} (UTC), amounts in US dollars.", **facts)
    return say(
        "Business assumptions of {at} (UTC), amounts in {currency} at {rate} per US dollar, your rate of {rate_as_of}.",
        currency=business.currency,
        rate=f"{business.per_usd:g}",
        rate_as_of=business.rate_as_of,
        **facts,
    )
