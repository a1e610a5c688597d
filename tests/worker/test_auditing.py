"""The gate inside an experiment: a red teacher does not teach, everything else runs, and an override is signed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rerank.audit.records import let_teach, load_audit, marks, override_of, record_mark
from rerank.errors import RerankError
from rerank.intake.reading import Source
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.plan import Plan, Split
from rerank.report.files import export, zip_bytes
from rerank.worker import meter
from rerank.worker.auditing import AuditSpec, run_audit
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model
from tests.tiny import Shares, tiny_plan

KFOLD = Split(kind="kfold", folds=2, dev_share=0.25)


def plan_with_teacher(folder: Path, sign: int, **changes: object) -> Plan:
    """A tiny plan whose uploaded teacher says the grades (1) or their opposite (-1), with some noise."""
    files = tiny_files()
    rng = np.random.default_rng(0)
    judged = [line.split(",") for line in files[2].data.decode().splitlines()[1:]]
    lines = [f"{query},{doc},{sign * int(grade) + 0.01 * rng.random():.4f}" for query, doc, grade in judged]
    scores = "\n".join(["query_id,doc_id,score", *lines]).encode()
    model = make_tiny_model(folder / "model", trained_head=False)
    plan = tiny_plan(model, [*files, Source("teacher_scores.csv", scores)], teacher="uploaded")
    return replace(plan, strategies=("first-stage", "embedding", "C", "D", "C-then-D"), **changes)  # type: ignore[arg-type]


class Listening(Shares):
    """A reporter that remembers what was left out, what was trained and how far it was said to be."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: list[tuple[str, str]] = []
        self.started: list[str] = []

    def event(self, kind: str, **facts: object) -> None:
        super().event(kind, **facts)
        if kind == "strategy_left_out":
            self.left_out.append((str(facts["strategy"]), str(facts["reason"])))
        if kind == "stage_started":
            self.started.append(str(facts["strategy"]))


def test_a_red_teacher_does_not_teach_until_somebody_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "REPORT_SECONDS", 0.0)
    experiment = lock_plan(plan_with_teacher(tmp_path, -1), name="x", dataset_name="x")
    with pytest.raises(RerankError) as caught:
        let_teach(experiment, by="Ada", reason="beforehand")
    assert caught.value.code == "nothing_to_override"

    first = Listening()
    run_experiment(ExperimentSpec(experiment, device="cpu"), first)
    assert first.left_out == [("D", "teacher_red"), ("C-then-D", "teacher_red")]
    assert first.started == ["C"]
    first.check()  # what the gate left out is not waited for
    result = load_result(experiment)
    assert result is not None
    audit = result["teacher_audit"]
    assert (audit["colour"], audit["blocked"], audit["override"]) == ("red", True, None)
    assert audit["left_out"] == ["D", "C-then-D"]
    assert set(result["strategies"]) == {"first-stage", "embedding", "C"}
    assert result["cost"]["forecast"]["trained_pairs"] > 0

    with pytest.raises(RerankError) as caught:
        let_teach(experiment, by="Ada", reason=" ")
    assert caught.value.code == "teacher_override_unsigned"
    let_teach(experiment, by="Ada", reason="we know why")
    second = Listening()
    run_experiment(ExperimentSpec(experiment, device="cpu"), second)
    assert second.started == ["D", "C-then-D"]
    result = load_result(experiment)
    assert result is not None
    audit = result["teacher_audit"]
    assert (audit["colour"], audit["blocked"], audit["left_out"]) == ("red", False, [])
    assert (audit["override"]["by"], audit["override"]["reason"]) == ("Ada", "we know why")
    assert override_of(experiment, "another audit") is None
    exported = export(experiment_folder(experiment), tmp_path / "out")
    assert {"audit.json", "teacher_overrides.json"} <= set(exported)


def test_a_good_teacher_teaches_and_the_sealed_queries_are_not_looked_at(tmp_path: Path) -> None:
    plan = plan_with_teacher(tmp_path, 1)
    experiment = lock_plan(plan, name="x", dataset_name="x")
    run_experiment(ExperimentSpec(experiment, gate=1, device="cpu"), Silent())
    result, audit = load_result(experiment), load_audit(experiment)
    assert result is not None
    assert audit is not None
    assert (audit["colour"], audit["scope"], audit["n_queries"]) == ("green", "development", 20)
    assert "D" in result["strategies"]
    looked_at = {item["query_id"] for item in audit["disagreements"]}
    tested = {line.split()[0] for line in (experiment_folder(experiment) / "qrels.trec").read_text().splitlines()}
    assert not looked_at & tested
    assert len(tested) == 20
    assert audit["student_base"] == "embedding", "the tiny model has no trained head"


def test_an_audit_is_computed_once_and_read_again(tmp_path: Path) -> None:
    plan = replace(plan_with_teacher(tmp_path, 1), split=KFOLD)
    spec = AuditSpec(plan.to_dict(), is_planned=True, device="cpu")
    run_audit(spec, Silent(), tmp_path / "one.json")
    run_audit(spec, Silent(), tmp_path / "two.json")
    one = json.loads((tmp_path / "one.json").read_text())
    assert one == json.loads((tmp_path / "two.json").read_text())
    assert (one["scope"], one["n_queries"]) == ("folds", 40)
    asked = replace(spec, model="gpt-4o", judge="gpt-4.1")
    run_audit(asked, Silent(), tmp_path / "three.json")
    three = json.loads((tmp_path / "three.json").read_text())
    assert three["warnings"] == ["same_family_as_judge"]
    assert three["digest"] != one["digest"]


def test_the_embedding_is_probed_and_a_student_with_a_head_is_the_base(tmp_path: Path) -> None:
    plan = tiny_plan(make_tiny_model(tmp_path / "model"), strategies=("first-stage", "D"))
    run_audit(AuditSpec(plan.to_dict(), is_planned=True, device="cpu"), Silent(), tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["teacher"], found["baseline"], found["student_base"]) == ("embedding", "first-stage", "base")
    assert found["measures"]["probe"]["n"] >= 15
    assert found["measures"]["delta_base"]["value"] != 0


def test_without_a_plan_what_the_teacher_scored_is_audited(tmp_path: Path) -> None:
    plan = plan_with_teacher(tmp_path, 1)
    run_audit(AuditSpec(plan.to_dict(), is_planned=False, device="cpu"), Silent(), tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["scope"], found["pool"], found["n_queries"]) == ("judged", "scored", 40)
    assert (found["n_pairs"], found["n_judged_pairs"], found["n_pairs_without_score"]) == (200, 200, 0)


def test_marks_are_kept_at_once_and_exported(tmp_path: Path) -> None:
    plan = tiny_plan(make_tiny_model(tmp_path / "model"))
    experiment = lock_plan(plan, name="x", dataset_name="x")
    record_mark(experiment, "q1", "label_error")
    record_mark(experiment, "q2", "unclear")
    record_mark(experiment, "q1", "teacher_error")
    record_mark(experiment, "q2", None)
    assert {query: record["mark"] for query, record in marks(experiment).items()} == {"q1": "teacher_error"}
    with pytest.raises(RerankError) as caught:
        record_mark(experiment, "q3", "whatever")
    assert caught.value.code == "unknown_mark"
    assert b"audit_marks.json" in zip_bytes(experiment_folder(experiment))
