"""Datasets on disk: one folder per digest that appears whole or not at all."""

import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from rerank.errors import RerankError
from rerank.intake.dataset import TABLES, Dataset
from rerank.intake.findings import Finding
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import RejectedRow, capped, finding_dict, rejected_frame
from rerank.intake.personal import mask
from rerank.store.artefacts import flush_tree, read_json, read_parquet, write_json, write_parquet, write_parquet_parts
from rerank.store.columns import link_columns, mapped_columns
from rerank.store.home import room

MAX_LINEAGE = 1_000
MAX_REJECTED_AT_ONCE = 10_000
DOCUMENTS = "documents"  # a folder of columns instead of a Parquet file, when they are too many for memory


def dataset_folder(digest: str) -> Path:
    """Return a dataset's folder. Raises RerankError `dataset_not_found`."""
    folder = room("datasets") / digest
    if len(digest) != 64 or not (folder / "manifest.json").is_file():
        raise RerankError("dataset_not_found", digest=digest[:64])
    return folder


def save_dataset(dataset: Dataset, findings: Sequence[Finding] = (), rejected: Sequence[RejectedRow] = ()) -> Path:
    """Write a dataset with its findings and refused rows; one that is there already stays as it is."""
    final = room("datasets") / dataset.digest
    if (final / "manifest.json").is_file():
        return final
    if dataset.manifest.get("masked"):
        findings = [
            replace(finding, value=None if finding.value is None else mask(finding.value)) for finding in findings
        ]
    part = Path(tempfile.mkdtemp(dir=room("datasets"), prefix=".part."))
    try:
        for name in TABLES:
            frame = getattr(dataset, name)
            if name == DOCUMENTS and dataset.documents_at is not None:
                link_columns(dataset.documents_at, part / DOCUMENTS, FIELDS[DOCUMENTS])
            elif frame is not None:
                write_parquet(part / f"{name}.parquet", frame)
        write_json(part / "findings.json", [finding_dict(finding) for finding in capped(findings)])
        write_parquet_parts(part / "rejected.parquet", _rejected_frames(rejected, bool(dataset.manifest.get("masked"))))
        write_json(part / "manifest.json", dict(dataset.manifest))
        part.chmod(0o755)
        flush_tree(part)
        if final.exists():  # a folder without manifest: somebody's broken copy
            shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final


def _rejected_frames(rejected: Iterable[RejectedRow], masked: bool) -> Iterator[pd.DataFrame]:
    rows = (replace(row, row=mask(row.row)) if masked else row for row in rejected)
    yield rejected_frame(list(itertools.islice(rows, MAX_REJECTED_AT_ONCE)))
    while some := list(itertools.islice(rows, MAX_REJECTED_AT_ONCE)):
        yield rejected_frame(some)


def load_dataset(digest: str) -> Dataset:
    """Return a stored dataset. Raises RerankError `dataset_not_found` or `dataset_unreadable`."""
    folder = dataset_folder(digest)
    try:
        manifest = read_json(folder / "manifest.json")
        tables = {
            name: read_parquet(folder / f"{name}.parquet") for name in TABLES if (folder / f"{name}.parquet").is_file()
        }
        at = folder / DOCUMENTS if (folder / DOCUMENTS).is_dir() else None
        if at is not None:
            tables[DOCUMENTS] = mapped_columns(at, FIELDS[DOCUMENTS])
        return Dataset(
            name=str(manifest["name"]),
            digest=digest,
            queries=tables["queries"],
            documents=tables["documents"],
            judgments=tables["judgments"],
            candidates=tables.get("candidates"),
            teacher_scores=tables.get("teacher_scores"),
            manifest=manifest,
            ratings=tables.get("ratings"),
            documents_at=at,
        )
    except (OSError, ValueError, KeyError) as error:
        raise RerankError("dataset_unreadable", digest=digest, reason=type(error).__name__) from error


def lineage_of(digest: str) -> list[str]:
    """Return a dataset's digest and those it was made from by adding judgments, the newest first."""
    found = [digest]
    while len(found) < MAX_LINEAGE:
        path = room("datasets") / found[-1] / "manifest.json"
        judging = read_json(path).get("judging") if path.is_file() else None
        if not judging or judging["dataset"] in found:
            break
        found.append(str(judging["dataset"]))
    return found


def root_of(digest: str) -> str:
    """Return the upload that a dataset goes back to: itself, unless judgments were added in the app."""
    path = room("datasets") / digest / "manifest.json"
    judging = read_json(path).get("judging") if path.is_file() else None
    return str(judging["root"]) if judging else digest


def list_datasets() -> list[dict[str, Any]]:
    """Return the manifests of all datasets, newest first."""
    found = []
    for folder in room("datasets").iterdir():
        path = folder / "manifest.json"
        if not folder.name.startswith(".") and path.is_file():
            found.append(read_json(path))
    return sorted(found, key=lambda item: (item["created_at"], item["digest"]), reverse=True)


def load_findings(digest: str) -> list[Finding]:
    """Return what was found when a dataset was imported."""
    return [Finding(**record) for record in read_json(dataset_folder(digest) / "findings.json")]


def load_rejected(digest: str) -> pd.DataFrame:
    """Return the rows that are not in a dataset: file, line, code, row."""
    return read_parquet(dataset_folder(digest) / "rejected.parquet")


def delete_dataset(digest: str) -> None:
    """Remove a dataset; experiments on it keep their results."""
    shutil.rmtree(dataset_folder(digest))
