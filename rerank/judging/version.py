"""Use these judgments: a new version of a dataset, the old one untouched, the manifest saying who judged."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.agreement import tell_agreement
from rerank.intake.checks import COUNTED, tell_counts
from rerank.intake.content_digest import dataset_digest
from rerank.intake.dataset import TABLES, Dataset
from rerank.intake.findings import Finding
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import REJECTED_COLUMNS, Ledger, RejectedRow, note
from rerank.intake.pairs import KEY
from rerank.intake.storage import load_findings, load_rejected, root_of, save_dataset
from rerank.judging.pool import people_judged
from rerank.judging.ratings import Ties, agreement_among, judgments_from, n_tied, pace_of, ratings_of
from rerank.judging.tasks import Task
from rerank.planning.experiments import now

_OF_RATERS = ("raters_agree", "raters_disagree")


def judged_version(
    dataset: Dataset,
    task: Task,
    marks: Sequence[Mapping[str, Any]],
    *,
    name: str,
    ties: Ties,
    min_raters: int = 1,
) -> Dataset:
    """Save and return a dataset with a task's judgments added; the old dataset stays as it is.

    A judgment that people made before stays; implicit ones, from clicks, are left out, because the two are not mixed.
    The manifest's `judging` says from which task, who judged, how well they agreed and how disagreements were
    resolved. Versions share one ledger of looks at test queries (`planning.looks`). Raises RerankError
    `no_judgments_yet`.
    """
    ratings = ratings_of(marks)
    earlier = people_judged(dataset)
    before = pd.MultiIndex.from_frame(earlier[KEY])
    ratings = ratings[~pd.MultiIndex.from_frame(ratings[KEY]).isin(before)]
    made = judgments_from(ratings, ties, min_raters)
    if made.empty:
        raise RerankError("no_judgments_yet", task=task.name)
    used = ratings[pd.MultiIndex.from_frame(ratings[KEY]).isin(pd.MultiIndex.from_frame(made[KEY]))]
    frames = {role: getattr(dataset, role) for role in TABLES if getattr(dataset, role) is not None}
    frames["judgments"] = pd.concat([earlier, made], ignore_index=True).astype({"grade": "int64"})
    frames["ratings"] = _with_ratings(dataset.ratings, used)
    findings = _findings(dataset, frames, used, len(made))
    digest = dataset_digest(frames, dataset.documents_at)
    agreement = agreement_among(used)
    pace = pace_of(marks)
    times = sorted(float(mark["marked_at"]) for mark in marks)
    manifest = {
        **dataset.manifest,
        "digest": digest,
        "name": name,
        "created_at": now(),
        "n_judgments": len(frames["judgments"]),
        "n_ratings": len(frames["ratings"]),
        "implicit": False,
        "findings": dict(Counter(finding.code for finding in findings)),
        "judging": {
            "root": root_of(dataset.digest),
            "dataset": dataset.digest,
            "task": task.id,
            "name": task.name,
            "source": task.settings.source,
            "order": task.settings.order,
            "meanings": list(task.settings.meanings),
            "guideline": task.guideline,
            "n_pairs": task.n_pairs,
            "n_judged": len(made),
            "n_raters": int(used["rater"].nunique()),
            "n_ratings": len(used),
            "min_raters": min_raters,
            "resolution": "median",
            "ties": ties,
            "n_tied": n_tied(used, min_raters),
            "alpha": agreement.alpha,
            "n_shared": agreement.n_pairs,
            "seconds_per_judgment": pace.seconds if pace else None,
            "first_at": _moment(times[0]),
            "last_at": _moment(times[-1]),
        },
    }
    version = Dataset(
        name=name,
        digest=digest,
        queries=frames["queries"],
        documents=frames["documents"],
        judgments=frames["judgments"],
        candidates=frames.get("candidates"),
        teacher_scores=frames.get("teacher_scores"),
        manifest=manifest,
        ratings=frames["ratings"],
        documents_at=dataset.documents_at,
    )
    rejected = load_rejected(dataset.digest)[list(REJECTED_COLUMNS)].itertuples(index=False, name=None)
    save_dataset(version, findings, [RejectedRow(*row) for row in rejected])
    return version


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def _with_ratings(before: pd.DataFrame | None, used: pd.DataFrame) -> pd.DataFrame:
    """Return all ratings; addresses of raters become numbers, as on import."""
    n_before = 0 if before is None else before["rater"].nunique()
    addresses = sorted(rater for rater in set(used["rater"]) if "@" in rater)
    names = {rater: f"rater {place}" for place, rater in enumerate(addresses, start=1 + n_before)}
    mine = used.assign(rater=used["rater"].map(lambda rater: names.get(rater, rater)).astype("str"))
    together = [mine] if before is None else [before, mine]
    return pd.concat([frame[list(FIELDS["ratings"])] for frame in together], ignore_index=True)


def _findings(dataset: Dataset, frames: Mapping[str, pd.DataFrame], used: pd.DataFrame, n_made: int) -> list[Finding]:
    """Return the old dataset's findings with those about judgments told anew."""
    ledger = Ledger()
    n_raters = int(used["rater"].nunique())
    ledger.findings.append(note("info", "judged_in_task", n_judgments=n_made, n_raters=n_raters))
    tell_agreement(frames["ratings"], ledger)
    tell_counts(frames, ledger)
    stale = {*COUNTED, *_OF_RATERS, "judgments_implicit"}
    return [finding for finding in load_findings(dataset.digest) if finding.code not in stale] + ledger.findings
