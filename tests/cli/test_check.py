"""`rerank check`: every finding, machine-readable, with an exit code."""

import json
from pathlib import Path

import pytest

from rerank.cli.main import BAD_INPUT, DONE, main
from tests.conftest import tiny_files


def written(folder: Path, *, bad_row: bool = False) -> Path:
    """The tiny sample as files in a folder."""
    folder.mkdir()
    for source in tiny_files():
        (folder / source.name).write_bytes(source.data)
    if bad_row:
        with (folder / "judgments.csv").open("a") as stream:
            stream.write("\nq0,d1_3,excellent")
    return folder


def test_a_clean_sample_is_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    assert main(["--lang", "en", "check", str(written(tmp_path / "sample")), "--json", str(report)]) == DONE
    shown = capsys.readouterr().out
    assert shown.startswith("40 queries, 32 documents, 200 judgments\n")
    assert shown.endswith("Ready to run.\n")
    found = json.loads(report.read_text())
    assert (found["n_queries"], found["n_documents"], found["n_judgments"]) == (40, 32, 200)
    assert {finding["severity"] for finding in found["findings"]} == {"info"}


def test_a_bad_row_is_named_with_file_and_line_and_changes_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    sample = written(tmp_path / "sample", bad_row=True)
    assert main(["--lang", "en", "check", str(sample), "--json", str(report)]) == BAD_INPUT
    assert "judgments.csv:202  The grade is not a whole number." in capsys.readouterr().out
    errors = [item for item in json.loads(report.read_text())["findings"] if item["severity"] == "error"]
    assert [(item["code"], item["file"], item["line"], item["value"]) for item in errors] == [
        ("grade_not_integer", "judgments.csv", 202, "q0 d1_3 excellent")
    ]
    assert errors[0]["message"] == "The grade is not a whole number."


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nowhere"
    assert main(["--lang", "en", "check", str(missing)]) == BAD_INPUT
    assert capsys.readouterr().err == f"There is no file or folder at {missing}. Check the spelling.\n"


def test_the_same_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ja", "check", str(written(tmp_path / "sample"))]) == DONE
    assert capsys.readouterr().out.startswith("クエリ40件、文書32件、判定200件\n")
