"""From the DATA argument to a draft or a stored dataset."""

import argparse
import re
from pathlib import Path

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Draft, Source, read_files, read_folder
from rerank.intake.storage import load_dataset, save_dataset


def draft_of(given: argparse.Namespace) -> Draft:
    """Read a folder or a single file. Raises RerankError `input_not_found` or `input_unreadable`."""
    path = Path(given.data).expanduser()
    mapping = Path(given.mapping).expanduser() if given.mapping else None
    if path.is_file():
        try:
            return read_files([Source(path.name, path.read_bytes())])
        except OSError as error:
            raise RerankError("input_unreadable", path=str(path), reason=error.strerror) from error
    return read_folder(path, mapping)


def dataset_of(given: argparse.Namespace) -> Dataset:
    """Return the dataset of a run: imported and stored, or loaded when DATA is a digest."""
    if re.fullmatch(r"[0-9a-f]{64}", given.data) and not Path(given.data).exists():
        return load_dataset(given.data)
    draft = draft_of(given)
    name = given.name or str(draft.facts.get("name") or Path(given.data).expanduser().resolve().name)
    dataset = finish(draft, name, keep_good_rows=given.keep_good_rows)
    save_dataset(dataset, draft.findings, draft.rejected)
    return dataset
