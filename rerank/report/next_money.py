"""Where the next money should go: what a result says about more judged queries, teacher scores or a second stage."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.cost.business import Business
from rerank.cost.prices import current_prices
from rerank.decide.evidence import n_to_judge
from rerank.decide.next_money import OptionCode, OptionStatus, Prospect, experimenting, stopping, switching
from rerank.planning.graph import path_of
from rerank.planning.plan import FUSION, TWO_STAGE
from rerank.planning.splits import evaluable_queries
from rerank.report.comparisons import FIRST, family_size, scores_of
from rerank.report.ran import Ran, StrategyRun
from rerank.report.rates import Rates, rates_of
from rerank.stats.compare import compare
from rerank.stats.comparison import Comparison
from rerank.stats.deciding import seed_variance
from rerank.stats.learning_curve import NEAR, Curve, Projection, interval_of, project, status_of, why_not_fitted
from rerank.stats.more_queries import outlook_of

# How many times as much as now is offered; nothing is offered beyond the last one.
FACTORS = (1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.5, 8.0, 10.0)
SHIPPED = ("adopt_single_stage", "add_second_stage", "repair_teacher")  # decisions that put the single stage in use
# Every code that an option's `assumptions` can hold: each has a sentence in `rerank.wording.next_money`.
ASSUMPTIONS = (
    "same_population",
    "adopted_if_shown",
    "power_law",
    "curve_of_plain_form",
    "luck_assumed",
    "model_stays",
    "experiment_repeated",
    "judging_time",
    "teacher_as_language_model",
    "teacher_on_device",
    "measured_as_it_is",
    "exploratory",
)


@dataclass(frozen=True)
class _Work:
    """What an offer takes: judgments, tokens that a teacher reads, seconds of the device."""

    n_judgments: int = 0
    n_teacher_tokens: int = 0
    device_seconds: float = 0.0


@dataclass(frozen=True)
class _Known:
    """One strategy's learning curve: its own name, what it is good for, its projection if it could be fitted.

    extra: unlabelled queries that every point learnt from besides.
    """

    strategy: str
    status: str
    n_points: int
    n_now: int
    extra: int
    luck_seen: bool
    projection: Projection | None

    @property
    def tells(self) -> bool:
        """Say whether growth can be read from it."""
        return self.status in ("projected", "plateau")

    def growth(self, factor: float) -> NDArray[np.float64] | None:
        """Return draws of the growth with `factor` times as many queries to learn from; None when it cannot tell."""
        return self.projection.growth(factor) if self.projection is not None and self.tells else None


@dataclass(frozen=True)
class _Case:
    """What options are computed from."""

    ran: Ran
    by_seed: pd.DataFrame
    curves: Mapping[str, _Known]
    rates: Rates
    decision: Mapping[str, Any]
    runs: Mapping[str, StrategyRun] = field(default_factory=dict)

    def compared(self, reference: str, challenger: str) -> Comparison:
        """Return a comparison on the KPI, at the plan's own alpha."""
        plan = self.ran.plan
        return compare(
            scores_of(self.ran, self.by_seed, reference, plan.primary_measure),
            scores_of(self.ran, self.by_seed, challenger, plan.primary_measure),
            measure=plan.primary_measure,
            margin=plan.margin,
            alpha=plan.alpha,
            confirmatory=False,
            rng_seed=plan.split.seed,
            verdict_only=True,
        )

    def curve_of(self, strategy: str) -> _Known | None:
        """Return a strategy's learning curve, else that of its plain form."""
        return self.curves.get(strategy) or self.curves.get(strategy.removesuffix(FUSION))

    def teacher_work(self, strategy: str, n_queries: int) -> _Work:
        """Return what a teacher takes for the candidates of some more queries; nothing where none teaches."""
        if not any("D" in kind for kind in path_of(strategy)):
            return _Work()
        if self.ran.plan.teacher == "uploaded":
            tested = self.ran.candidates["query_id"].nunique()
            pairs = n_queries * len(self.ran.candidates) / max(1, tested)
            return _Work(n_teacher_tokens=round(pairs * self.ran.plan.max_length))
        local = self.ran.local_teacher
        if local is not None:
            return _Work(device_seconds=local["device_seconds"] * n_queries / max(1, local["n_queries"]))
        n_known = len(self.ran.dataset.queries)
        return _Work(device_seconds=self.ran.encoder_seconds * n_queries / max(1, n_known))


def _curves(ran: Ran, by_seed: pd.DataFrame, scores: pd.DataFrame, ceiling: float) -> dict[str, _Known]:
    found = {}
    for name in dict.fromkeys(point.strategy for point in ran.curve):
        points = sorted((point for point in ran.curve if point.strategy == name), key=lambda point: point.n_train)
        extra = sum(ran.unlabelled_counts.values()) if any("D" in kind for kind in path_of(name)) else 0
        values, n_seeds, lucks = [], [], []
        for point in points:
            rows = scores[(scores["strategy"] == name) & (scores["share"] == point.share)]
            table = rows.pivot(index="seed", columns="query_id", values="value")[list(ran.test_queries)].to_numpy()
            if point.share == 1.0:  # all seeds of the strategy itself say more than the curve's
                table = scores_of(ran, by_seed, name, ran.plan.primary_measure).values
            values.append(table.mean(axis=0))
            n_seeds.append(len(table))
            lucks.append((seed_variance(table)[0] * len(table), len(table) - 1.0))
        df_luck = sum(df for _, df in lucks)
        luck = sum(variance * df for variance, df in lucks) / df_luck if df_luck else 0.0
        sizes = tuple(point.n_train + extra for point in points)
        curve = Curve(sizes, np.array(values, dtype=np.float64), tuple(n_seeds), luck, df_luck)
        problem = why_not_fitted(curve)
        projection = None if problem else project(curve, ceiling)
        status = problem or (status_of(curve, projection, ran.plan.margin) if projection else "too_few_points")
        found[name] = _Known(name, status, len(points), points[-1].n_train, extra, df_luck > 0, projection)
    return found


def _offer(work: _Work, rates: Rates, n_queries: int, beyond: bool, prospect: Prospect | None) -> dict[str, Any]:
    plain = dataclasses.asdict(work)
    found = dataclasses.asdict(prospect) if prospect else dict.fromkeys(Prospect.__dataclass_fields__)
    return {"n_queries": n_queries, **plain, "cost_usd": rates.usd(plain), "beyond": beyond, **found}


def _option(
    code: OptionCode,
    status: OptionStatus,
    strategy: str | None,
    assumptions: Sequence[str],
    offers: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "option": code,
        "status": status,
        "strategy": strategy,
        "assumptions": [item for item in ASSUMPTIONS if item in assumptions],
        "offers": list(offers),
    }


def _from_curve(known: _Known | None, strategy: str) -> list[str]:
    """Return what is assumed where a strategy's growth is read from a curve, or cannot be."""
    if known is None or not known.tells:
        return ["model_stays"]
    found = ["power_law"]
    if known.strategy != strategy:
        found.append("curve_of_plain_form")
    return found if known.luck_seen else [*found, "luck_assumed"]


def _label_queries(case: _Case, single: str, question: Comparison, adopted: bool, alpha: float) -> dict[str, Any]:
    ran, known, outlook = case.ran, case.curve_of(single), outlook_of(question)
    if outlook is None:
        raise ValueError("a comparison without a test")
    n_queries = len(evaluable_queries(ran.dataset, ran.plan))
    judged = ran.dataset.judgments
    per_query = len(judged) / max(1, judged["query_id"].nunique())
    run = case.runs[single]
    sizes = {factor: max(1, round(n_queries * (factor - 1))) for factor in FACTORS}
    more = n_to_judge(case.decision["next_numbers"])
    if more is not None and more <= n_queries * (FACTORS[-1] - 1):
        sizes[1 + more / n_queries] = more
    offers, tells = [], known is not None and known.tells
    for factor, n_more in sorted(sizes.items()):
        learns = factor if known is None else (factor * known.n_now + known.extra) / (known.n_now + known.extra)
        growth = known.growth(learns) if known is not None else None
        n_tested = max(1, round(len(ran.test_queries) * (factor - 1)))
        prospect = experimenting(outlook, adopted=adopted, growth=growth, n_more=n_tested, alpha=alpha)
        teacher = case.teacher_work(single, n_more)
        seconds = factor * (run.train_seconds + run.poc_train_seconds) + teacher.device_seconds
        work = _Work(round(n_more * per_query), teacher.n_teacher_tokens, seconds)
        offers.append(_offer(work, case.rates, n_more, max(factor, learns) > NEAR, prospect))
    assumed = ["same_population", "adopted_if_shown", "experiment_repeated", "judging_time"]
    assumed += [*_from_curve(known, single), *_teacher_assumption(case, single)]
    status: OptionStatus = "counted" if tells else "growth_unknown"
    if "single_too_dear" in case.decision["reasons"] and not adopted:
        status = "too_dear"
    if "single_breaks_guardrail" in case.decision["reasons"]:
        status = "breaks_guardrail"
    return _option("label_queries", status, single, assumed, offers)


def _teacher_assumption(case: _Case, strategy: str) -> list[str]:
    if not any("D" in kind for kind in path_of(strategy)):
        return []
    return ["teacher_as_language_model" if case.ran.plan.teacher == "uploaded" else "teacher_on_device"]


def _teacher_scores(
    case: _Case, in_use: str, single: str, question: Comparison, adopted: bool, alpha: float
) -> dict[str, Any]:
    """Return the option of more queries with a teacher's scores, judged by nobody: only D's own curve tells of it."""
    suffix = FUSION if single.endswith(FUSION) else ""
    taught = [name for name in (single, f"D{suffix}", "D") if path_of(name) == ("D",) and name in case.runs]
    if not taught:
        planned = any("D" in kind for name in case.ran.plan.strategies for kind in path_of(name))
        return _option("teacher_scores", "not_measured" if planned else "not_planned", None, [], [])
    name = taught[0]
    known = case.curve_of(name)
    if known is None or not known.tells:
        return _option("teacher_scores", "no_curve", name, [], [])
    is_single = name == single
    asked = question if is_single else case.compared(in_use, name)
    outlook = outlook_of(asked)
    if outlook is None:
        return _option("teacher_scores", "not_measured", name, [], [])
    run, now = case.runs[name], known.n_now + known.extra
    offers = []
    for factor in FACTORS:
        n_more = max(1, round(now * (factor - 1)))
        prospect = experimenting(
            outlook,
            adopted=adopted and is_single,
            growth=known.growth(factor),
            n_more=0,
            alpha=alpha if is_single else case.ran.plan.alpha,
        )
        teacher = case.teacher_work(name, n_more)
        seconds = factor * (run.train_seconds + run.poc_train_seconds) + teacher.device_seconds
        work = dataclasses.replace(teacher, device_seconds=seconds)
        offers.append(_offer(work, case.rates, n_more, factor > NEAR, prospect))
    assumed = ["same_population", "adopted_if_shown", "experiment_repeated"]
    assumed += [*_from_curve(known, name), *_teacher_assumption(case, name)]
    has_price = all(offer["cost_usd"] is not None for offer in offers)
    status: OptionStatus = "counted" if has_price else "no_price"
    if "teacher_red" in case.decision["reasons"]:
        status = "teacher_red"
    return _option("teacher_scores", status, name, assumed, offers)


def _second_stage(case: _Case, in_use: str) -> dict[str, Any]:
    """Return the option of shipping two stages, as measured; nothing is guessed where they were not trained."""
    second = case.decision["second_strategy"]
    if second is None:
        planned = any(name in TWO_STAGE for name in case.ran.plan.strategies)
        return _option("second_stage", "not_measured" if planned else "not_planned", None, [], [])
    asked = case.compared(in_use, second)
    outlook = outlook_of(asked)
    if outlook is None:
        return _option("second_stage", "not_measured", second, [], [])
    status: OptionStatus = "measured" if case.decision["code"] == "add_second_stage" else "not_shown"
    if "second_too_dear" in case.decision["reasons"]:
        status = "too_dear"
    if "second_breaks_guardrail" in case.decision["reasons"]:
        status = "breaks_guardrail"
    seconds = max(0.0, case.runs[second].train_seconds - case.runs[in_use].train_seconds)
    offer = _offer(_Work(device_seconds=seconds), case.rates, 0, False, switching(outlook))
    assumed = (
        ["measured_as_it_is"] if in_use == case.decision["single_strategy"] else ["measured_as_it_is", "exploratory"]
    )
    return _option("second_stage", status, second, assumed, [offer])


def _curve_record(known: _Known) -> dict[str, Any]:
    points = []
    if known.projection is not None:
        for factor in (1.0, *FACTORS):
            kpi, low, high = interval_of(known.projection.at(factor))
            growth, growth_low, growth_high = interval_of(known.projection.growth(factor))
            points.append(
                {
                    "n_train_queries": round(factor * (known.n_now + known.extra)),
                    "kpi": kpi,
                    "kpi_low": low,
                    "kpi_high": high,
                    "growth": growth,
                    "growth_low": growth_low,
                    "growth_high": growth_high,
                    "beyond": factor > NEAR,
                }
            )
    return {
        "strategy": known.strategy,
        "status": known.status,
        "n_points": known.n_points,
        "n_unlabelled": known.extra,
        "points": points,
    }


def next_money(
    ran: Ran,
    by_seed: pd.DataFrame,
    scores: pd.DataFrame,
    result: Mapping[str, Any],
    ceiling: float,
    business: Business | None,
) -> dict[str, Any] | None:
    """Return what every option brings and costs, as it stands in `result.json`; None without a tested single stage.

    scores: as `report.curve.curve_scores` returns them. result: needs `decision` and `cost`. ceiling: the KPI of a
    perfect order of the candidates. Options start from what is in use after the decision that stands.
    """
    decision = result["decision"]
    single = decision["single_strategy"]
    if single is None or decision["code"] == "repair_data":  # numbers that nobody can trust advise nothing
        return None
    # Two stages may be added although the single stage alone is not worth having: then it is not in use either.
    adopted = decision["code"] in SHIPPED and "second_beats_all" not in decision["reasons"]
    adopted = adopted and "single_breaks_guardrail" not in decision["reasons"]
    free = decision["next_numbers"].get("strategy", FIRST)
    reference = FIRST if adopted else str(free)
    in_use = single if adopted else reference
    rates = rates_of(result["cost"], business, current_prices())
    curves = _curves(ran, by_seed, scores, ceiling)
    case = _Case(ran, by_seed, curves, rates, decision, {run.name: run for run in ran.runs})
    question = case.compared(reference, single)
    outlook = outlook_of(question)
    if outlook is None:
        return None
    alpha = ran.plan.alpha / (max(1, family_size(ran.plan)) if reference == FIRST else 1)
    stop = _offer(_Work(), rates, 0, False, stopping(outlook, adopted=adopted))
    known = case.curve_of(single)
    return {
        "strategy": single,
        "reference": reference,
        "in_use": in_use,
        "curve": _curve_record(known) if known else None,
        "options": [
            _option("stop_now", "counted", in_use, [], [stop]),
            _label_queries(case, single, question, adopted, alpha),
            _teacher_scores(case, in_use, single, question, adopted, alpha),
            _second_stage(case, in_use),
        ],
    }
