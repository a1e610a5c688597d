"""How far everybody is, how fast, and how well raters agree."""

import pandas as pd
import streamlit as st

from rerank.intake.agreement import MIN_SHARED_PAIRS, TENTATIVE_ALPHA
from rerank.intake.dataset import Dataset
from rerank.judging.order import desk_of, n_rated
from rerank.judging.ratings import agreement_among, by_rater, disagreements, pace_of, ratings_of
from rerank.judging.tasks import Task
from rerank.store import judging
from rerank.ui.safe import plain
from rerank.ui.show import numbers, table
from rerank.wording.language import Say
from rerank.wording.numbers import NOTHING, count, duration, score, share

SHOWN_CHARS = 120


def progress_panel(say: Say, task: Task, dataset: Dataset) -> None:
    """Show progress and pace by rater, agreement, and the pairs that raters see differently."""
    marks, pairs = judging.read_marks(task.id), judging.read_pairs(task.id)
    raters = judging.read_raters(task.id)
    ratings = ratings_of(marks)
    pace, agreement, rated = pace_of(marks), agreement_among(ratings), n_rated(marks)
    numbers(
        (
            (say("Pairs"), count(len(pairs))),
            (say("Judged at least once"), count(len(rated))),
            (say("Judged by several"), count(agreement.n_pairs)),
            (say("Krippendorff's α"), score(agreement.alpha)),
            (say("Equal grades"), share(agreement.share_equal)),
            (say("Seconds per judgment"), f"{pace.seconds:.1f}" if pace else NOTHING),
        )
    )
    _agreement_sentence(say, agreement.alpha, agreement.n_pairs)
    if pace is not None:
        st.caption(
            say(
                "The time is the median of {n} judgments, from the moment a pair is shown. The plan page offers it "
                "where it asks what more judgments take.",
                n=count(pace.n_timed),
            )
        )
    if raters:
        people = by_rater(marks, raters)
        left = [desk_of(task, pairs, marks, rater).n_left for rater in raters]
        shown = pd.DataFrame(
            {
                say("Rater"): [plain(rater, 60) for rater in people["rater"]],
                say("Judged"): people["n_judged"],
                say("Left"): left,
                say("Mean grade"): people["mean_grade"].map(
                    lambda value: NOTHING if pd.isna(value) else f"{value:.2f}"
                ),
                say("Time per judgment"): people["seconds"].map(
                    lambda value: NOTHING if pd.isna(value) else duration(value, say)
                ),
            }
        )
        table(say, shown, "raters")
    _disagreements(say, dataset, ratings)


def _agreement_sentence(say: Say, alpha: float | None, n_pairs: int) -> None:
    if n_pairs < MIN_SHARED_PAIRS:
        st.info(
            say(
                "Agreement can be told from {least} pairs that two people have judged; there are {n}. Every rater's "
                "first 20 pairs are the same.",
                least=MIN_SHARED_PAIRS,
                n=n_pairs,
            )
        )
    elif alpha is None:
        st.info(say("All grades are the same so far: α is not defined."))
    elif alpha < TENTATIVE_ALPHA:
        st.warning(
            say(
                "Raters agree poorly (α {alpha}, at least {least} is wanted). Talk about the pairs below and sharpen "
                "the guideline before you go on.",
                alpha=score(alpha),
                least=TENTATIVE_ALPHA,
            )
        )
    else:
        st.success(say("Raters agree well enough (α {alpha}).", alpha=score(alpha)))


def _disagreements(say: Say, dataset: Dataset, ratings: pd.DataFrame) -> None:
    found = disagreements(ratings)
    if found.empty:
        return
    st.subheader(say("Where raters differ, the widest apart first"), anchor=False)
    queries = dataset.queries.set_index("query_id")["text"]
    documents = dataset.documents.set_index("doc_id")
    named = documents["title"].where(documents["title"] != "", documents["text"])
    shown = pd.DataFrame(
        {
            say("Query"): [plain(queries.get(query_id, query_id), SHOWN_CHARS) for query_id in found["query_id"]],
            say("Document"): [plain(named.get(doc_id, doc_id), SHOWN_CHARS) for doc_id in found["doc_id"]],
        }
    )
    for rater in (column for column in found.columns if column not in ("query_id", "doc_id", "spread")):
        grades = found[rater].map(lambda grade: "" if pd.isna(grade) else f"{int(grade)}")
        shown[f"{plain(rater, 40)} "] = grades.to_numpy()
    table(say, shown, "disagreements")
