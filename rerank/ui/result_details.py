"""What stands behind a result: measures, segments, teacher, cost, circumstances."""

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from rerank.cost.business import Business
from rerank.cost.prices import Price
from rerank.decide.guardrails import MIN_SEGMENT_QUERIES
from rerank.planning.rates import FEW_QUERIES, FEW_WEIGHT, MANY_QUERIES, MANY_WEIGHT
from rerank.ui.safe import markdown
from rerank.ui.show import table
from rerank.wording.amounts import amount, teacher_amount
from rerank.wording.asked import asked_sentences
from rerank.wording.audits import audit_sentence, colour_line, gate_sentences
from rerank.wording.language import Say
from rerank.wording.names import FIRST_STAGES, PASSAGES, SPLITS, name_of, strategy_name
from rerank.wording.numbers import duration, milliseconds, score, usd
from rerank.wording.prices import price_sentence
from rerank.wording.record import deviation_sentences, moment, seal_sentence
from rerank.wording.tables import guardrail_table, measure_table, mixture_table, moved_table
from rerank.wording.truncation import truncation_sentence


def measures(say: Say, result: Mapping[str, Any]) -> None:
    """Show every measure of every strategy, what is mixed in fused ones and how far stage two moved the model."""
    table(say, measure_table(say, result).round(4), "measures")
    mixtures = mixture_table(say, result)
    if not mixtures.empty:
        heading = say("What the fused strategies mix")
        st.markdown(f"**{heading}**")
        table(say, mixtures, "mixtures")
        st.caption(
            say(
                "Weights of the standardised scores, fitted on queries that are not tested; means over folds and "
                "seeds. Where development queries hardly tell mixtures apart, a re-ranker gets {few} after up to "
                "{n_few} training queries, more the more there are, and {many} from {n_many} on.",
                few=FEW_WEIGHT,
                many=MANY_WEIGHT,
                n_few=FEW_QUERIES,
                n_many=MANY_QUERIES,
            )
        )
    moved = moved_table(say, result)
    if not moved.empty:
        heading = say("How far the second stage moved the model")
        st.markdown(f"**{heading}**")
        table(say, moved, "moved")
        st.caption(say("Kendall τ of the two rankings: 1 means that the second stage left every order as it was."))


def guardrails(say: Say, result: Mapping[str, Any]) -> None:
    """Show every strategy against every guardrail of the plan."""
    table(say, guardrail_table(say, result), "guardrails")
    st.caption(
        say(
            "Compared as this sample shows them, without a test: a small excess may be chance. Latency is what "
            "re-ranking adds on this device; segments of fewer than {n} queries are left out.",
            n=MIN_SEGMENT_QUERIES,
        )
    )


def deviations(say: Say, result: Mapping[str, Any]) -> None:
    """Show whether test judgments were sealed, who looked before, and every deviation from the locked plan."""
    st.caption(seal_sentence(say, result))
    for look in result.get("looks", {"earlier": ()})["earlier"]:
        facts = {"experiment": look["experiment"], "at": moment(look["at"]), "n": look["n_common_queries"]}
        st.caption(say("Evaluated before: plan {experiment}, {at} (UTC), {n} of the same test queries.", **facts))
    found = deviation_sentences(say, result)
    if not found:
        st.write(say("None: the experiment did what its locked plan says."))
    for sentence in found:
        st.markdown(f"- {markdown(sentence)}")


def segments(say: Say, result: Mapping[str, Any]) -> None:
    """Show the KPI per segment; small segments are read with care."""
    rows = []
    for name, record in result["strategies"].items():
        for segment, item in record["segments"].items():
            rows.append(
                {
                    say("Segment"): segment,
                    say("Strategy"): strategy_name(say, name),
                    say("Queries"): item["n_queries"],
                    result["plan"]["primary_measure"]: round(item["mean"], 4),
                }
            )
    if not rows:
        st.write(say("The queries have no segments."))
        return
    frame = pd.DataFrame(rows)
    wide = frame.pivot(
        index=[say("Segment"), say("Queries")], columns=say("Strategy"), values=result["plan"]["primary_measure"]
    )
    order = [strategy_name(say, name) for name in result["strategies"]]
    table(say, wide[order].reset_index(), "segments")
    st.caption(say("Exploratory: segments are small, and nothing was tested within them."))


def teacher(say: Say, result: Mapping[str, Any], experiment: str) -> None:
    """Show what a paid teacher was asked, and the teacher's audit, if anything distils, with the way to it."""
    sentences = asked_sentences(say, result)
    if sentences:
        st.markdown(markdown(" ".join(sentences)))
    audit = result["teacher_audit"]
    if audit is None or "measures" not in audit:  # of an earlier version
        return
    line = say("Teacher audit: {colour} ({n} queries)", colour=colour_line(say, audit), n=audit["n_queries"])
    st.markdown(f"**{markdown(line)}** {markdown(audit_sentence(say, audit))}")
    for sentence in gate_sentences(say, audit):
        st.warning(markdown(sentence, 600), icon=":material/front_hand:")
    st.page_link(
        "pages/teacher.py",
        label=say("Open the teacher's audit"),
        query_params={"experiment": experiment},
        icon=":material/school:",
    )


def costs(say: Say, result: Mapping[str, Any], business: Business) -> None:
    """Show what each strategy costs, what this run cost and what had been predicted."""
    rows = []
    for name, record in result["strategies"].items():
        cost = record["cost"]
        rows.append(
            {
                say("Strategy"): strategy_name(say, name),
                say("One training"): amount(say, cost["train_usd"], business),
                say("Device time"): duration(cost["train_device_seconds"], say),
                say("Teacher"): teacher_amount(say, result, business, name),
                say("All trainings of this experiment"): amount(say, cost["poc_train_usd"], business),
                say("Serving, 1,000 queries"): amount(say, cost["serve_usd_per_1k_queries"], business),
                say("Latency p50"): milliseconds(record["latency_ms"]["p50"]),
                say("Latency p95"): milliseconds(record["latency_ms"]["p95"]),
            }
        )
    table(say, pd.DataFrame(rows), "costs")
    cost = result["cost"]
    forecast = cost["forecast"]
    lines = [
        say(
            "All starts of this experiment took {time} ({usd}); predicted were {low} to {high}.",
            time=duration(cost["job_device_seconds"], say),
            usd=amount(say, cost["job_usd"], business),
            low=duration(forecast["seconds_low"], say),
            high=duration(forecast["seconds_high"], say),
        ),
        say("A cost counts a training and those it starts from, whether they were cached or not."),
    ]
    for key in ("device_price", "labour_price"):
        lines.append(price_sentence(say, Price(**cost[key]), datetime.date.today()))
    if "counted_at_run" in cost:
        old = Price(**cost["counted_at_run"]["device_price"])
        lines.append(
            say("Counted at today's price table; when it ran, the hour was counted at {usd}.", usd=usd(old.usd))
        )
    for line in lines:
        st.caption(markdown(line))


def circumstances(say: Say, result: Mapping[str, Any]) -> None:
    """Show from what the numbers were computed."""
    plan, data, device = result["plan"], result["dataset"], result["device"]
    first = plan["first_stage"]
    ceiling = result["first_stage"]
    rows = {
        say("Dataset"): f"{data['name']} · {data['digest'][:12]}",
        say("Plan"): f"{plan['digest'][:12]} · {plan['locked_at']}",
        say("Queries, documents, judgments"): f"{data['n_queries']:,}, {data['n_documents']:,}, "
        f"{data['n_judgments']:,}",
        say("Test and development queries"): f"{data['n_test_queries']:,}, {data['n_dev_queries']:,}",
        say("How queries are divided"): name_of(say, SPLITS, plan["split"]["kind"]),
        say("First stage"): f"{name_of(say, FIRST_STAGES, first['kind'])}, {first['depth']}",
        say("Recall ceiling of the candidates"): score(ceiling["recall_ceiling"]),
        say("KPI of a perfect order"): score(ceiling["oracle"]),
        say("Base model"): result["base_model"]["name"],
        say("Tokens of a pair, at most"): str(plan["max_length"]),
        say("Longer documents"): name_of(say, PASSAGES, plan.get("passages", "first")),
        say("Seeds"): ", ".join(map(str, plan["seeds"])),
        say("Device"): f"{device['kind'].upper()} · {device['name']}",
        say("Version"): result["code_version"],
    }
    frame = pd.DataFrame({say("What"): list(rows), say("Value"): [str(value) for value in rows.values()]})
    table(say, frame, "circumstances")
    unread = truncation_sentence(say, result)
    if unread is not None:
        st.warning(unread, icon=":material/content_cut:")
    if plan["split"]["kind"] == "kfold":
        st.caption(
            say(
                "Folds share training data, so p-values are mildly optimistic. Folds measure the procedure: the model "
                "to ship is a final training on all queries, which was not measured itself."
            )
        )
    st.caption(
        say(
            "Measures as in trec_eval through ir_measures: linear gain, unjudged documents count as not relevant, "
            "queries without a relevant document are left out. Tests are paired by query."
        )
    )
