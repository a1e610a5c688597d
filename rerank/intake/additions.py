"""What comes to a dataset that is there: a teacher's scores for it, and people's ratings of its pairs."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.archives import unpacked
from rerank.intake.checks import check_whole, fitted_ratings
from rerank.intake.dataset import Dataset
from rerank.intake.findings import Finding
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import Ledger, count_errors
from rerank.intake.reading import Draft, Reader
from rerank.intake.sources import Source, bytes_of


def read_teacher_scores(
    path: Path,
    dataset: Dataset,
    *,
    keep_good_rows: bool = False,
    tell: Callable[[Sequence[Finding]], None] | None = None,
) -> pd.DataFrame:
    """Return a file's teacher scores for a dataset: query_id, doc_id, score.

    Scores in any layout that a sample's may have, permutations, or a run; where there are only ranks, the score is the
    negated rank. tell: is given what was found in the file before anything is refused. Raises RerankError
    `input_not_found`, `input_unreadable`, `input_has_errors`, and `no_teacher_scores` when nothing is left.
    """
    source = Source(path.name, bytes_of(path))
    # The user's word first: a table of scores without a telling name may be anything.
    said, ledger = _teacher_reading(dataclasses.replace(source, role="teacher_scores"))
    for role in (None, "candidates"):
        if said:
            break
        found, noticed = _teacher_reading(dataclasses.replace(source, role=role))
        if found:
            said, ledger = found, noticed
    frames = {role: getattr(dataset, role).assign(file="", line=0) for role in ("queries", "documents", "judgments")}
    if said:
        frames["teacher_scores"] = pd.concat(said, ignore_index=True)
    checked = check_whole(frames, ledger)
    if tell is not None:
        tell(ledger.findings)
    n_errors = count_errors(ledger.findings)
    if n_errors and not keep_good_rows:
        raise RerankError("input_has_errors", n_errors=n_errors)
    whole = checked.get("teacher_scores")
    if whole is None or whole.empty:
        raise RerankError("no_teacher_scores", dataset=dataset.name)
    return whole[list(FIELDS["teacher_scores"])].reset_index(drop=True)


def _teacher_reading(source: Source) -> tuple[list[pd.DataFrame], Ledger]:
    """Return what a file says as a teacher's scores, or as a run that stands for them, and what was noticed."""
    reader = _read([source])
    said = list(reader.frames.get("teacher_scores", []))
    for run in reader.frames.get("candidates", []):
        score = run["score"] if "score" in run and run["score"].notna().all() else -run["rank"].astype(float)
        said.append(run.assign(score=score)[["query_id", "doc_id", "score", "file", "line"]])
    return said, reader.ledger


def read_ratings(sources: Sequence[Source], dataset: Dataset) -> Draft:
    """Read files of ratings or judgments against a dataset's queries and documents, as a draft.

    Its `judgments` hold only pairs without ratings by raters. What is not in the dataset is refused with its line.
    """
    reader = _read(sources)
    said = {
        role: pd.concat(reader.frames[role], ignore_index=True)
        for role in ("judgments", "ratings")
        if reader.frames.get(role)
    }
    fitted = fitted_ratings(said, dataset, reader.ledger)
    return Draft(fitted, tuple(reader.files), reader.ledger.findings, reader.ledger.rejected)


def _read(sources: Sequence[Source]) -> Reader:
    """Return what files hold, whole, archives unpacked, with nobody's word on single tables."""
    reader = Reader({}, None)
    for source in sources:
        for inner in unpacked(source, reader.ledger):
            reader.read(inner)
    return reader
