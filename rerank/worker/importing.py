"""Importing a sample from the inbox: for files that are too large for a page to take."""

from dataclasses import dataclass
from pathlib import Path

from rerank.errors import RerankError
from rerank.intake.dataset import TABLES
from rerank.intake.disk import read_file, read_folder
from rerank.intake.finish import finish
from rerank.intake.inbox import entry_path
from rerank.intake.noting import capped, finding_dict
from rerank.intake.sampling import By, Sampling
from rerank.intake.storage import save_dataset
from rerank.store.artefacts import write_json
from rerank.worker.reporter import Reporter


@dataclass(frozen=True)
class ImportSpec:
    """What is imported and what the user decided; `entry` is a file or folder of the inbox."""

    entry: str
    name: str
    keep_good_rows: bool = False
    mask_personal_data: bool = False
    sample_queries: int | None = None
    sample_documents: int | None = None
    sample_by: By = "chance"
    sample_seed: int = 1


def run_import(spec: ImportSpec, reporter: Reporter, record: Path) -> None:
    """Read, check and store; the record has findings and row counts, once it is stored those of the dataset.

    Raises what reading and `finish` raise; the findings are written before that.
    """
    reporter.progress(phase="reading")
    path = entry_path(spec.entry)
    draft = read_file(path) if path.is_file() else read_folder(path)
    findings = [finding_dict(finding) for finding in capped(draft.findings)]
    found = {
        "digest": None,
        "findings": findings,
        "n_rejected": len(draft.rejected),
        "counts": {role: len(frame) for role, frame in draft.frames.items()},
    }
    write_json(record, found)
    reporter.breathe()
    reporter.progress(phase="storing")
    try:
        dataset = finish(
            draft,
            spec.name,
            keep_good_rows=spec.keep_good_rows,
            mask_personal_data=spec.mask_personal_data,
            sampling=Sampling(spec.sample_queries, spec.sample_documents, spec.sample_by, spec.sample_seed),
        )
    except RerankError:
        reporter.event("not_stored", entry=spec.entry)
        raise
    save_dataset(dataset, draft.findings, draft.rejected)
    counts = {role: len(frame) for role in TABLES if (frame := getattr(dataset, role)) is not None}
    write_json(record, {**found, "digest": dataset.digest, "counts": counts, "sampling": dataset.manifest["sampling"]})
    reporter.event("stored", digest=dataset.digest)
    reporter.progress(phase="done", share=1.0)
