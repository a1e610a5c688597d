"""What this machine computes with, asked of a short-lived process so that the web process stays light."""

import json
import subprocess
import sys
from importlib.metadata import version
from typing import Any

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.jobs.process import ROOT
from rerank.store.artefacts import read_json, write_json
from rerank.store.home import room

TIMEOUT_SECONDS = 120


def machine(fresh: bool = False) -> dict[str, Any]:
    """Return what `worker/machine.describe` says of this machine; kept. fresh: ask again, for its kernels as well.

    Raises RerankError `device_unknown` when torch cannot be loaded at all.
    """
    path = room("machine") / f"{digest_of([version('torch'), version('transformers')])[:12]}.json"
    if path.is_file() and not fresh:
        known: dict[str, Any] = read_json(path)
        return known
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "rerank.worker.machine", *(["--kernels"] if fresh else [])],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
            cwd=ROOT,
        )
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        raise RerankError("device_unknown", cause=type(error).__name__) from error
    write_json(path, found)
    return found
