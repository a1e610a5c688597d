"""A larger model on the own device as the teacher: scored once, priced, audited, and asked no more than is needed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rerank.audit.records import let_teach
from rerank.errors import RerankError
from rerank.intake.reading import Source
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.passages import Reading
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.experiments import load_result, lock_plan
from rerank.planning.plan import FirstStage, LanguageModel, LocalTeacher, Plan, Teacher, Unlabelled
from rerank.retrieval.candidates import document_text
from rerank.store.home import room
from rerank.teacher.language_model import Task
from rerank.worker.auditing import AuditSpec, run_audit
from rerank.worker.experiment import ExperimentSpec, prepare, run_experiment, run_forecast
from rerank.worker.local_teacher import LocalTeacher as Scorer
from rerank.worker.reporter import Silent, Stopped
from rerank.worker.tasks import judged_tasks
from tests.conftest import tiny_files
from tests.models import make_tiny_language_model, make_tiny_model
from tests.teacher.endpoint import USD_INPUT, USD_OUTPUT, LoopbackEndpoint, running
from tests.tiny import tiny_plan

MODELS = {"cross-encoder": make_tiny_model, "causal-lm": make_tiny_language_model}
LENGTH = {"cross-encoder": 64, "causal-lm": 600}


class Counting(Silent):
    """A reporter that remembers events and can stop the job after some looks while the teacher scores."""

    def __init__(self, breaths: int | None = None) -> None:
        self.breaths, self.phase = breaths, ""
        self.events: dict[str, list[dict[str, Any]]] = {}

    def event(self, kind: str, **facts: object) -> None:
        self.events.setdefault(kind, []).append(dict(facts))

    def progress(self, **facts: object) -> None:
        self.phase = str(facts.get("phase", self.phase))

    def breathe(self) -> None:
        if self.breaths is not None and self.phase == "teaching":
            self.breaths -= 1
            if self.breaths < 0:
                raise Stopped


def longer() -> list[Source]:
    """The tiny files with documents that pseudo-queries can be made of."""
    queries, documents, judgments = tiny_files()
    text = documents.data.replace(b" number ", b" stand in the shop window with the number ")
    return [queries, Source("documents.csv", text), judgments]


def plan_for(folder: Path, kind: Teacher, **changes: object) -> Plan:
    plan = tiny_plan(
        make_tiny_model(folder / "student", trained_head=False),
        longer(),
        strategies=("first-stage", "D"),
        teacher=kind,
        local_teacher=LocalTeacher(model=str(MODELS[kind](folder / kind)), max_length=LENGTH[kind], depth=5),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def run(plan: Plan, reporter: Silent | None = None) -> tuple[str, dict[str, Any]]:
    experiment = lock_plan(plan, name="tiny", dataset_name="tiny")
    run_experiment(ExperimentSpec(experiment, device="cpu"), reporter or Silent())
    result = load_result(experiment)
    assert result is not None
    return experiment, result


def allowed(experiment: str, result: dict[str, Any]) -> dict[str, Any]:
    """The result with a signature, where the gate stopped this random model: then only unlabelled queries are left."""
    if not result["teacher_audit"]["blocked"]:
        return result
    assert result["local_teacher"]["n_queries"] == 20
    let_teach(experiment, by="Ada", reason="a test")
    run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
    found = load_result(experiment)
    assert found is not None
    assert found["local_teacher"]["n_known"] == result["local_teacher"]["n_pairs"]
    return found


@pytest.mark.parametrize("kind", ["cross-encoder", "causal-lm"])
def test_an_experiment_is_taught_stopped_and_continued_without_scoring_twice(
    kind: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_for(tmp_path, kind, unlabelled=Unlabelled(4, "documents"))
    run_forecast({"plan": plan.to_dict(), "device": "cpu"}, told := Counting())
    forecast = told.events["forecast_done"][0]
    assert forecast["teacher"]["n_queries"] == 24  # 20 that are not tested, 4 unlabelled
    assert forecast["gate_1"]["seconds"] > forecast["teacher"]["seconds"] > 0
    with pytest.raises(Stopped):
        run(plan, Counting(breaths=21))
    n_kept = len(pd.concat([pd.read_parquet(path) for path in room("teacher").rglob("*.parquet")]))
    assert 0 < n_kept < 90
    experiment, result = run(plan)
    assert result["local_teacher"]["n_known"] == n_kept
    result = allowed(experiment, result)
    record = result["local_teacher"]
    assert record["n_queries"] == 24
    assert record["n_pairs"] == pytest.approx(forecast["teacher"]["n_pairs"], rel=0.05)
    assert (record["teacher"], record["model"], len(record["model_digest"])) == (kind, kind, 64)
    assert (record["prompt"], record["answer_share"] is None) == (
        ("yes_no-1-en", False) if kind == "causal-lm" else (None, True)
    )
    price = result["cost"]["device_price"]["usd"] / 3600
    assert result["strategies"]["D"]["cost"]["teacher_usd"] == pytest.approx(record["device_seconds"] * price)
    assert result["strategies"]["first-stage"]["cost"]["teacher_usd"] == 0
    assert result["asked_teacher"] is None
    audit = result["teacher_audit"]
    assert (audit["teacher"], audit["model"], audit["n_queries"]) == (kind, kind, 20)
    assert audit["measures"]["usd_per_query"]["value"] is not None
    # In another home, never stopped: the same numbers.
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "other"))
    again = allowed(*run(plan_for(tmp_path, kind, unlabelled=Unlabelled(4, "documents"))))
    assert again["strategies"]["D"]["measures"] == result["strategies"]["D"]["measures"]
    assert again["strategies"]["D"]["stages"] == result["strategies"]["D"]["stages"]
    assert experiment == again["experiment"]


def test_a_re_ranker_scores_as_the_students_engine_does(tmp_path: Path) -> None:
    plan = plan_for(tmp_path, "cross-encoder")
    device = pick_device("cpu")
    bench = prepare(plan, plan.strategies, device, Silent()).bench
    tasks = judged_tasks(bench)
    found = Scorer(bench).score(tasks)
    folder = Path(plan.local_teacher.model)
    tokens = TokenStore(load_tokenizer(folder))
    encoder = load_cross_encoder(folder, tokens.template, device, seed=0)
    pairs = [(task.query, text) for task in tasks for text in task.documents]
    tokens.add("query", [query for query, _ in pairs], [query for query, _ in pairs])
    tokens.add("document", [text for _, text in pairs], [text for _, text in pairs])
    alone = [Reading(64, "first").scores(encoder, tokens, [pair])[0] for pair in pairs]
    tolerance = 0.05 if device.dtype == "bf16" else 1e-5
    np.testing.assert_allclose(found["score"], alone, atol=tolerance)
    dev = set(bench.folds[0].dev)
    assert {task.query_id for task in tasks[: len(dev)]} == dev
    assert not {task.query_id for task in tasks} & set(bench.folds[0].test)
    again = Scorer(bench).score(tasks)
    assert again["is_known"].all()
    pd.testing.assert_frame_equal(again.drop(columns="is_known"), found.drop(columns="is_known"))


def test_what_a_query_scores_does_not_depend_on_what_was_scored_before(tmp_path: Path) -> None:
    bench = prepare(plan := plan_for(tmp_path, "causal-lm"), plan.strategies, pick_device("cpu"), Silent()).bench
    tasks = judged_tasks(bench)
    Scorer(bench).score(tasks[3:4])
    Scorer(bench).score(tasks[3:9:2])
    whole = Scorer(bench).score(tasks)
    for path in room("teacher").rglob("*.parquet"):
        path.unlink()
    assert Scorer(bench).score(tasks)["score"].tolist() == whole["score"].tolist()


def test_texts_that_are_not_in_the_data_can_be_asked_about(tmp_path: Path) -> None:
    bench = prepare(plan := plan_for(tmp_path, "cross-encoder"), plan.strategies, pick_device("cpu"), Silent()).bench
    task = judged_tasks(bench)[0]
    scorer = Scorer(bench)
    known = scorer.score([task])
    probes = pd.DataFrame({"query_id": task.query_id, "doc_id": task.doc_ids, "text": task.documents})
    assert scorer.ask(probes).tolist() == known["score"].tolist()
    other = scorer.ask(probes.assign(text=[document_text(task.query, text) for text in task.documents]))
    assert other.tolist() != known["score"].tolist()
    assert isinstance(task, Task)


@pytest.mark.parametrize(
    ("kind", "model", "length", "code"),
    [
        ("cross-encoder", "", 64, "teacher_needs_model"),
        ("cross-encoder", "no/such/folder", 64, "model_not_found"),
        ("cross-encoder", "headless", 64, "teacher_without_head"),
        ("cross-encoder", "ranker", 512, "teacher_longer_than_model"),
        ("causal-lm", "ranker", 64, "teacher_not_causal"),
        ("causal-lm", "writer", 64, "teacher_prompt_too_long"),
        ("causal-lm", "writer", 64, "prompt_missing"),
    ],
)
def test_what_cannot_teach_is_said_before_anything_is_trained(
    kind: Teacher, model: str, length: int, code: str, tmp_path: Path
) -> None:
    made = {
        "headless": lambda folder: make_tiny_model(folder, trained_head=False),
        "ranker": make_tiny_model,
        "writer": make_tiny_language_model,
    }
    name = str(made[model](tmp_path / model)) if model in made else model
    plan = plan_for(tmp_path, "cross-encoder")
    local = replace(plan.local_teacher, model=name, max_length=length)
    local = replace(local, prompt="99" if code == "prompt_missing" else "1")
    with pytest.raises(RerankError) as caught:
        run(replace(plan, teacher=kind, local_teacher=local))
    assert caught.value.code == code


def test_an_audit_without_a_plan_scores_all_judged_queries(tmp_path: Path) -> None:
    plan = plan_for(tmp_path, "causal-lm")
    run_audit(AuditSpec(plan.to_dict(), is_planned=False, device="cpu"), Silent(), tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["teacher"], found["scope"], found["n_queries"]) == ("causal-lm", "judged", 40)
    assert found["measures"]["probe"]["n"] > 0


def graded(endpoint: LoopbackEndpoint, sign: int) -> None:
    """Make the endpoint grade by the shared words, or the other way round."""
    endpoint.score = lambda query, document: (
        1.4 + sign * (1.4 if set(query.lower().split()) & set(document.lower().split()) else -1.4)
    )


def test_a_red_teacher_is_asked_what_its_audit_needs_and_no_more(tmp_path: Path) -> None:
    """Then somebody signs, and only what was not asked yet is asked."""
    endpoint = LoopbackEndpoint()
    graded(endpoint, -1)
    with running(endpoint):
        plan = tiny_plan(
            make_tiny_model(tmp_path / "model", trained_head=False),
            longer(),
            strategies=("first-stage", "embedding", "C", "D"),
            teacher="llm-pointwise",
            first_stage=FirstStage(kind="bm25", pool="judged", depth=6),
            unlabelled=Unlabelled(6, "documents"),
            llm=LanguageModel(
                base_url=endpoint.base_url,
                model="m",
                depth=6,
                checked_queries=0,
                usd_per_1m_input=USD_INPUT,
                usd_per_1m_output=USD_OUTPUT,
                concurrency=4,
            ),
        )
        experiment, result = run(plan)
        audit = result["teacher_audit"]
        assert (audit["colour"], audit["blocked"]) == ("red", True)
        n_audited = audit["n_pairs"]
        assert len(endpoint.asked) == result["asked_teacher"]["n_answers"] == n_audited == 100
        assert result["asked_teacher"]["n_queries"] == audit["n_queries"] == 20
        let_teach(experiment, by="Ada", reason="to see")
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
        result = load_result(experiment)
        assert result is not None
        asked = result["asked_teacher"]
        assert "D" in result["strategies"]
        assert set(endpoint.answered.values()) == {1}
        assert asked["n_queries"] == 26
        assert asked["n_answers"] == len(endpoint.asked) > n_audited
        assert asked["n_known"] == n_audited
        assert asked["usd"] == pytest.approx(endpoint.bill_usd)
        assert asked["usd_predicted"] == pytest.approx(endpoint.bill_usd, rel=0.1)


def test_a_limit_counts_what_will_be_asked_after_the_gate(tmp_path: Path) -> None:
    endpoint = LoopbackEndpoint()
    with running(endpoint):
        plan = tiny_plan(
            make_tiny_model(tmp_path / "model"),
            longer(),
            strategies=("first-stage", "D"),
            teacher="llm-pointwise",
            llm=LanguageModel(
                base_url=endpoint.base_url, model="m", depth=6, usd_per_1m_input=1.0, usd_per_1m_output=1.0
            ),
        )
        run_forecast({"plan": plan.to_dict(), "device": "cpu"}, told := Counting())
        limit = told.events["forecast_done"][0]["teacher"]["usd"]
        dear = replace(plan, unlabelled=Unlabelled(40, "documents"), llm=replace(plan.llm, usd=limit))
        with pytest.raises(RerankError, match="teacher_over_budget"):
            run(dear)
        assert not endpoint.asked
        # The forecast says how many the limit pays for; so many are not refused, whatever they turn out to cost.
        ample = replace(plan, llm=replace(plan.llm, usd=2 * limit))
        run_forecast({"plan": ample.to_dict(), "device": "cpu"}, told := Counting())
        n = told.events["forecast_done"][0]["teacher"]["n_unlabelled_affordable"]
        assert 4 < n < 40
        _, result = run(replace(ample, unlabelled=Unlabelled(n, "documents")))
    assert result["asked_teacher"]["usd"] <= 2 * limit
