"""A stored dataset: how much of what, what was found, and its texts."""

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.figures.grades import grade_histogram
from rerank.intake.dataset import Dataset
from rerank.intake.storage import load_findings, load_rejected
from rerank.ui import cached
from rerank.ui.adequacy_view import adequacy_view
from rerank.ui.choose import choose_dataset
from rerank.ui.duplicates_view import duplicates_view
from rerank.ui.findings import findings_table
from rerank.ui.safe import markdown, plain
from rerank.ui.show import figure, numbers, problem, table, user_rows
from rerank.wording.fields import FIELD_NAMES
from rerank.wording.judged import judging_sentence
from rerank.wording.language import Say
from rerank.wording.names import name_of
from rerank.wording.numbers import share
from rerank.wording.sampling import sampling_lines

TEXT_CHARS = 300
SHOWN_ROWS = 1000


def dataset_view(say: Say) -> None:
    """Show the chosen dataset."""
    manifest = choose_dataset(say)
    if manifest is None:
        return
    digest = str(manifest["digest"])
    try:
        found = cached.dataset(digest)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    judged = found.judgments.groupby("query_id")["grade"].agg(["size", "max"])
    shown = (
        (say("Queries"), f"{len(found.queries):,}"),
        (say("Documents"), f"{len(found.documents):,}"),
        (say("Judgments"), f"{len(found.judgments):,}"),
        (say("Evaluable queries"), f"{int((judged['max'] >= 1).sum()):,}"),
        (say("Judgments per query"), f"{judged['size'].mean():.1f}" if len(judged) else "0"),
    )
    numbers(shown)
    if manifest["synthetic"]:
        st.caption(say("This sample is synthetic: it was written for this product."))
    if manifest.get("implicit"):
        st.warning(say("The judgments are implicit: they were made from clicks, nobody has judged."))
    judging = manifest.get("judging")
    if judging:
        st.caption(markdown(judging_sentence(say, judging)))
    for line in sampling_lines(say, manifest.get("sampling")):
        st.caption(line)
    if manifest["n_rejected"]:
        st.warning(
            say("{n} rows were left out when this dataset was saved; they are kept here.", n=manifest["n_rejected"])
        )
        left_out = load_rejected(digest).rename(
            columns={"file": say("File"), "line": say("Line"), "code": say("Rule"), "row": say("Row")}
        )
        table(say, left_out, "rejected_rows")
    answer, content = st.tabs([say("Is this sample good enough?"), say("What it holds")])
    with answer:
        adequacy_view(say, manifest)
    with content:
        left, right = st.columns(2)
        with left:
            _grades(say, found)
        with right:
            _segments(say, found)
        findings_table(say, load_findings(digest), "dataset_findings")
        duplicates_view(say, found)
        _texts(say, found)


def _grades(say: Say, found: Dataset) -> None:
    counts = found.judgments["grade"].value_counts().sort_index()
    by_grade = {int(str(grade)): int(count) for grade, count in counts.items()}
    frame = pd.DataFrame({say("Grade"): list(by_grade), say("Judgments"): list(by_grade.values())})
    st.subheader(say("Grades"), anchor=False)
    figure(say, grade_histogram(say, by_grade), frame, "grades", say("Number of judgments per grade"))


def _segments(say: Say, found: Dataset) -> None:
    st.subheader(say("Segments"), anchor=False)
    segments = found.queries["segment"].replace("", say("(none)")).value_counts()
    frame = pd.DataFrame(
        {
            say("Segment"): [plain(name, 60) for name in segments.index],
            say("Queries"): segments.to_numpy(),
            say("Share"): [share(count / len(found.queries)) for count in segments],
        }
    )
    table(say, frame, "segments")


def _texts(say: Say, found: Dataset) -> None:
    st.subheader(say("Texts"), anchor=False)
    queries, documents = st.tabs([say("Queries"), say("Documents")])
    with queries:
        _first_rows(say, found.queries)
    with documents:
        _first_rows(say, found.documents)


def _first_rows(say: Say, frame: pd.DataFrame) -> None:
    shown = frame.head(SHOWN_ROWS)
    shown = shown.assign(text=shown["text"].str.slice(0, TEXT_CHARS))
    user_rows(shown.rename(columns={name: name_of(say, FIELD_NAMES, name) for name in shown.columns}), height=300)
