"""What pages read from disk, kept in memory by digest or by the file's time, never by content."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from rerank.adequacy.report import Adequacy, adequacy_of
from rerank.audit.records import AUDIT, load_audit
from rerank.cost.prices import current_prices, own_table
from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.document_duplicates import RECORD, Duplicates, duplicates_folder, found_duplicates, unjudged_copies
from rerank.intake.storage import load_dataset, load_findings
from rerank.planning.experiments import experiment_folder, list_experiments, load_result, pilot_path
from rerank.planning.losses import holds_only_ranks
from rerank.planning.presets import preset
from rerank.planning.splits import queries_with_relevant
from rerank.report.comparisons import family_size
from rerank.report.files import read_per_query, read_to_judge
from rerank.report.recount import at_prices
from rerank.store.artefacts import read_json, read_parquet


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@st.cache_resource(max_entries=4, show_spinner=False)
def dataset(digest: str) -> Dataset:
    """Return a dataset; shared by all visitors and never changed."""
    return load_dataset(digest)


@st.cache_data(max_entries=16, show_spinner=False)
def teacher_has_only_ranks(digest: str) -> bool:
    """Say whether a dataset's teacher scores are ranks in truth."""
    said = dataset(digest).teacher_scores
    return said is not None and holds_only_ranks(said)


@st.cache_data(max_entries=16, show_spinner=False)
def n_evaluable(digest: str, relevant_grade: int) -> int:
    """Return how many queries of a dataset have a document of at least this grade."""
    return len(queries_with_relevant(dataset(digest), relevant_grade))


@st.cache_resource(max_entries=4, show_spinner=False)
def _duplicates(digest: str, stamp: int) -> tuple[Duplicates, pd.DataFrame] | None:
    del stamp
    found = found_duplicates(dataset(digest))
    return None if found is None else (found, unjudged_copies(dataset(digest), found))


def duplicates(digest: str) -> tuple[Duplicates, pd.DataFrame] | None:
    """Return a dataset's near-duplicate documents and `unjudged_copies`; None before all were searched. Shared."""
    return _duplicates(digest, _stamp(duplicates_folder(dataset(digest)) / RECORD))


@st.cache_data(max_entries=32, show_spinner=False)
def _result(experiment: str, stamp: int, prices_stamp: int) -> dict[str, Any] | None:
    del stamp, prices_stamp  # part of the key
    found = load_result(experiment)
    try:
        return None if found is None else at_prices(found, current_prices())
    except RerankError:  # a broken table is said where prices are shown; the result's own prices count meanwhile
        return found


def result(experiment: str) -> dict[str, Any] | None:
    """Return an experiment's result, counted at today's prices; None before there is one."""
    return _result(experiment, _stamp(experiment_folder(experiment) / "result.json"), _stamp(own_table()))


@st.cache_data(max_entries=8, show_spinner=False)
def _audit(experiment: str, stamp: int) -> dict[str, Any] | None:
    del stamp
    return load_audit(experiment)


def audit(experiment: str) -> dict[str, Any] | None:
    """Return an experiment's teacher audit, None before there is one."""
    return _audit(experiment, _stamp(experiment_folder(experiment) / AUDIT))


@st.cache_data(max_entries=8, show_spinner=False)
def _per_query(experiment: str, stamp: int) -> pd.DataFrame:
    del stamp
    return read_per_query(experiment_folder(experiment))


def per_query(experiment: str) -> pd.DataFrame:
    """Return per-query scores: strategy, query_id, measure, value."""
    return _per_query(experiment, _stamp(experiment_folder(experiment) / "result.json"))


@st.cache_data(max_entries=8, show_spinner=False)
def _to_judge(experiment: str, stamp: int) -> pd.DataFrame:
    del stamp
    return read_to_judge(experiment_folder(experiment))


def to_judge(experiment: str) -> pd.DataFrame:
    """Return the judgments that would settle the verdicts, as `report.unjudged.judgments_to_settle` does."""
    return _to_judge(experiment, _stamp(experiment_folder(experiment) / "result.json"))


@st.cache_data(max_entries=8, show_spinner=False)
def _rankings(experiment: str, stamp: int) -> pd.DataFrame:
    del stamp
    return read_parquet(experiment_folder(experiment) / "rankings.parquet")


def rankings(experiment: str) -> pd.DataFrame:
    """Return rankings of all strategies and seeds: strategy, seed, query_id, doc_id, rank, score."""
    return _rankings(experiment, _stamp(experiment_folder(experiment) / "rankings.parquet"))


@st.cache_data(max_entries=8, show_spinner=False)
def _adequacy(digest: str, pilot_stamp: int, experiment: str, stamp: int) -> Adequacy:
    del pilot_stamp, stamp
    plan = preset("standard", digest)
    pilot = read_json(pilot_path(plan)) if pilot_path(plan).is_file() else None
    computed = {}
    if experiment:
        found = read_parquet(experiment_folder(experiment) / "rankings.parquet")
        computed["embedding"] = found[found["strategy"] == "embedding"].drop_duplicates(["query_id", "doc_id"])
    return adequacy_of(
        dataset(digest),
        load_findings(digest),
        plan,
        n_questions=family_size(plan),
        pilot_sd=float(pilot["sd"]) if pilot else None,
        computed=computed,
    )


def adequacy(digest: str) -> Adequacy:
    """Return whether a dataset is good enough for a standard plan; with the embedding's lists where a run has them."""
    known = [
        item["id"]
        for item in list_experiments()
        if item["plan"]["dataset_digest"] == digest
        and "embedding" in item["plan"]["strategies"]
        and (experiment_folder(item["id"]) / "rankings.parquet").is_file()
    ]
    experiment = str(known[0]) if known else ""
    stamp = _stamp(experiment_folder(experiment) / "rankings.parquet") if experiment else 0
    return _adequacy(digest, _stamp(pilot_path(preset("standard", digest))), experiment, stamp)
