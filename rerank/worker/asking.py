"""The paid teacher of an experiment: what it will cost, and what it said, kept answer by answer."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rerank.cost.prices import current_prices
from rerank.cost.tokens import SPREAD, SPREAD_COUNTED, TokenPrice, listed_token_price, most_prompt_tokens
from rerank.errors import RerankError
from rerank.planning.plan import Plan
from rerank.store.answers import spent_usd
from rerank.teacher.asking import ENOUGH_ANSWERS, Asker, Question, correction_of, family_of
from rerank.teacher.client import Client, Endpoint, http_library, key_from_environment
from rerank.teacher.language_model import Said, Task, grades_of, ordering_of, planned_questions
from rerank.teacher.prompts import Prompt, load_prompt
from rerank.worker.checking import NO_CHECKS, check, planned, spent_on_checks
from rerank.worker.side_by_side import side_by_side
from rerank.worker.workbench import Workbench

_SUMS = (
    "prompt_tokens",
    "completion_tokens",
    "usd",
    "check_tokens",
    "check_usd",
    "usd_first_predicted",
    "usd_predicted",
)
SAMPLED_TASKS = 200  # of which questions are written for a prediction


@dataclass(frozen=True)
class CostForecast:
    """What asking will cost: USD with a range, questions, tokens; is_counted: the endpoint's counts corrected it."""

    usd: float
    usd_low: float
    usd_high: float
    n_questions: int
    prompt_tokens: float
    completion_tokens: float
    is_counted: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Asked:
    """What a language model said: scores by (query, document), the record of asking, and its rounds one by one.

    rounds: query_id, doc_id, round (from 0; an ordering's passes, then what was asked for the audit alone), score,
    position (from 1, where the document stood in the question; missing where windows had other orders), is_shuffled.
    probed: see `Checks`.
    """

    scores: Mapping[tuple[str, str], float]
    record: Mapping[str, Any]
    rounds: pd.DataFrame
    probed: pd.DataFrame


def token_price(plan: Plan) -> TokenPrice:
    """Return what the plan's language model costs: the plan's own price, else the price table's.

    Raises RerankError `teacher_price_missing`.
    """
    into, out = plan.llm.usd_per_1m_input, plan.llm.usd_per_1m_output
    if into is not None and out is not None:
        return TokenPrice(into, out)
    listed = listed_token_price(plan.llm.model, current_prices())
    if listed is None:
        raise RerankError("teacher_price_missing", model=plan.llm.model)
    return TokenPrice(
        listed.usd_per_1m_input if into is None else into, listed.usd_per_1m_output if out is None else out
    )


def prompt_of(plan: Plan) -> Prompt:
    """Return the prompt that the plan names."""
    kind = "graded" if plan.teacher == "llm-pointwise" else "listwise"
    return load_prompt(kind, plan.llm.prompt, plan.llm.language)


def check_askable(plan: Plan) -> None:
    """Raise RerankError for what would stop the first question, before anything is computed for it."""
    token_price(plan)
    prompt_of(plan)
    key_from_environment()
    http_library()


def cost_forecast(plan: Plan, tasks: Sequence[Task], n_more: int = 0, checks: Sequence[Question] = ()) -> CostForecast:
    """Predict what asking costs, as if nothing had been asked.

    n_more: further queries like these. checks: what is asked for the audit alone.
    """
    prompt, price = prompt_of(plan), token_price(plan)
    # Evenly over the tasks, so that a long list of queries is not written out for a prediction.
    sampled = tasks[:: max(1, len(tasks) // SAMPLED_TASKS)]
    questions = [item for task in sampled for item in planned_questions(plan.teacher, plan.llm, prompt, task)]
    share = (len(tasks) + n_more) / max(1, len(sampled))
    correction = correction_of(family_of(plan.llm.base_url, plan.llm.model, prompt.digest))
    told = [item.predicted_tokens for item in questions]
    besides = [item.predicted_tokens for item in checks]
    into = correction.prompt * (share * sum(item[0] for item in told) + sum(item[0] for item in besides))
    out = correction.completion * (share * sum(item[1] for item in told) + sum(item[1] for item in besides))
    n_questions = share * len(questions) + len(checks)
    if not correction.is_counted:
        out += n_questions * plan.llm.thinking_tokens  # all of it, until the endpoint has counted some
    spread = SPREAD_COUNTED if correction.is_counted else SPREAD
    usd = price.usd(into, out)
    return CostForecast(
        usd, usd * (1 - spread), usd * (1 + spread), round(n_questions), into, out, correction.is_counted
    )


def forecast_of(bench: Workbench, tasks: Sequence[Task], n_more: int) -> dict[str, Any]:
    """Predict what asking costs about judged queries, with what the audit asks besides, and about n_more others.

    Also, as `n_unlabelled_affordable`, how many others the teacher's limit pays for.
    """
    checks = planned(bench, prompt_of(bench.plan), tasks)
    affordable = _n_affordable(bench.plan, tasks, cost_forecast(bench.plan, tasks, 0, checks))
    whole = cost_forecast(bench.plan, tasks, n_more, checks)
    return whole.to_dict() | {"n_unlabelled_affordable": affordable}


def _n_affordable(plan: Plan, tasks: Sequence[Task], judged: CostForecast) -> int | None:
    """Return how many unlabelled queries the teacher's limit pays for besides the judged ones, None without a limit.

    By the upper end of the range, and with the last questions' highest price still set aside.
    """
    if plan.llm.usd is None or not tasks:
        return None
    each = cost_forecast(plan, tasks).usd_high / len(tasks)
    prompt, price = prompt_of(plan), token_price(plan)
    questions = planned_questions(
        plan.teacher, plan.llm, prompt, max(tasks, key=lambda task: sum(map(len, task.documents)))
    )
    most = max(price.usd(most_prompt_tokens(item.messages), item.max_tokens) for item in questions)
    left = max(0.0, plan.llm.usd - judged.usd_high - plan.llm.concurrency * most)
    return int(left / each) if each > 0 else None


def ask_language_model(bench: Workbench, tasks: Sequence[Task], n_more: int = 0, before: Asked | None = None) -> Asked:
    """Return what the teacher says of the tasks' documents, and what asking it came to.

    Without anything asked before, the tasks are judged queries, and some are asked about once more for the audit.
    n_more: queries like these that may be asked about later: the limit must hold for them, too. before: what was
    asked for the same plan before, and becomes part of what is returned.
    Answers given before are not asked again. Raises RerankError `teacher_over_budget` before the first question or
    once the endpoint's own counts say so, `teacher_budget_spent` before the question that would cross the limit,
    `teacher_answers_unusable`, and what `Client.ask` raises.
    """
    plan, model = bench.plan, bench.plan.llm
    prompt, price = prompt_of(plan), token_price(plan)
    bench.meter.teacher_usd = sum(spent_usd(plan.digest))
    checks = planned(bench, prompt, tasks) if before is None else []
    first = cost_forecast(plan, tasks, 0, checks)
    bench.reporter.event("teacher_forecast", **first.to_dict())
    bench.reporter.progress(phase="teaching", n_questions=first.n_questions, n_answers=0)
    limit = _limit(bench)
    endpoint = Endpoint(model.base_url, model.model, key_from_environment(), model.timeout_seconds)
    with Client(endpoint, model.concurrency) as client:
        asker = Asker(client, model.base_url, model.model, prompt.digest, price, plan.digest, limit, model.concurrency)
        teach = grades_of if plan.teacher == "llm-pointwise" else ordering_of
        forecast = first
        said: dict[str, Said] = {}
        checked = NO_CHECKS
        try:
            _check_forecast(bench, asker, tasks, limit, n_more, checks)
            pilot = [] if first.is_counted else _pilot(tasks, first.n_questions - len(checks))
            said |= side_by_side(bench, asker, pilot, lambda task: teach(asker, model, prompt, task))
            rest = tasks[len(pilot) :]
            if pilot and (rest or checks):  # with nothing left to ask it would be no prediction
                forecast = cost_forecast(plan, tasks, 0, checks)
                bench.reporter.event("teacher_forecast", **forecast.to_dict())
                bench.reporter.progress(n_questions=forecast.n_questions)
                _check_forecast(bench, asker, rest, limit, n_more, checks)
            said |= side_by_side(bench, asker, rest, lambda task: teach(asker, model, prompt, task))
            taught = asker.tally
            if before is None:
                checked = check(bench, asker, prompt, tasks, said)
        finally:
            asker.close()
            bench.meter.teacher_usd = sum(spent_usd(plan.digest))
            bench.meter.save()
    scores = {
        (task.query_id, doc_id): score
        for task in tasks
        for doc_id, score in zip(task.doc_ids, said[task.query_id].scores, strict=True)
        if score is not None
    }
    record = _record(bench, prompt, price, said, asker, first, forecast) | spent_on_checks(taught, asker.tally)
    if before is not None:
        scores = dict(before.scores) | scores
        record = _together(before.record, record)
    bench.reporter.event("teacher_asked", **record)
    if not scores:
        failures = record["failures"]
        raise RerankError(
            "teacher_answers_unusable",
            n_answers=record["n_answers"],
            failure=max(failures, key=lambda reason: failures[reason], default="no_order"),
        )
    return Asked(scores, record, pd.concat([_rounds(tasks, said), checked.rounds], ignore_index=True), checked.probed)


def _together(before: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of what was asked before and since; what has no confirmation is of all starts anyway."""
    found = dict(record)
    for name, value in before.items():
        if name in ("repairs", "failures"):
            found[name] = dict(sorted((Counter(value) + Counter(record[name])).items()))
        elif name.startswith("n_") or name in _SUMS:
            found[name] = value + record[name]
    return found


def _rounds(tasks: Sequence[Task], said: Mapping[str, Said]) -> pd.DataFrame:
    rows = [
        (task.query_id, doc_id, number, score, item.positions[place] if item.positions else None, item.is_shuffled)
        for task in tasks
        for number, item in enumerate(said[task.query_id].rounds)
        for place, (doc_id, score) in enumerate(zip(task.doc_ids, item.scores, strict=True))
    ]
    return pd.DataFrame(rows, columns=["query_id", "doc_id", "round", "score", "position", "is_shuffled"])


def _limit(bench: Workbench) -> float | None:
    """Return what this purse may spend in all: the teacher's own limit, and what the whole budget leaves to it."""
    limits = [bench.plan.llm.usd]
    if bench.plan.budget.usd is not None:
        limits.append(max(0.0, bench.plan.budget.usd - bench.meter.device_usd))
    return min((limit for limit in limits if limit is not None), default=None)


def _check_forecast(
    bench: Workbench,
    asker: Asker,
    tasks: Sequence[Task],
    limit: float | None,
    n_more: int,
    checks: Sequence[Question],
) -> None:
    """Raise RerankError `teacher_over_budget` when what is spent and what is still to be asked exceed the limit.

    A query whose first answer is in the store, whoever paid for it, counts as known. n_more: queries to come, of
    which nothing is known; where all of the others are known they may be as well.
    """
    if limit is None:
        return
    plan = bench.plan
    prompt = prompt_of(plan)
    fresh = [task for task in tasks if not asker.is_known(planned_questions(plan.teacher, plan.llm, prompt, task)[0])]
    if not fresh:
        return
    found, spent = cost_forecast(plan, fresh, n_more, checks), sum(spent_usd(plan.digest))
    if spent + found.usd_low > limit:
        usd = f"{spent + found.usd_low:.2f}–{spent + found.usd_high:.2f}"
        raise RerankError("teacher_over_budget", usd=usd, limit=limit)


def _pilot(tasks: Sequence[Task], n_questions: int) -> Sequence[Task]:
    """Return the first tasks, as many as give twice the answers that a corrected prediction needs."""
    per_task = max(1.0, n_questions / max(1, len(tasks)))
    return tasks[: max(1, round(2 * ENOUGH_ANSWERS / per_task))]


def _record(
    bench: Workbench,
    prompt: Prompt,
    price: TokenPrice,
    said: Mapping[str, Said],
    asker: Asker,
    first: CostForecast,
    forecast: CostForecast,
) -> dict[str, Any]:
    """Return what the result says about asking; money is that of all answers, known before or not."""
    model, tally = bench.plan.llm, asker.tally
    repairs: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for item in said.values():
        repairs.update(item.repairs)
        failures.update(item.failures)
    return {
        "teacher": bench.plan.teacher,
        "model": model.model,
        "prompt": f"{prompt.kind}-{model.prompt}-{model.language}",
        "prompt_sha256": prompt.digest,
        "usd_per_1m_input": price.usd_per_1m_input,
        "usd_per_1m_output": price.usd_per_1m_output,
        "n_queries": len(said),
        "n_queries_without_answer": sum(all(score is None for score in item.scores) for item in said.values()),
        "n_answers": tally.n_answers,
        "n_known": tally.n_known,
        "n_repaired": sum(item.n_repaired for item in said.values()),
        "n_failed": failures.total(),
        "n_without_probabilities": sum(item.n_without_probabilities for item in said.values()),
        "n_without_usage": tally.n_without_usage,
        "repairs": dict(sorted(repairs.items())),
        "failures": dict(sorted(failures.items())),
        "prompt_tokens": tally.prompt_tokens,
        "completion_tokens": tally.completion_tokens,
        "usd": tally.usd,
        "usd_unconfirmed": spent_usd(bench.plan.digest)[1],
        "usd_first_predicted": first.usd,
        "usd_predicted": forecast.usd,
    }
