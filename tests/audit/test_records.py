"""What people record beside an experiment: nobody loses anything to somebody who writes at the same time."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rerank.audit.records import AUDIT, OVERRIDES, let_teach, marks, record_mark
from rerank.planning.experiments import experiment_folder, gates, record_gate
from rerank.planning.overrides import overrides, record_override
from rerank.store.artefacts import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT, EACH = "abc", 20


def mark(name: str) -> None:
    record_mark(EXPERIMENT, name, "unclear")


def sign(name: str) -> None:
    let_teach(EXPERIMENT, by=name, reason="a test")


def decide(name: str) -> None:
    record_gate(EXPERIMENT, decided="go", recommended="no_go", by=name, reason="a test")


def override(name: str) -> None:
    record_override(EXPERIMENT, subject=(), computed="stop", decided="repair_data", by=name, reason="a test")


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (mark, lambda: set(marks(EXPERIMENT))),
        (sign, lambda: {item["by"] for item in read_json(experiment_folder(EXPERIMENT) / OVERRIDES)}),
        (decide, lambda: {item["by"] for item in gates(EXPERIMENT)}),
        (override, lambda: {item["by"] for item in overrides(EXPERIMENT)}),
    ],
)
def test_two_pages_at_once_keep_what_both_record(record: Callable[[str], None], kept: Callable[[], set[str]]) -> None:
    write_json(experiment_folder(EXPERIMENT) / AUDIT, {"colour": "red", "digest": "0"})

    def work(page: int) -> None:
        for number in range(EACH):
            record(f"{page}-{number}")

    with ThreadPoolExecutor(2) as pages:
        list(pages.map(work, range(2)))
    assert len(kept()) == 2 * EACH


def test_two_processes_at_once_keep_all_marks() -> None:
    experiment_folder(EXPERIMENT).mkdir()
    code = "import sys\nfrom rerank.audit.records import record_mark\nprint(flush=True)\nsys.stdin.readline()\n"
    code += f"for n in range({EACH}): record_mark({EXPERIMENT!r}, sys.argv[1] + str(n), 'unclear')"
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", code, name],
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "ab"
    ]
    for process in begun:
        process.stdout.readline()  # both have loaded what they need
    for process in begun:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in begun:
        process.communicate(timeout=100)
    assert [process.returncode for process in begun] == [0, 0]
    assert len(marks(EXPERIMENT)) == 2 * EACH
