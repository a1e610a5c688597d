"""What more judged queries take: in-house judges, days and cost."""

import math

import streamlit as st

from rerank.cost.judging import judging_work
from rerank.cost.prices import current_prices, labour_price
from rerank.errors import RerankError
from rerank.judging.pace import measured_pace
from rerank.planning.business import load_business
from rerank.planning.plan import Plan
from rerank.planning.splits import evaluable_queries
from rerank.ui import cached
from rerank.ui.safe import markdown
from rerank.ui.show import numbers, problem
from rerank.wording.amounts import amount
from rerank.wording.language import Say
from rerank.wording.numbers import count
from rerank.wording.tables import IN_USD

MIN_MINUTES = 0.01
JUDGES, HOURS_PER_WEEK = 1, 4.0  # where nobody has said otherwise


def capacity_panel(say: Say, plan: Plan, n_missing: int, n_test: int) -> None:
    """Ask for judges and hours, and show days and cost of judging more queries like those of this dataset.

    n_missing: test queries that the plan lacks to show equivalence; where the form starts.
    """
    try:
        business = load_business() or IN_USD
        wage = labour_price(current_prices())
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    dataset = cached.dataset(plan.dataset_digest)
    evaluable = set(evaluable_queries(dataset, plan))
    judged = int(dataset.judgments["query_id"].isin(evaluable).sum()) / max(1, len(evaluable))
    tested = n_test / max(1, len(evaluable))
    heading = say("What more judgments take")
    st.markdown(f"**{heading}**")
    key = f"capacity_{plan.dataset_digest[:8]}"
    one, two, three, four = st.columns(4)
    # A new suggestion is a new field: otherwise the old number would stay when δ changes.
    more = one.number_input(say("More test queries"), 0, 1_000_000, value=n_missing, key=f"{key}_more_{n_missing}")
    pace = measured_pace(plan.dataset_digest)
    measured = pace is not None and bool(st.session_state.get(f"{key}_measured"))
    suggested = max(MIN_MINUTES, pace.seconds / 60) if pace is not None and measured else business.minutes_per_judgment
    judges = two.number_input(say("Judges"), 1, 10_000, value=business.n_judges or JUDGES, key=f"{key}_judges")
    minutes = three.number_input(
        say("Minutes per judgment"), MIN_MINUTES, 600.0, value=suggested, key=f"{key}_minutes_{measured}"
    )
    hours = four.number_input(
        say("Hours per week and judge"),
        0.1,
        168.0,
        value=business.judge_hours_per_week or HOURS_PER_WEEK,
        key=f"{key}_hours",
    )
    if pace is not None:
        st.toggle(
            say(
                "Minutes per judgment as measured while judging: {seconds} s, the median of {n}",
                seconds=f"{pace.seconds:.1f}",
                n=count(pace.n_timed),
            ),
            key=f"{key}_measured",
        )
    n_queries = math.ceil(more / tested) if tested else 0
    work = judging_work(
        math.ceil(n_queries * judged),
        minutes_per_judgment=minutes,
        n_judges=int(judges),
        hours_per_week=hours,
        usd_per_hour=wage.usd,
    )
    numbers(
        (
            (say("Queries to judge"), count(n_queries)),
            (say("Judgments"), count(work.n_judgments)),
            (say("Working days"), count(math.ceil(work.working_days))),
            (say("Cost"), markdown(amount(say, work.usd, business))),
        )
    )
    st.caption(
        say(
            "{judged} judgments per query as in this dataset; {tested} of the judged queries are tested; {usd} per "
            "hour of judging.",
            judged=f"{judged:.1f}",
            tested=f"{tested:.0%}",
            usd=markdown(amount(say, wage.usd, business)),
        )
    )
