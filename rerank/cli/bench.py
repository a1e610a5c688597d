"""`rerank bench`: the engine against its peers, in a process of its own."""

import argparse
import subprocess
import sys

from rerank.jobs.process import environment_of_workers
from rerank.wording.language import Say


def bench(given: argparse.Namespace, say: Say) -> int:
    """Run the benchmark and return its exit code."""
    del say
    command = [sys.executable, "-m", "rerank.bench", "--device", given.device]
    command += ["--quick"] if given.quick else []
    command += ["--json", given.json] if given.json else []
    return subprocess.run(command, check=False, env=environment_of_workers()).returncode
