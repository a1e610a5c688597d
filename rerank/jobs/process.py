"""Processes of our own that outlive whoever started them."""

import atexit
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rerank.store.home import home

ROOT = Path(__file__).resolve().parents[2]
_children: list["subprocess.Popen[bytes]"] = []


@atexit.register
def _collect() -> None:
    """Ask ended children for their status: that is what removes them from the process table."""
    _children[:] = [child for child in _children if child.poll() is None]


def environment_of_workers() -> dict[str, str]:
    """Return the environment of a process that computes: the same home, and threads that soon sleep while they wait."""
    environment = {**os.environ, "RERANK_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
    # Threads that wait for each other by spinning take the processor from whoever they wait for: beside a
    # browser on the same machine that made small products twenty times slower.
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "20000")
    return environment


def spawn(module: str, arguments: Sequence[str], output: Path) -> None:
    """Start `python -m module` detached: own session, no input, output appended to a file, same home."""
    _collect()
    with output.open("ab") as stream:
        _children.append(
            subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment_of_workers(),
                start_new_session=True,
                close_fds=True,
            )
        )
