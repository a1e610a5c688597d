"""Files that appear whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Content = TypeVar("Content")

# What platforms answer that cannot flush a file that was opened for reading; a full or broken disk says other things.
_CANNOT_FLUSH = (errno.EBADF, errno.EINVAL, errno.ENOTSUP)
# Of a file that is not there, or whose bytes cannot be read; libraries that find the bytes senseless give no number.
_NO_CONTENT = (None, errno.ENOENT, errno.ENOTDIR, errno.EIO)


def write_atomically(path: Path, write: Callable[[Path], None], mode: int = 0o644) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place with `mode` in one step.

    Until then only its owner can read it. Its bytes are on the disk before its name is: a power failure cuts nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(mode)
        flush_file(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk, where the platform can. Raises OSError when they cannot be written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
    finally:
        os.close(handle)


def flush_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where the platform can."""
    with contextlib.suppress(OSError):  # the files themselves are safe already
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def flush_tree(folder: Path) -> None:
    """Wait until all files of a folder are on the disk: for what is moved into its place as a whole."""
    for path in folder.rglob("*"):
        if path.is_file():
            flush_file(path)
        elif path.is_dir():
            flush_folder(path)
    flush_folder(folder)


def replace_folder(part: Path, target: Path) -> None:
    """Move a finished folder to its place, over an older one: after a kill one of them is whole, or none is there.

    What is needed to put the older one back stays until `settle_folder` is called again.
    """
    settle_folder(target)
    flush_tree(part)
    old = _older(target)
    if target.exists():
        target.rename(old)
    part.rename(target)
    flush_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def settle_folder(target: Path) -> None:
    """End what a killed `replace_folder` began: put the older folder back where nothing is, else remove it."""
    old = _older(target)
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _older(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def read_or_none(read: Callable[[Path], Content], path: Path) -> Content | None:
    """Return what `read` finds in a file, None when it is missing, cut or senseless: for what can be computed again."""
    try:
        return read(path)
    except ValueError:  # also of JSON, of letters and of Parquet
        return None
    except OSError as error:
        if error.errno not in _NO_CONTENT:
            raise
        return None


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, text.encode("utf-8"), mode)


def write_bytes(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write bytes atomically."""

    def write(part: Path) -> None:
        part.write_bytes(data)

    write_atomically(path, write, mode)


def write_json(path: Path, value: object, mode: int = 0o644) -> None:
    """Write indented JSON atomically; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", mode)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def update_json(path: Path, change: Callable[[Any], object]) -> None:
    """Write what `change` makes of a JSON file's value (None where there is no file); one after another changes it.

    What two people add at the same time is all kept.
    """
    with _alone_with(path):
        write_json(path, change(read_json(path) if path.is_file() else None))


@contextlib.contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """Hold the lock of a file, a file of its own beside it: the file itself is another one after every write."""
    try:
        import fcntl
    except ImportError:  # no POSIX system: whoever writes last wins there
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        with contextlib.suppress(OSError):  # a network drive without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet atomically, without its index."""
    write_atomically(path, lambda part: frame.to_parquet(part, index=False))


def write_parquet_parts(path: Path, frames: Iterable[pd.DataFrame]) -> None:
    """Write frames of equal columns, at least one, as one Parquet file atomically; one is in memory at a time."""

    def write(part: Path) -> None:
        writer: pq.ParquetWriter | None = None
        try:
            for frame in frames:
                table = pa.Table.from_pandas(frame, preserve_index=False)
                if writer is None:
                    writer = pq.ParquetWriter(part, table.schema)
                writer.write_table(table.cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()

    write_atomically(path, write)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file."""
    return pd.read_parquet(path)
