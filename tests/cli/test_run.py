"""`rerank run`: from a folder to a result, bad plans in a sentence, and an interruption that loses nothing."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rerank.cli import run as cli_run
from rerank.cli.main import BAD_INPUT, DONE, INTERRUPTED, main
from rerank.jobs import queue
from rerank.jobs.records import Job
from rerank.planning.experiments import experiment_folder, list_experiments
from rerank.report.files import read_log
from rerank.wording.language import speaker
from tests.cli.test_check import written
from tests.models import make_tiny_model

ROOT = Path(__file__).resolve().parents[2]
PLAN = """
base_model = "{model}"
strategies = ["first-stage", "embedding", "C"]
seeds = {seeds}
max_length = 48
[split]
kind = "holdout"
test_share = 0.5
[first_stage]
depth = 6
[learning_curve]
shares = []
[contrastive]
epochs = 1
queries_per_step = 2
group_size = 3
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that trains in seconds."""
    return make_tiny_model(tmp_path_factory.mktemp("model"))


def plan_file(folder: Path, model: Path, seeds: list[int], more: str = "") -> Path:
    path = folder / "plan.toml"
    path.write_text(more + PLAN.format(model=model, seeds=seeds))
    return path


def test_a_run_writes_every_file_of_its_contract_and_show_prints_it(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample, out = written(tmp_path / "sample", bad_row=True), tmp_path / "out"
    arguments = ["--lang", "en", "run", str(sample), "--plan", str(plan_file(tmp_path, model, [1, 2]))]
    arguments += ["--device", "cpu", "--out", str(out), "--name", "our search"]
    assert main(arguments) == BAD_INPUT  # one bad row, and nobody said that the good ones are enough
    assert "--keep-good-rows" in capsys.readouterr().err
    assert not out.exists()

    assert main([*arguments, "--keep-good-rows"]) == DONE
    printed = capsys.readouterr().out
    names = {path.name for path in out.iterdir()}
    assert names == {
        "result.json",
        "per_query.csv",
        "per_query_seeds.csv",
        "runs",
        "qrels.trec",
        "to_judge.csv",
        "learning_curve.csv",
        "plan.json",
        "log.jsonl",
    }
    runs = {"first-stage.0.run", "embedding.0.run", "C.1.run", "C.2.run"}
    assert {path.name for path in (out / "runs").iterdir()} == runs
    result = json.loads((out / "result.json").read_text())
    assert result["dataset"]["name"] == "our search"
    assert json.loads((out / "plan.json").read_text())["digest"] == result["plan"]["digest"]
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["event"] == "done"

    assert main(["--lang", "en", "show", str(out)]) == DONE
    shown = capsys.readouterr().out
    assert shown
    assert printed == f"{shown}Written to {out}\n"
    identity = list_experiments()[0]["id"]
    assert main(["--lang", "en", "show", identity]) == DONE
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("margin = 7\n", "The plan's setting “margin” cannot be “7.0”."),
        ("colour = 1\n", "The plan has a setting “colour” that does not exist."),
        ("margin = \n", "is not valid TOML"),
    ],
)
def test_a_bad_plan_is_a_sentence_and_no_trace(
    tmp_path: Path, more: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, tmp_path, [1], more)
    arguments = ["run", str(written(tmp_path / "sample")), "--plan", str(plan), "--out", str(tmp_path / "out")]
    assert main(["--lang", "en", *arguments]) == BAD_INPUT
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert list_experiments() == []


def test_what_the_worker_refuses_is_a_sentence_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_file(tmp_path, tmp_path / "no model here", [1])
    arguments = ["run", str(written(tmp_path / "sample")), "--plan", str(plan), "--out", str(tmp_path / "out")]
    assert main(["--lang", "en", *arguments]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "There is no model folder" in said
    assert "Traceback" not in said


def test_an_interrupted_run_says_so_and_the_same_command_continues(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "out"
    n_seeds = 12  # long enough to be interrupted on a busy machine
    plan = plan_file(tmp_path, model, list(range(1, n_seeds + 1)))
    plan.write_text(plan.read_text().replace("epochs = 1\n", "epochs = 6\n"))
    command = [sys.executable, "-m", "rerank.cli.main", "--lang", "en", "run", str(written(tmp_path / "sample"))]
    command += ["--plan", str(plan), "--device", "cpu", "--out", str(out)]
    first = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True)
    ends = time.monotonic() + 100
    while time.monotonic() < ends and not trained():
        time.sleep(0.02)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=100)
    assert first.returncode == INTERRUPTED
    assert "The same command continues where it stopped." in said
    assert "Traceback" not in said
    assert not out.exists()
    before = trained()
    assert 1 <= before < n_seeds

    second = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=200)
    assert (second.returncode, "Traceback" in second.stderr) == (DONE, False)
    assert trained() == n_seeds
    assert (out / "result.json").is_file()


def unreadable(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Let the queue fail some times, then say that the job is done; return a list that grows with every failure."""
    asked: list[str] = []

    def ask(identity: str) -> Job:
        asked.append(identity)
        if len(asked) <= times:
            raise sqlite3.OperationalError("disk I/O error")
        return real(identity)

    real = queue.job
    monkeypatch.setattr(queue, "job", ask)
    monkeypatch.setattr(cli_run, "POLL_SECONDS", 0.01)
    return asked


def test_a_watched_job_is_looked_for_again_when_the_disk_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    job, _ = queue.submit("forecast", {"x": 1})
    queue.finish(job.id, "done")
    asked = unreadable(monkeypatch, 5)
    assert cli_run.watch(job, speaker("en")).state == "done"
    assert len(asked) == 6


def test_a_job_that_cannot_be_looked_for_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    job, _ = queue.submit("forecast", {"x": 1})
    monkeypatch.setattr(cli_run, "PATIENCE_SECONDS", 0.1)
    asked = unreadable(monkeypatch, 1000)
    with pytest.raises(sqlite3.OperationalError):
        cli_run.watch(job, speaker("en"))
    assert 1 < len(asked) < 100


def trained() -> int:
    """How many trainings the only experiment has finished."""
    found = list_experiments()
    if not found:
        return 0
    return sum(event["event"] == "stage_done" for event in read_log(experiment_folder(found[0]["id"])))
