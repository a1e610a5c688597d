"""The folder of `--out`: found to be writable before hours are spent on what goes there."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rerank.errors import RerankError


def output_folder(given: str) -> Path:
    """Return the folder that `--out` names, with links followed; nothing is made or left there.

    Raises RerankError `output_not_writable`.
    """
    made: list[Path] = []
    try:
        folder = Path(given).expanduser().resolve()
        for path in reversed([folder, *folder.parents]):
            if not path.exists():
                path.mkdir()
                made.append(path)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part"):
            any(folder.iterdir())
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, or nobody's home
        raise _not_writable(Path(given), error) from error
    finally:
        with contextlib.suppress(OSError):  # somebody has just put something there
            for path in reversed(made):
                path.rmdir()
    return folder


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Write to a folder that may be full by now, or gone. Raises RerankError `output_not_writable`."""
    try:
        yield
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(folder: Path, error: Exception) -> RerankError:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)[:300]
    return RerankError("output_not_writable", folder=str(folder), cause=cause)
