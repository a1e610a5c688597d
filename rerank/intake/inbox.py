"""The inbox: a folder of the home where whoever runs the server puts files that are too large to upload."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.store.artefacts import read_json
from rerank.store.home import inbox, room


@dataclass(frozen=True)
class Entry:
    """A file or folder of the inbox."""

    name: str
    n_bytes: int
    n_files: int


def inbox_entries() -> list[Entry]:
    """Return what lies in the inbox, by name; hidden files and links that lead out of it are left out."""
    root = inbox().resolve()
    found = []
    for path in sorted(inbox().iterdir()):
        if path.name.startswith(".") or root not in path.resolve().parents:
            continue
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        found.append(Entry(path.name, sum(file.stat().st_size for file in files), len(files)))
    return found


def entry_path(name: str) -> Path:
    """Return an entry's place. Raises RerankError `input_not_found` for any other name."""
    if name not in {entry.name for entry in inbox_entries()}:
        raise RerankError("input_not_found", path=name)
    return inbox() / name


def import_record_path(job: str) -> Path:
    """Return where an import's job writes its findings and the dataset's digest."""
    return room("jobs") / f"{job}.import.json"


def import_record(job: str) -> dict[str, Any] | None:
    """Return what an import found; None before the files are read."""
    path = import_record_path(job)
    return dict(read_json(path)) if path.is_file() else None
