"""Where everything lies: one home folder, content-addressed rooms inside it."""

import os
from pathlib import Path


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
