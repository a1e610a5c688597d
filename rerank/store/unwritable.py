"""A full disk, a read-only folder, a missing right: different errors, one thing that a user can mend."""

import errno
import os
import re
import sqlite3
from pathlib import Path

from rerank.errors import RerankError
from rerank.store.home import home

_FULL_OR_CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_SQLITE = ("disk is full", "disk i/o error", "readonly", "unable to open")
_QUOTED = re.compile(r"\(os error (\d+)\)")  # libraries that write weights raise errors of their own, with this in it


def unwritable(error: BaseException) -> RerankError | None:
    """Return `home_not_writable` for an error that says that nothing can be written, None for any other."""
    if isinstance(error, RerankError):
        return error if error.code == "home_not_writable" else None
    cause = _cause(error)
    if cause is None:
        return None
    try:
        folder = home().resolve()
    except RerankError as refused:
        return refused
    name = error.filename if isinstance(error, OSError) else None
    if isinstance(name, str | bytes):
        path = Path(os.fsdecode(name)).resolve()
        if not path.is_relative_to(folder):
            if isinstance(error, PermissionError):
                return None  # it may be a file to read
            folder = path.parent
    return RerankError("home_not_writable", folder=str(folder), cause=cause)


def refusal(error: Exception) -> RerankError | None:
    """Return what a user can mend of an error: itself, or that nothing can be written; None for a defect."""
    return error if isinstance(error, RerankError) else unwritable(error)


def _cause(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.OperationalError):
        return str(error) if any(part in str(error).lower() for part in _SQLITE) else None
    if isinstance(error, OSError):
        # Without a file's name it is the network that permits nothing.
        is_closed = error.errno == errno.EACCES and error.filename is not None
        number = error.errno if is_closed or error.errno in _FULL_OR_CLOSED else None
    else:
        quoted = _QUOTED.search(str(error))
        number = int(quoted[1]) if quoted and int(quoted[1]) in _FULL_OR_CLOSED else None
    return None if number is None else os.strerror(number)
