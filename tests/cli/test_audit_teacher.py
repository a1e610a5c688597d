"""`rerank audit-teacher`: files and names, with and without a plan, and what is refused."""

import json
from pathlib import Path

import pytest

from rerank.cli.main import BAD_INPUT, DONE, main
from tests.cli.test_check import written
from tests.cli.test_run import plan_file
from tests.conftest import tiny_files
from tests.models import make_tiny_model


def scores(folder: Path, sign: int) -> Path:
    """A file with the grades, or their opposite, as teacher scores."""
    lines = [line.split(",") for line in tiny_files()[2].data.decode().splitlines()[1:]]
    path = folder / "said.csv"
    rows = [f"{query},{doc},{sign * int(grade)}" for query, doc, grade in lines]
    path.write_text("\n".join(["query_id,doc_id,score", *rows]))
    return path


def test_a_file_is_audited_on_all_judged_queries_and_any_colour_exits_with_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample, out = written(tmp_path / "sample"), tmp_path / "audit.json"
    command = ["--lang", "en", "audit-teacher", str(sample), "--json", str(out), "--device", "cpu", "--teacher"]
    assert main([*command, str(scores(tmp_path, -1))]) == DONE
    found = json.loads(out.read_text())
    assert {"colour", "reasons", "measures", "n_queries"} <= set(found)
    assert (found["colour"], found["reasons"][0], found["n_queries"]) == ("red", "worse_than_free", 40)
    said = capsys.readouterr().out
    assert "must not teach" in said
    assert "all judged queries" in said


def test_a_name_is_audited_on_the_plans_development_queries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample, out = written(tmp_path / "sample"), tmp_path / "audit.json"
    plan = plan_file(tmp_path, make_tiny_model(tmp_path / "model"), [1])
    command = ["--lang", "en", "audit-teacher", str(sample), "--teacher", "embedding", "--plan", str(plan)]
    assert main([*command, "--json", str(out), "--device", "cpu"]) == DONE
    found = json.loads(out.read_text())
    assert (found["teacher"], found["scope"], found["n_queries"]) == ("embedding", "development", 20)
    assert "the test queries stay sealed" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["permutations.jsonl", "ranks.csv", "teacher.trec"])
def test_permutations_and_runs_are_audited_as_the_orders_that_they_are(layout: str, tmp_path: Path) -> None:
    """The best document is named first: the order of the grades, in three ways to write it."""
    sample, out = written(tmp_path / "sample"), tmp_path / "audit.json"
    judged: dict[str, list[tuple[str, int]]] = {}
    for line in tiny_files()[2].data.decode().splitlines()[1:]:
        query, doc, grade = line.split(",")
        judged.setdefault(query, []).append((doc, int(grade)))
    lines = ["query_id,doc_id,rank"] if layout == "ranks.csv" else []
    for query, pairs in judged.items():
        order = sorted(range(len(pairs)), key=lambda place: -pairs[place][1])
        if layout == "permutations.jsonl":
            said = " > ".join(f"[{place + 1}]" for place in order)
            lines.append(json.dumps({"query_id": query, "candidates": [doc for doc, _ in pairs], "permutation": said}))
        elif layout == "ranks.csv":
            lines += [f"{query},{pairs[place][0]},{rank}" for rank, place in enumerate(order, 1)]
        else:
            lines += [f"{query} Q0 {pairs[place][0]} {rank} {9 - rank} t" for rank, place in enumerate(order, 1)]
    path = tmp_path / layout
    path.write_text("\n".join(lines))
    command = ["--lang", "en", "audit-teacher", str(sample), "--json", str(out), "--device", "cpu", "--teacher"]
    assert main([*command, str(path)]) == DONE
    found = json.loads(out.read_text())
    assert (found["colour"], found["kind"], found["n_queries"]) == ("green", "order", 40)


@pytest.mark.parametrize(
    ("teacher", "words"),
    [
        ("no-such-file.csv", "neither a file nor a teacher"),
        ("uploaded", "no uploaded teacher scores"),
        ("orphan", "1 errors"),
    ],
)
def test_bad_input_is_said_and_exits_with_two(
    teacher: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = written(tmp_path / "sample")
    if teacher == "orphan":
        path = scores(tmp_path, 1)
        path.write_text(path.read_text() + "\nnobody,d0_0,1")
        teacher = str(path)
    assert main(["--lang", "en", "audit-teacher", str(sample), "--teacher", teacher, "--device", "cpu"]) == BAD_INPUT
    captured = capsys.readouterr()
    assert words in captured.err
    assert teacher.endswith("/said.csv") == ("said.csv:202" in captured.out), "the row that is wrong"


def test_an_override_needs_a_red_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = written(tmp_path / "sample")
    plan = plan_file(tmp_path, make_tiny_model(tmp_path / "model"), [1])
    command = ["--lang", "en", "run", str(sample), "--plan", str(plan), "--out", str(tmp_path / "out")]
    assert main([*command, "--override-by", "Ada", "--override-reason", "to see"]) == BAD_INPUT
    assert "no red teacher audit" in capsys.readouterr().err
