"""A whole experiment that a language model teaches: killed, continued, priced, and without its key anywhere."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rerank.errors import RerankError
from rerank.jobs.launch import start
from rerank.planning.experiments import load_result, lock_plan
from rerank.planning.plan import FirstStage, LanguageModel, Plan, Unlabelled
from rerank.worker.experiment import ExperimentSpec, run_experiment, run_forecast
from rerank.worker.reporter import Silent, Stopped
from tests.models import make_tiny_model
from tests.teacher.endpoint import USD_INPUT, USD_OUTPUT, LoopbackEndpoint, running
from tests.tiny import pid_of, tiny_plan, wait_for_end

SECRET = "sk-test-0b2d4f6a8c"


class Interrupting(Silent):
    """A reporter that stops the job after so many looks at the teacher's answers, and remembers events."""

    def __init__(self, n_answers: int | None = None) -> None:
        self.n_answers = n_answers
        self.seen = 0
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.told: dict[str, Any] = {}

    def event(self, kind: str, **facts: object) -> None:
        self.events.setdefault(kind, []).append(dict(facts))

    def progress(self, **facts: object) -> None:
        self.told |= facts

    def breathe(self) -> None:
        if self.n_answers is not None and int(self.told.get("n_answers", 0)) >= self.n_answers:
            raise Stopped


def plan_for(endpoint: LoopbackEndpoint, home: Path, **changes: object) -> Plan:
    """A tiny plan whose D learns from the endpoint: two windows for each query."""
    plan = tiny_plan(
        make_tiny_model(home / "model"),
        strategies=("first-stage", "D"),
        first_stage=FirstStage(kind="embedding", depth=25),
        teacher="llm-listwise",
        llm=LanguageModel(
            base_url=endpoint.base_url,
            model="tiny-judge",
            depth=25,
            checked_queries=0,
            usd_per_1m_input=USD_INPUT,
            usd_per_1m_output=USD_OUTPUT,
            concurrency=4,
        ),
    )
    return replace(plan, distillation=replace(plan.distillation, loss="ranknet"), **changes)  # type: ignore[arg-type]


def run(plan: Plan, reporter: Interrupting | None = None) -> dict[str, Any]:
    experiment = lock_plan(plan, name="tiny", dataset_name="tiny")
    run_experiment(ExperimentSpec(experiment, device="cpu"), reporter or Silent())
    result = load_result(experiment)
    assert result is not None
    return result


def test_killed_in_the_middle_it_asks_nothing_twice_and_ends_with_the_same_numbers(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_TEACHER_KEY", SECRET)
    endpoint = LoopbackEndpoint()
    endpoint.key = SECRET
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path)
        with pytest.raises(Stopped):
            run(plan, Interrupting(25))
        n_before = len(endpoint.asked)
        assert 20 < n_before < 40
        listening = Interrupting()
        result = run(plan, listening)
        assert len(endpoint.asked) == len(endpoint.answered) == 40  # 20 queries that are not tested, two windows each
        assert set(endpoint.answered.values()) == {1}
        asked = result["asked_teacher"]
        assert (asked["n_answers"], asked["n_known"], asked["n_queries"]) == (40, n_before, 20)
        bill = endpoint.bill_usd
        cost = result["strategies"]["D"]["cost"]
        assert asked["usd"] == cost["teacher_usd"] == pytest.approx(bill)
        assert result["strategies"]["first-stage"]["cost"]["teacher_usd"] == 0.0
        assert result["cost"]["job_usd"] > bill
        assert result["inheritance"]["scope"] == "development"  # nobody was asked about the test queries
        assert asked["usd_predicted"] == pytest.approx(bill, rel=0.1)
        # The same plan in another home, never stopped.
        monkeypatch.setenv("RERANK_HOME", str(tmp_path / "other"))
        again = run(plan_for(endpoint, tmp_path))
    assert endpoint.answered.total() == 80
    assert again["strategies"]["D"]["measures"] == result["strategies"]["D"]["measures"]
    assert again["strategies"]["D"]["stages"] == result["strategies"]["D"]["stages"]
    written = [path for path in [*home.rglob("*"), *(tmp_path / "other").rglob("*")] if path.is_file()]
    assert any(path.name == "answers.sqlite" for path in written)
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_a_killed_process_loses_only_what_was_on_its_way(home: Path, tmp_path: Path) -> None:
    endpoint = LoopbackEndpoint()
    with running(endpoint):
        endpoint.seconds = 0.1
        plan = plan_for(endpoint, tmp_path)
        experiment = lock_plan(plan, name="tiny", dataset_name="tiny")
        spec = {"experiment": experiment, "gate": 2, "device": "cpu"}
        job = start("experiment", spec)
        ends = time.monotonic() + 120
        while len(endpoint.answered) < 12 and time.monotonic() < ends:
            time.sleep(0.02)
        os.kill(pid_of(job.id), signal.SIGKILL)
        endpoint.seconds = 0.0
        wait_for_end(job.id)
        asked_before = len(endpoint.asked)
        assert asked_before < 40
        run_experiment(ExperimentSpec(experiment, device="cpu"), listening := Interrupting())
    assert listening.events["teacher_asked"][0]["n_known"] >= 12 - plan.llm.concurrency
    assert len(endpoint.answered) == 40
    assert len(endpoint.asked) - 40 <= plan.llm.concurrency  # those whose answers nobody was left to keep


def test_the_bill_is_predicted_within_a_tenth_once_the_endpoint_has_counted(home: Path, tmp_path: Path) -> None:
    """The server counts tokens in its own way, about half as many again as the predictor; the range says so first."""
    endpoint = LoopbackEndpoint()
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path, teacher="llm-pointwise", first_stage=FirstStage(depth=6))
        run_forecast({"plan": plan.to_dict(), "device": "cpu"}, blind := Interrupting())
        before = blind.events["forecast_done"][0]["teacher"]
        assert not endpoint.asked  # a forecast spends nothing
        asked = run(plan, running_on := Interrupting())["asked_teacher"]
        forecasts = running_on.events["teacher_forecast"]
        assert [item["is_counted"] for item in forecasts] == [False, True]
        assert forecasts[1]["usd"] == asked["usd_predicted"]
        run_forecast({"plan": plan.to_dict(), "device": "cpu"}, counted := Interrupting())
        after = counted.events["forecast_done"][0]["teacher"]
        again = run(replace(plan, hypothesis="The same again.", llm=replace(plan.llm, usd=1e-9)))["asked_teacher"]
        assert again["n_known"] == again["n_answers"] == asked["n_answers"]  # a limit is about what is still to be paid
    bill = endpoint.bill_usd
    assert before["n_questions"] == after["n_questions"] == len(endpoint.asked) == asked["n_answers"]
    assert before["usd_low"] <= bill <= before["usd_high"]
    assert asked["usd_first_predicted"] == pytest.approx(before["usd"])
    assert asked["usd_predicted"] == pytest.approx(bill, rel=0.1)
    assert after["usd"] == pytest.approx(bill, rel=0.02)


def test_a_limit_below_the_prediction_stops_before_the_first_question(home: Path, tmp_path: Path) -> None:
    endpoint = LoopbackEndpoint()
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path)
        plan = replace(plan, llm=replace(plan.llm, usd=1e-6))
        with pytest.raises(RerankError) as caught:
            run(plan)
    assert caught.value.code == "teacher_over_budget"
    assert not endpoint.asked


def test_the_limit_of_the_whole_experiment_counts_too(home: Path, tmp_path: Path) -> None:
    endpoint = LoopbackEndpoint()
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path)
        dear = replace(plan.llm, usd_per_1m_input=1000.0, usd_per_1m_output=1000.0)
        with pytest.raises(RerankError) as caught:
            run(replace(plan, llm=dear, budget=replace(plan.budget, usd=0.5)))
    assert caught.value.code == "teacher_over_budget"
    assert not endpoint.asked


def test_unusable_answers_are_left_out_and_counted(home: Path, tmp_path: Path) -> None:
    """Every fourth question gets prose: that query is not taught, and the others are."""
    endpoint = LoopbackEndpoint(lambda number, before: "I would rather not." if number % 4 == 3 else None)
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path, unlabelled=Unlabelled(4, "documents"))
        plan = replace(plan, llm=replace(plan.llm, depth=10, concurrency=1))
        asked = run(plan)["asked_teacher"]
        assert asked["failures"] == {"no_order": asked["n_failed"]}
        assert asked["n_queries"] == asked["n_answers"] == len(endpoint.asked)
        assert asked["n_queries_without_answer"] == asked["n_failed"] == len(endpoint.asked) // 4
        endpoint.fault = lambda number, before: "I would rather not."
        with pytest.raises(RerankError) as caught:
            run(replace(plan, llm=replace(plan.llm, model="other")))
    assert caught.value.code == "teacher_answers_unusable"


def test_what_is_missing_is_said_before_anything_is_computed(home: Path, tmp_path: Path) -> None:
    plan = plan_for(LoopbackEndpoint(), tmp_path)
    plan = replace(plan, llm=replace(plan.llm, base_url="http://127.0.0.1:9/v1"))
    for changes, code in (
        ({"usd_per_1m_input": None}, "teacher_price_missing"),
        ({"prompt": "99"}, "prompt_missing"),
    ):
        with pytest.raises(RerankError) as caught:
            run(replace(plan, llm=replace(plan.llm, **changes)))  # type: ignore[arg-type]
        assert caught.value.code == code
