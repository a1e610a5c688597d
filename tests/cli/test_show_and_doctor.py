"""`rerank show` of what is not there, `rerank doctor`, and arguments that make no sense."""

import errno
import sqlite3
from pathlib import Path

import pytest

from rerank import __version__
from rerank.cli.main import BAD_INPUT, DONE, main


def test_a_folder_without_a_result_is_said_to_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en", "show", str(tmp_path)]) == BAD_INPUT
    assert capsys.readouterr().err == f"{tmp_path} holds no result.json.\n"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("0123456789ab", "Experiment 0123456789ab has no result yet.\n"),
        ("no-such-thing", "There is no experiment no-such-thing.\n"),
    ],
)
def test_an_experiment_without_a_result_is_said_to_have_none(
    name: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "en", "show", name]) == BAD_INPUT
    assert capsys.readouterr().err == sentence


def test_the_doctor_finds_this_installation_whole(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en", "doctor"]) == DONE
    shown = capsys.readouterr().out
    assert shown.startswith(f"rerank {__version__}, Python ")
    assert f"Home: {home}" in shown
    assert "The embedded encoder is whole (SHA-256 checked)." in shown
    assert shown.endswith("All is well.\n")


def test_the_doctor_says_what_is_slower_than_it_could_be(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"kind": "cuda", "name": "a card", "dtype": "bf16", "n_threads": 8, "embedded": "ok"}
    missing = {"attention": "TypeError: no such argument", "gelu": ""}
    monkeypatch.setattr("rerank.cli.doctor.machine", lambda fresh: found | {"missing_kernels": missing})
    assert main(["--lang", "en", "doctor"]) == DONE
    shown = capsys.readouterr().out
    assert "torch's kernel for attention is not used (TypeError: no such argument)." in shown
    assert "the kernel for biases and GELU is not used (it computes something else)." in shown
    assert "norms" not in shown


def test_the_doctor_names_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank.cli.doctor.PACKAGES", ["no-such-package-anywhere"])
    assert main(["--lang", "en", "doctor"]) == BAD_INPUT
    found = capsys.readouterr()
    assert found.err == "no-such-package-anywhere is not installed.\n"
    assert "All is well." not in found.out


@pytest.mark.parametrize("arguments", [["show", "0123456789ab"], ["doctor"]])
def test_a_home_that_cannot_be_is_a_sentence_and_no_trace(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "file" / "x"))
    assert main(["--lang", "en", *arguments]) == BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith(f"Nothing can be written to the folder {tmp_path}/file/x (Not a directory).")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "x"), "No space left on device"),
        (sqlite3.OperationalError("disk I/O error"), "disk I/O error"),
    ],
)
def test_a_full_disk_is_a_sentence_and_another_error_a_trace(
    error: Exception, cause: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr("rerank.cli.doctor.doctor", refuse)
    assert main(["--lang", "en", "doctor"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith(f"Nothing can be written to the folder {home} ({cause}).")
    error = ValueError("a defect")
    with pytest.raises(ValueError, match="a defect"):
        main(["--lang", "en", "doctor"])


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "data"], ["check"], ["--lang", "xx", "doctor"]])
def test_arguments_that_make_no_sense_end_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == BAD_INPUT
