"""Where everything lies: one home folder, content-addressed rooms inside it."""

import os
from pathlib import Path

from rerank.errors import RerankError

_PACKAGE = Path(__file__).resolve().parents[1]


def home() -> Path:
    """Return the home folder, created if missing: `$RERANK_HOME`, else the user's data folder.

    Raises RerankError `home_not_writable`.
    """
    given = os.environ.get("RERANK_HOME")
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    path = Path(given or data)
    try:
        path = path.expanduser().resolve() if given else path.expanduser() / "rerank"
    except (OSError, RuntimeError) as error:  # no such user, or links that point at each other
        raise RerankError("home_not_writable", folder=str(path), cause=str(error)) from error
    return _made(path)


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RerankError("home_not_writable", folder=str(path), cause=error.strerror or str(error)) from error
    return path


def room(name: str) -> Path:
    """Return a folder of the home by name (`datasets`, `plans`, `stages`, ...), created if missing."""
    return _made(home() / name)


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
