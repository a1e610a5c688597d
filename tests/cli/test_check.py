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


def test_it_says_whether_the_sample_is_good_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """40 queries, two questions, SD .19: .0957 by statsmodels' TTestPower, between .05 and .10."""
    report, to_judge = tmp_path / "report.json", tmp_path / "to-judge.csv"
    given = ["--lang", "en", "check", str(written(tmp_path / "sample")), "--json", str(report)]
    assert main([*given, "--to-judge", str(to_judge)]) == DONE
    shown = capsys.readouterr().out
    assert "Is this sample good enough?\n  Enough for a large effect only.\n  - 40 queries show a gain" in shown
    assert "0.096 nDCG@10 or more" in shown
    found = json.loads(report.read_text())["sample"]
    assert (found["answer"], found["n_more_queries"]) == ("large_effects_only", 100)
    assert found["figures"]["detectable_first"] == pytest.approx(0.0957, abs=1e-4)
    lines = to_judge.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "query_id,query,doc_id,title,text,grade,why,weight"
    assert len(lines) == found["n_to_judge"] + 1


def test_a_sample_without_documents_has_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = written(tmp_path / "sample")
    (sample / "documents.csv").unlink()
    report = tmp_path / "report.json"
    assert main(["--lang", "en", "check", str(sample), "--json", str(report)]) == BAD_INPUT
    assert json.loads(report.read_text())["sample"] is None
    assert "good enough" not in capsys.readouterr().out


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


def test_findings_are_written_as_csv_with_their_sentences(tmp_path: Path) -> None:
    sample = written(tmp_path / "sample", bad_row=True)
    main(["--lang", "en", "check", str(sample), "--csv", str(tmp_path / "findings.csv")])
    lines = (tmp_path / "findings.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Severity,What and what to do,File,Line,Value,Rule"
    assert lines[1].endswith("The grade is not a whole number.,judgments.csv,202,q0 d1_3 excellent,grade_not_integer")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nowhere"
    assert main(["--lang", "en", "check", str(missing)]) == BAD_INPUT
    assert capsys.readouterr().err == f"There is no file or folder at {missing}. Check the spelling.\n"


def test_the_same_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ja", "check", str(written(tmp_path / "sample"))]) == DONE
    assert capsys.readouterr().out.startswith("クエリ40件、文書32件、判定200件\n")


MAPPING = """
[queries]
file = "all.csv"
query_id = "key"
text = "words"

[documents]
file = "{documents}"
doc_id = "key"
text = "words"
"""


def mapped(folder: Path, documents: str = "all.csv") -> list[str]:
    """The arguments that check one file whose columns only a mapping can name."""
    (folder / "all.csv").write_text("key,words\na1,first words\na2,other words\n")
    (folder / "mapping.toml").write_text(MAPPING.format(documents=documents))
    return ["--lang", "en", "check", str(folder / "all.csv"), "--mapping", str(folder / "mapping.toml")]


def test_a_single_file_is_read_as_the_mapping_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(mapped(tmp_path)) == BAD_INPUT  # there are no judgments
    shown = capsys.readouterr().out
    assert shown.startswith("2 queries, 2 documents, 0 judgments\n")
    assert main(mapped(tmp_path, documents="else.csv")) == BAD_INPUT
    shown = capsys.readouterr().out
    assert shown.startswith("2 queries, 0 documents, 0 judgments\n")
    assert "else.csv  The mapping names this file, which is not there." in shown


def test_a_mapping_that_does_not_name_the_single_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = mapped(tmp_path)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(mapping.read_text().replace("all.csv", "else.csv"))
    assert main(arguments) == BAD_INPUT
    refused = f'The mapping {mapping} has no table for all.csv. Add one that says file = "all.csv".\n'
    assert capsys.readouterr().err == refused
