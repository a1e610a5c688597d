"""Two strategies query by query."""

import pandas as pd
import streamlit as st

from rerank.decide.guardrails import harmed
from rerank.errors import RerankError
from rerank.figures.per_query import wins_and_losses
from rerank.intake.dataset import Dataset
from rerank.ui import cached
from rerank.ui.safe import markdown, plain
from rerank.ui.session import asked_for, remember
from rerank.ui.show import figure, numbers, problem
from rerank.ui.strategies import explain, shown_first
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import delta

SHOWN_DOCUMENTS = 10
TEXT_CHARS = 170


def query_view(say: Say, experiment: str) -> None:
    """Show wins and losses between two strategies and one query's two rankings."""
    result = cached.result(experiment)
    if result is None:
        return
    names = list(result["strategies"])
    one, two, three = st.columns(3)
    with one:
        reference = _strategy(say, say("Reference"), "reference", names, names[0])
    with two:
        challenger = _strategy(say, say("Challenger"), "challenger", names, shown_first(result))
    with three:
        measures = [name for name in result["plan"]["measures"] if not name.startswith("R@")]
        measure = st.selectbox(say("Measure"), measures, key="query_measure")
    try:
        dataset = cached.dataset(result["dataset"]["digest"])
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    differences = _differences(cached.per_query(experiment), dataset, reference, challenger, measure)
    segments = sorted({str(name) for name in differences["segment"] if name})
    if segments:
        chosen = st.pills(
            say("Segments"),
            segments,
            selection_mode="multi",
            format_func=lambda name: markdown(name, 40),  # the words of pills are Markdown
            key="query_segments",
        )
        if chosen:
            differences = differences[differences["segment"].isin(chosen)].reset_index(drop=True)
    explain(say, (reference, challenger))
    _counts(say, differences)
    shown = _shown(say, differences, reference, challenger)
    figure(say, wins_and_losses(say, differences, measure), shown, "wins", say("Difference per query"))
    st.caption(say("Choose a row to see both orders."))
    event = st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=300,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            column: st.column_config.NumberColumn(format="%+.3f" if column == "Δ" else "%.3f")
            for column in shown.columns
            if pd.api.types.is_float_dtype(shown[column])
        },
        key=f"query_rows_{reference}_{challenger}_{measure}",
    )
    picked = event["selection"]["rows"]
    ids = list(differences["query_id"])
    known = asked_for("query", ids)
    query_id = ids[picked[0]] if picked and picked[0] < len(ids) else known or (ids[0] if ids else None)
    if query_id is not None:
        remember("query", query_id)
        _side_by_side(say, experiment, dataset, query_id, (reference, challenger))


def _strategy(say: Say, label: str, parameter: str, names: list[str], default: str) -> str:
    known = asked_for(parameter, names) or default
    chosen = st.selectbox(
        label,
        names,
        index=names.index(known),
        format_func=lambda name: strategy_name(say, name),
        key=f"query_{parameter}",
    )
    remember(parameter, chosen)
    return chosen


def _differences(
    per_query: pd.DataFrame, dataset: Dataset, reference: str, challenger: str, measure: str
) -> pd.DataFrame:
    """Return query_id, text, segment, reference, challenger, delta; the largest gain first."""
    part = per_query[per_query["measure"] == measure]
    sides = {
        side: part[part["strategy"] == name].set_index("query_id")["value"]
        for side, name in (("reference", reference), ("challenger", challenger))
    }
    frame = pd.DataFrame(sides).rename_axis("query_id").reset_index()
    frame["delta"] = frame["challenger"] - frame["reference"]
    frame = frame.merge(dataset.queries, on="query_id", how="left")
    return frame.sort_values(["delta", "query_id"], ascending=[False, True]).reset_index(drop=True)


def _counts(say: Say, differences: pd.DataFrame) -> None:
    values = differences["delta"]
    mean = delta(float(values.mean())) if len(values) else "–"
    shown: tuple[tuple[str, int | str], ...] = (
        (say("Queries won"), int((values > 0).sum())),
        (say("Queries lost"), int((values < 0).sum())),
        (say("Unchanged"), int((values == 0).sum())),
        (say("Harmed by more than .1"), int(harmed(values.to_numpy(dtype=float)).sum())),
        (say("Mean difference"), mean),
    )
    numbers(shown)


def _shown(say: Say, differences: pd.DataFrame, reference: str, challenger: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Δ": differences["delta"].round(3),  # first: a telephone shows little more than the text beside it
            say("Query"): [plain(text, 200) for text in differences["text"]],
            say("Segment"): [plain(name, 60) for name in differences["segment"]],
            strategy_name(say, reference) + " (1)": differences["reference"].round(3),
            strategy_name(say, challenger) + " (2)": differences["challenger"].round(3),
            say("Query id"): differences["query_id"],
        }
    )


def _side_by_side(say: Say, experiment: str, dataset: Dataset, query_id: str, strategies: tuple[str, str]) -> None:
    row = dataset.queries[dataset.queries["query_id"] == query_id].iloc[0]
    st.subheader(say("Both orders"), anchor=False)
    st.text(plain(row["text"]))
    everything = cached.rankings(experiment)
    mine = everything[everything["query_id"] == query_id]
    grades = dataset.judgments[dataset.judgments["query_id"] == query_id].set_index("doc_id")["grade"].to_dict()
    documents = dataset.documents.set_index("doc_id")
    first_seed = {name: mine.loc[mine["strategy"] == name, "seed"].min() for name in strategies}
    ranks = {
        name: mine[(mine["strategy"] == name) & (mine["seed"] == first_seed[name])].set_index("doc_id")["rank"]
        for name in strategies
    }
    if any(seed not in (0, 1) for seed in first_seed.values()) or len(mine["seed"].unique()) > 2:
        st.caption(say("The orders of the first seed are shown."))
    st.caption(say("▲ n: n places higher than in the other order; ▼ n: lower; =: the same place."))
    for column, name, other in zip(st.columns(2), strategies, reversed(strategies), strict=True):
        with column:
            st.markdown(f"**{strategy_name(say, name)}**")
            for doc_id, rank in ranks[name].sort_values().head(SHOWN_DOCUMENTS).items():
                moved = _moved(say, int(ranks[other].get(doc_id, 0)), int(rank))
                grade = grades.get(doc_id)
                label = say("grade {grade}", grade=grade) if grade is not None else say("unjudged")
                _document(documents, str(doc_id), int(rank), label, moved)


def _moved(say: Say, other_rank: int, rank: int) -> str:
    if other_rank == 0:
        return say("not in the other list")
    if other_rank == rank:
        return "="
    return f"▲ {other_rank - rank}" if other_rank > rank else f"▼ {rank - other_rank}"


def _document(documents: pd.DataFrame, doc_id: str, rank: int, label: str, moved: str) -> None:
    row = documents.loc[doc_id]
    with st.container(border=True):
        st.text(f"{rank}. {plain(row['title'] or doc_id, 100)}")
        st.caption(f"{label} · {moved}")
        st.text(plain(row["text"], TEXT_CHARS))
