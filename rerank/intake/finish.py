"""From a checked draft to a dataset, when the user has decided."""

import datetime
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.intake.content_digest import dataset_digest
from rerank.intake.dataset import Dataset
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import count_errors
from rerank.intake.personal import masked_ids, without_personal_data
from rerank.intake.reading import Draft
from rerank.intake.sampling import Sampling, sampled
from rerank.intake.segments import segments_by
from rerank.intake.spool import DocumentSpool
from rerank.intake.tables import replaced
from rerank.store.columns import ColumnWriter, batches_of, mapped_columns


def left_out(draft: Draft) -> dict[str, dict[str, int]]:
    """Return by role how many rows were refused for which error; repeats and blanks, which are harmless, do not count.

    A row of a file that has several roles counts for each of them.
    """
    errors = {finding.code for finding in draft.findings if finding.severity == "error"}
    found: dict[str, Counter[str]] = {}
    for row in draft.rejected:
        if row.code in errors:
            roles = {
                role for file in draft.files if file.name == row.file for role in (*file.outputs, file.role) if role
            }
            for role in sorted(roles):
                found.setdefault(role, Counter())[row.code] += 1
    return {role: dict(codes) for role, codes in sorted(found.items())}


def finish(
    draft: Draft,
    name: str,
    *,
    keep_good_rows: bool = False,
    mask_personal_data: bool = False,
    segments: str | None = None,
    sampling: Sampling | None = None,
) -> Dataset:
    """Return the dataset of a draft; what was decided is in its manifest.

    mask_personal_data: replace e-mail addresses and telephone numbers in texts. segments: the proposal (`length` or
    `form`) that gives queries their segments. sampling: how much is kept. Raises what `sampled` raises and RerankError
    `unknown_segments`, `input_has_errors` when rows or files were refused and the user has not said that the good rows
    are enough, and `dataset_is_empty` without queries or documents.
    """
    n_errors = count_errors(draft.findings)
    if n_errors and not keep_good_rows:
        raise RerankError("input_has_errors", n_errors=n_errors)
    frames = {role: draft.frames[role][list(FIELDS[role])].reset_index(drop=True) for role in draft.frames}
    _refuse_empty(frames)
    n_masked: dict[str, int] = {}
    if mask_personal_data:
        for role in ("queries",) if draft.spool is not None else ("queries", "documents"):
            frames[role], n_masked[role] = without_personal_data(role, frames[role])
        ids = masked_ids(frames["queries"]["query_id"])
        for role, frame in frames.items():
            if "query_id" in frame.columns:
                frames[role] = frame.assign(query_id=replaced(frame["query_id"], ids))
    keep: NDArray[np.bool_] | None = None
    said: dict[str, Any] | None = None
    if segments is not None:
        frames["queries"] = frames["queries"].assign(segment=segments_by(frames["queries"], segments))
    if sampling is not None and (sampling.queries is not None or sampling.documents is not None):
        frames, keep, said = sampled(frames, sampling, draft.frames["queries"]["frequency"])
        if draft.spool is None:
            frames["documents"] = frames["documents"][keep].reset_index(drop=True)
        _refuse_empty(frames)
    on_disk: Path | None = None
    if draft.spool is not None:
        on_disk = draft.spool.columns
        if mask_personal_data or keep is not None:
            on_disk, n_changed = _rewritten(draft.spool, keep, mask_personal_data)
            n_masked.update({"documents": n_changed} if mask_personal_data else {})
        frames["documents"] = mapped_columns(on_disk, FIELDS["documents"])
    digest = dataset_digest(frames, on_disk)
    manifest = {
        "digest": digest,
        "name": name,
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "n_queries": len(frames["queries"]),
        "n_documents": len(frames["documents"]),
        "n_judgments": len(frames["judgments"]),
        "n_candidates": len(frames.get("candidates", ())),
        "n_teacher_scores": len(frames.get("teacher_scores", ())),
        "n_ratings": len(frames.get("ratings", ())),
        "implicit": any(finding.code == "judgments_implicit" for finding in draft.findings),
        "masked": n_masked,
        "segments": segments,
        "sampling": said,
        "synthetic": bool(draft.facts.get("synthetic", False)),
        "facts": dict(draft.facts),
        "keep_good_rows": keep_good_rows,
        "n_rejected": len(draft.rejected),
        "left_out": left_out(draft),
        "left_out_files": [file.name for file in draft.files if not file.outputs],
        "findings": dict(Counter(finding.code for finding in draft.findings)),
        "files": [
            {
                "name": file.name,
                "role": file.role,
                "mapping": dict(file.mapping),
                "n_rows": file.n_rows,
                "n_bytes": file.n_bytes,
                "sha256": file.sha256,
                "encoding": file.encoding,
                "format": file.layout,
                "rows": dict(file.outputs),
            }
            for file in draft.files
        ],
    }
    judgments = frames["judgments"].astype({"grade": "int64"})
    return Dataset(
        name=name,
        digest=digest,
        queries=frames["queries"],
        documents=frames["documents"],
        judgments=judgments,
        candidates=frames.get("candidates"),
        teacher_scores=frames.get("teacher_scores"),
        manifest=manifest,
        ratings=frames.get("ratings"),
        documents_at=on_disk,
        keeper=draft.spool,
    )


def _refuse_empty(frames: Mapping[str, pd.DataFrame]) -> None:
    sizes = {"n_queries": len(frames["queries"]), "n_documents": len(frames["documents"])}
    if not all(sizes.values()):
        raise RerankError("dataset_is_empty", **sizes)


def _rewritten(spool: DocumentSpool, keep: NDArray[np.bool_] | None, masked: bool) -> tuple[Path, int]:
    """Write the kept documents, with masked texts if asked, beside those that were read; return where.

    And how many of them masking changed.
    """
    folder = Path(tempfile.mkdtemp(dir=spool.folder))
    n_changed = start = 0
    with ColumnWriter(folder, FIELDS["documents"]) as written:
        for frame in batches_of(spool.columns, FIELDS["documents"]):
            kept = frame if keep is None else frame[keep[start : start + len(frame)]]
            start += len(frame)
            if masked:
                kept, n = without_personal_data("documents", kept)
                n_changed += n
            written.write(kept)
    return folder, n_changed
