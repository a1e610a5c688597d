"""Judgments out to Quepid, TREC and the product's own table, and in from any format that is known."""

import json

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.noting import rejected_frame
from rerank.intake.sources import Source
from rerank.judging.exchange import Imported, import_ratings, quepid_book, quepid_ratings, ratings_table
from rerank.judging.ratings import judgments_from, ratings_of
from rerank.judging.tasks import Task
from rerank.report.files import qrels_text
from rerank.report.spreadsheets import csv_bytes
from rerank.store import judging
from rerank.ui.findings import findings_table
from rerank.ui.judge_use import ties_field
from rerank.ui.safe import plain
from rerank.ui.show import download, problem
from rerank.wording.language import Say
from rerank.wording.numbers import count

NAME_CHARS = 60


def files_panel(say: Say, task: Task, dataset: Dataset) -> None:
    """Offer downloads of what is judged, and take the judgments of files into the task."""
    left, right = st.columns(2)
    with left:
        _export(say, task, dataset)
    with right:
        _import(say, task, dataset)


def _export(say: Say, task: Task, dataset: Dataset) -> None:
    st.subheader(say("Export"), anchor=False)
    ratings = ratings_of(judging.read_marks(task.id))
    st.write(say("{n} ratings so far.", n=count(len(ratings))))
    ties = ties_field(say, "export_ties")
    made = judgments_from(ratings, ties)
    name = f"judging-{task.id}"
    files = (
        (
            say("Every rater's ratings (CSV)"),
            f"{name}-ratings.csv",
            "text/csv",
            lambda: csv_bytes(ratings_table(dataset, ratings)),
        ),
        (say("TREC qrels (medians)"), f"{name}.qrels", "text/plain", lambda: qrels_text(made).encode()),
        (
            say("Quepid ratings (CSV, medians)"),
            f"{name}-quepid.csv",
            "text/csv",
            lambda: csv_bytes(quepid_ratings(dataset, made)),
        ),
        (
            say("Quepid book (JSON, every rater, unjudged pairs too)"),
            f"{name}-book.json",
            "application/json",
            lambda: json.dumps(quepid_book(dataset, task, ratings), ensure_ascii=False, indent=1).encode(),
        ),
    )
    for label, file_name, mime, data in files:
        st.download_button(
            label,
            data=data,
            file_name=file_name,
            mime=mime,
            key=f"export_{file_name}",
            icon=":material/download:",
            on_click="ignore",
        )


def _import(say: Say, task: Task, dataset: Dataset) -> None:
    st.subheader(say("Import"), anchor=False)
    st.write(
        say(
            "Judgments that were made elsewhere: Quepid, TREC, a table with raters, or any other format of the data "
            "page. They join this task; pairs that it lacks are added."
        )
    )
    files = st.file_uploader(say("Drop files here"), accept_multiple_files=True, key=f"judged_files_{task.id}")
    rater = st.text_input(
        say("Whose judgments are they, where the file names no rater?"),
        value=say("imported"),
        max_chars=NAME_CHARS,
        key="imported_rater",
    )
    if st.button(say("Import"), disabled=not files or not plain(rater).strip(), key="import_judgments"):
        sources = [
            Source(plain(file.name.replace("\\", "/").rsplit("/", 1)[-1], 200), file.getvalue()) for file in files
        ]
        try:
            found = import_ratings(task, dataset, sources, plain(rater).strip())
        except RerankError as error:
            problem(say, error.code, error.facts)
            return
        _imported(say, found)


def _imported(say: Say, found: Imported) -> None:
    st.success(
        say(
            "{n} ratings of {raters} raters were imported, {new} of the pairs new to this task.",
            n=count(found.n_marks),
            raters=count(found.n_raters),
            new=count(found.n_new_pairs),
        )
    )
    if found.n_known:
        st.info(say("{n} pairs are judged in the dataset already; those judgments stay.", n=count(found.n_known)))
    if found.n_off_scale:
        st.warning(
            say("{n} ratings are above the highest grade of this task and were left out.", n=count(found.n_off_scale))
        )
    if found.findings:
        findings_table(say, found.findings, "import_findings")
    if found.rejected:
        download(
            say, rejected_frame(found.rejected), "not_imported", label=say("Download the rows that are not usable")
        )
