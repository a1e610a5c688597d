"""From the DATA argument to a draft or a stored dataset."""

import argparse
import re
from pathlib import Path

from rerank.intake.dataset import Dataset
from rerank.intake.disk import read_file, read_folder
from rerank.intake.finish import finish
from rerank.intake.reading import Draft
from rerank.intake.sampling import Sampling
from rerank.intake.storage import load_dataset, save_dataset
from rerank.store.home import inbox


def draft_of(given: argparse.Namespace) -> Draft:
    """Read a folder or a single file, as the mapping says if there is one. Raises what the readers raise.

    What does not exist here and does in the inbox is read from there.
    """
    path = located(given.data)
    mapping = Path(given.mapping).expanduser() if given.mapping else None
    return read_file(path, mapping) if path.is_file() else read_folder(path, mapping)


def dataset_of(given: argparse.Namespace) -> Dataset:
    """Return the dataset of a run: imported and stored, or loaded when DATA is a digest."""
    if re.fullmatch(r"[0-9a-f]{64}", given.data) and not Path(given.data).exists():
        return load_dataset(given.data)
    return saved(draft_of(given), given)


def located(data: str) -> Path:
    """Return where DATA lies: here, else in the inbox of the home folder."""
    path = Path(data).expanduser()
    inside = inbox() / data
    return inside if not path.exists() and inside.exists() else path


def saved(draft: Draft, given: argparse.Namespace) -> Dataset:
    """Finish a draft as the flags say and store the dataset. Raises what `finish` raises."""
    name = given.name or str(draft.facts.get("name") or located(given.data).resolve().name)
    dataset = finish(
        draft,
        name,
        keep_good_rows=given.keep_good_rows,
        mask_personal_data=given.mask_personal_data,
        segments=given.segment_by,
        sampling=Sampling(given.sample_queries, given.sample_documents, given.sample_by, given.sample_seed),
    )
    save_dataset(dataset, draft.findings, draft.rejected)
    return dataset
