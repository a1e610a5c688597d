"""docs/result-schema.md describes every field and file that an experiment writes, and nothing else."""

import ast
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rerank.audit.audit import MEASURES
from rerank.audit.records import let_teach, record_mark
from rerank.intake.storage import load_dataset
from rerank.planning.experiments import experiment_folder, record_gate
from rerank.planning.looks import record_look
from rerank.planning.overrides import overrides, record_override
from rerank.planning.plan import Guardrails, LearningCurve, Plan
from rerank.planning.splits import folds_of
from rerank.report.files import EXPORTED
from rerank.report.result import SCHEMA_VERSION, comparison_record
from rerank.stats.compare import Scores, compare
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "result-schema.md").read_text(encoding="utf-8")

# Objects whose keys are names of the user's or of the plan's.
NAMES = {
    "dataset.segments": "<segment>",
    "strategies": "<strategy>",
    "guardrails[].strategies": "<strategy>",
    "strategies.<strategy>.measures": "<measure>",
    "strategies.<strategy>.seeds": "<seed>",
    "strategies.<strategy>.seeds.<seed>": "<measure>",
    "strategies.<strategy>.segments": "<segment>",
    "unjudged.strategies": "<strategy>",
    "ceiling.captured": "<strategy>",
    "teacher_audit.measures": "<audit measure>",
    "inheritance.strategies": "<strategy>",
}
CLOSED = (
    "decision.next_numbers",
    "business",
    "deviations[].facts",
    "asked_teacher",
    "cost.forecast.teacher",
    "teacher_audit.override",
)  # their rows list what they can hold, or where it is listed


def rows_of(section: str) -> list[list[str]]:
    """The rows of all tables under a second-level heading, without their headers."""
    text = DOCUMENT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


FIELDS = {row[0].strip("`"): row for row in rows_of("result.json")}


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key path of a JSON value with what stands there; varying names and list items are one path."""
    if path in CLOSED:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{NAMES.get(path, name)}".removeprefix(".")
            yield inner, item
            yield from walk(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, f"{path}[]")


def types_of(value: Any) -> set[str]:
    """The type words that fit a JSON value."""
    if isinstance(value, bool):
        return {"true/false"}
    if isinstance(value, list):
        inside = [types_of(item) for item in value]
        words = {"object": "objects", "text": "text", "whole number": "whole numbers", "number": "numbers"}
        return {f"list of {plural}" for word, plural in words.items() if all(word in found for found in inside)}
    return {int: {"whole number", "number"}, float: {"number"}, str: {"text"}, dict: {"object"}}[type(value)]


def everything(model: Path) -> Plan:
    """A plan that fills every list of the result."""
    plan = tiny_plan(
        make_tiny_model(model),
        search_trials=1,
        learning_curve=LearningCurve(shares=(0.3, 0.6), strategies=("C", "D", "C+fusion")),
    )
    plan = replace(plan, guardrails=Guardrails(1e6, 0.1, 0.5, 0.9))
    dataset = load_dataset(plan.dataset_digest)
    tested = folds_of(dataset, plan)[0].test
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    record_look(plan.dataset_digest, "0" * 12, tested, texts)
    return replace(plan, strategies=(*plan.strategies, "C-long", "C+D"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished experiment with every strategy."""
    return finished_experiment(tmp_path_factory.mktemp("home"), everything)


@pytest.fixture(scope="module")
def found(finished: Path) -> list[tuple[str, Any]]:
    return list(walk(json.loads((finished / "result.json").read_text(encoding="utf-8"))))


def test_every_field_of_a_result_is_documented_and_every_documented_field_is_there(
    found: list[tuple[str, Any]],
) -> None:
    written = {path for path, _ in found}
    assert sorted(written - set(FIELDS)) == [], "not documented"
    assert sorted(set(FIELDS) - written) == [], "documented, but not written"


def test_every_value_has_its_documented_type(found: list[tuple[str, Any]]) -> None:
    wrong = {
        (path, FIELDS[path][1], repr(value))
        for path, value in found
        if value is not None and FIELDS[path][1] not in types_of(value)
    }
    assert wrong == set()


def test_only_fields_that_say_when_are_ever_null(found: list[tuple[str, Any]]) -> None:
    assert {path for path, value in found if value is None and FIELDS[path][3] == "never"} == set()


def test_the_decisions_numbers_are_documented(finished: Path) -> None:
    numbers = json.loads((finished / "result.json").read_text(encoding="utf-8"))["decision"]["next_numbers"]
    assert set(numbers) <= set(re.findall(r"`(\w+)`", FIELDS["decision.next_numbers"][2]))


def scores(name: str, n_queries: int, shift: float = 0.0) -> Scores:
    values = np.linspace(0, 0.5, n_queries).reshape(1, -1) + shift
    return Scores(name, tuple(f"q{number}" for number in range(n_queries)), values, "same", trained=True)


@pytest.mark.parametrize(
    ("n_queries", "verdict", "words"),
    [(5, "not_comparable", ("no test", "no difference")), (20, "identical", ("no difference",))],
)
def test_a_comparison_without_a_test_is_null_where_the_document_says_so(
    n_queries: int, verdict: str, words: tuple[str, ...]
) -> None:
    record = comparison_record(
        compare(
            scores("first-stage", n_queries),
            scores("C", n_queries),
            measure="nDCG@10",
            margin=0.02,
            alpha=0.05,
            confirmatory=True,
            rng_seed=0,
        )
    )
    fields = {
        path.removeprefix("comparisons[]."): row[3] for path, row in FIELDS.items() if path.startswith("comparisons[].")
    }
    expected = {name for name, when in fields.items() if any(word in when for word in words)} | {
        "n_more_queries",
        "n_more_seeds",
    }
    assert record["verdict"] == verdict
    assert {name for name, value in record.items() if value is None} == expected


def test_the_document_names_its_version() -> None:
    assert FIELDS["schema_version"][2].endswith(f"; {SCHEMA_VERSION}.")


def files() -> dict[str, str]:
    return {name: row[1] for row in rows_of("The files beside it") if "." in (name := row[0].split("`")[1])}


def test_every_file_beside_the_result_is_documented(finished: Path) -> None:
    # Written by a job and by pages, which are not part of this test.
    elsewhere = {
        "log.jsonl",
        "gates.json",
        "business.json",
        "overrides.json",
        "teacher_overrides.json",
        "audit_marks.json",
    }
    written = {path.name for path in finished.iterdir() if path.is_file()} | elsewhere
    written.remove("result.json")
    assert {name for name in files() if "/" not in name} == written
    stay = {row[0].split("`")[1] for row in rows_of("The files beside it") if row[0].endswith("*")}
    assert written - set(EXPORTED) == stay
    assert all(re.fullmatch(r"[\w+-]+\.\d+\.run", path.name) for path in (finished / "runs").iterdir())


@pytest.mark.parametrize("name", ["per_query.csv", "per_query_seeds.csv"])
def test_tables_have_the_documented_columns(finished: Path, name: str) -> None:
    with (finished / name).open(encoding="utf-8", newline="") as stream:
        header = ",".join(next(csv.reader(stream)))
    assert f"`{header}`" in files()[name]


def test_records_have_the_documented_fields(finished: Path) -> None:
    record_gate(finished.name, decided="go", recommended="no_go", by="somebody", reason="to see")
    lock = json.loads((finished / "plan.json").read_text(encoding="utf-8"))
    gates = json.loads((experiment_folder(finished.name) / "gates.json").read_text(encoding="utf-8"))
    spent = json.loads((finished / "spent.json").read_text(encoding="utf-8"))
    assert set(re.findall(r"`(\w+)`", files()["plan.json"])) == set(lock)
    assert set(re.findall(r"`(\w+)`", files()["spent.json"])) == set(spent)
    assert set(re.findall(r"`(\w+)`", files()["gates.json"])) == set(gates[0])
    record_override(finished.name, subject=(), computed="stop", decided="repair_data", by="somebody", reason="to see")
    assert set(re.findall(r"`(\w+)`", files()["overrides.json"])) == set(overrides(finished.name)[0])


def test_the_audit_is_the_one_in_the_result_with_its_disagreements(finished: Path) -> None:
    audit = json.loads((finished / "audit.json").read_text(encoding="utf-8"))
    shown = json.loads((finished / "result.json").read_text(encoding="utf-8"))["teacher_audit"]
    assert set(re.findall(r"`(\w+)`", FIELDS["teacher_audit.measures"][2])) == set(MEASURES)
    assert {name: audit[name] for name in audit if name != "disagreements"} == {
        name: shown[name] for name in shown if name not in ("blocked", "left_out", "override")
    }
    first = audit["disagreements"][0]
    assert set(first) | set(first["above"]) <= set(re.findall(r"`(\w+)`", files()["audit.json"]))
    marked = record_mark(finished.name, first["query_id"], "label_error")
    assert set(marked) <= set(re.findall(r"`(\w+)`", files()["audit_marks.json"]))
    (experiment_folder(finished.name) / "audit.json").write_text(json.dumps({"colour": "red", "digest": "x"}))
    record = let_teach(finished.name, by="somebody", reason="to see")
    assert set(record) == set(re.findall(r"`(\w+)`", files()["teacher_overrides.json"]))
    assert set(record) <= set(re.findall(r"`(\w+)`", FIELDS["teacher_audit.override"][2]))


def test_every_event_of_the_log_is_documented() -> None:
    said = set()
    of_experiments = set((ROOT / "rerank" / "worker").glob("*.py")) - {ROOT / "rerank" / "worker" / "importing.py"}
    for path in of_experiments:  # an import has no experiment, and no log beside it
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_told = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event"
            if is_told and isinstance(node.args[0], ast.Constant):  # else an event of a lane, passed on
                said.add(node.args[0].value)
    documented = {row[0].strip("`") for row in rows_of("The files beside it") if re.fullmatch(r"`\w+`", row[0])}
    assert documented == said
