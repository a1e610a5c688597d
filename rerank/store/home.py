"""Where everything lies: one home folder, content-addressed rooms inside it."""

import os
from pathlib import Path

from rerank.errors import RerankError

_PACKAGE = Path(__file__).resolve().parents[1]


def home() -> Path:
    """Return the home folder, created if missing: `$RERANK_HOME`, else the user's data folder."""
    given = os.environ.get("RERANK_HOME")
    if given:
        path = Path(given).expanduser().resolve()
    else:
        data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        path = Path(data).expanduser() / "rerank"
    path.mkdir(parents=True, exist_ok=True)
    return path


def room(name: str) -> Path:
    """Return a folder of the home by name (`datasets`, `plans`, `stages`, ...), created if missing."""
    path = home() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def inbox() -> Path:
    """Return the folder for files that are too large to upload; whoever runs the server puts them there."""
    return room("inbox")


def bundled(name: str) -> Path:
    """Return a file or folder of `data/`: a wheel has it in the package, a source tree beside it.

    Raises RerankError `bundled_missing`.
    """
    for data in (_PACKAGE / "data", _PACKAGE.parent / "data"):
        if (data / name).exists():
            return data / name
    raise RerankError("bundled_missing", file=f"data/{name}")
