"""`--out` is tried before anything is computed: hours of training are not spent on what cannot be written."""

import os
from pathlib import Path

import pytest

from rerank.cli.main import BAD_INPUT, main
from rerank.cli.output import output_folder
from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.planning.experiments import experiment_folder, list_experiments
from rerank.store.artefacts import write_json
from tests.cli.test_check import written


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file where a folder is wanted."""
    path = tmp_path / "file"
    path.write_text("mine")
    return path


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en", *arguments]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "Nothing can be written to" in said
    assert "Traceback" not in said
    assert queue.jobs("experiment", 10) + queue.jobs("export", 10) == []


@pytest.mark.parametrize("inside", ["", "x", "x/y"])
def test_an_export_to_an_unwritable_place_starts_no_job(
    inside: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = {"experiment": "abc", "strategies": {"C": {}}, "decision": {"code": "stop"}}
    write_json(experiment_folder("abc") / "result.json", result)
    refused(["export", "abc", "--strategy", "C", "--out", str(file / inside)], capsys)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("inside", ["", "x", "x/y"])
def test_a_run_to_an_unwritable_place_locks_no_plan_and_starts_no_job(
    inside: str, tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(["run", str(written(tmp_path / "sample")), "--out", str(file / inside)], capsys)
    assert list_experiments() == []


def test_trying_a_folder_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert output_folder(str(tmp_path / "new" / "deeper")) == tmp_path / "new" / "deeper"
    monkeypatch.chdir(tmp_path)
    assert output_folder(".") == tmp_path
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_cannot_be_named_or_filled_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(RerankError, match="output_not_writable"):
        output_folder(str(tmp_path / "a"))

    def mkstemp(*given: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile._mkstemp_inner", mkstemp)
    with pytest.raises(RerankError) as caught:
        output_folder(str(tmp_path / "new" / "deeper"))
    assert (caught.value.code, caught.value.facts["cause"]) == ("output_not_writable", "Permission denied")
    assert not (tmp_path / "new").exists()
