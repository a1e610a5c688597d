"""From a checked draft to a dataset, when the user has decided."""

import datetime
from collections import Counter
from pathlib import Path

from rerank.errors import RerankError
from rerank.intake.content_digest import dataset_digest
from rerank.intake.dataset import Dataset
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import count_errors
from rerank.intake.personal import masked_ids, without_personal_data
from rerank.intake.reading import Draft
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
) -> Dataset:
    """Return the dataset of a draft; what was decided is in its manifest.

    mask_personal_data: replace e-mail addresses and telephone numbers in texts. segments: the proposal (`length` or
    `form`) that gives queries their segments. Raises RerankError `unknown_segments`, `input_has_errors` when rows or
    files were refused and the user has not said that the good rows are enough, and `dataset_is_empty` without queries
    or documents.
    """
    n_errors = count_errors(draft.findings)
    if n_errors and not keep_good_rows:
        raise RerankError("input_has_errors", n_errors=n_errors)
    frames = {role: draft.frames[role][list(FIELDS[role])].reset_index(drop=True) for role in draft.frames}
    sizes = {"n_queries": len(frames["queries"]), "n_documents": len(frames["documents"])}
    if not all(sizes.values()):
        raise RerankError("dataset_is_empty", **sizes)
    n_masked: dict[str, int] = {}
    if mask_personal_data:
        for role in ("queries",) if draft.spool is not None else ("queries", "documents"):
            frames[role], n_masked[role] = without_personal_data(role, frames[role])
        ids = masked_ids(frames["queries"]["query_id"])
        for role, frame in frames.items():
            if "query_id" in frame.columns:
                frames[role] = frame.assign(query_id=replaced(frame["query_id"], ids))
    if segments is not None:
        frames["queries"] = frames["queries"].assign(segment=segments_by(frames["queries"], segments))
    on_disk: Path | None = None
    if draft.spool is not None:
        on_disk = draft.spool.columns
        if mask_personal_data:
            on_disk, n_masked["documents"] = _masked(draft.spool)
        frames["documents"] = mapped_columns(on_disk, FIELDS["documents"])
    digest = dataset_digest(frames, on_disk)
    manifest = {
        "digest": digest,
        "name": name,
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **sizes,
        "n_judgments": len(frames["judgments"]),
        "n_candidates": len(frames.get("candidates", ())),
        "n_teacher_scores": len(frames.get("teacher_scores", ())),
        "n_ratings": len(frames.get("ratings", ())),
        "implicit": any(finding.code == "judgments_implicit" for finding in draft.findings),
        "masked": n_masked,
        "segments": segments,
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
    )


def _masked(spool: DocumentSpool) -> tuple[Path, int]:
    """Write documents with masked texts beside those that were read; return where, and how many that changed."""
    folder = spool.folder / "masked"
    n_masked = 0
    with ColumnWriter(folder, FIELDS["documents"]) as written:
        for frame in batches_of(spool.columns, FIELDS["documents"]):
            masked, n_changed = without_personal_data("documents", frame)
            written.write(masked)
            n_masked += n_changed
    return folder, n_masked
