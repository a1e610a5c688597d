"""What a language model is asked for its audit alone: is it steady, does it go by position, does it fall for words?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rerank.planning.plan import FirstStage, LanguageModel, Plan, StageSettings, Teacher
from rerank.worker.auditing import AuditSpec, run_audit
from rerank.worker.experiment import run_forecast
from tests.models import make_tiny_model
from tests.teacher.endpoint import USD_INPUT, USD_OUTPUT, LoopbackEndpoint, running
from tests.tiny import TRAINING, tiny_plan
from tests.worker.test_language_model_teacher import Interrupting, run


def plan_for(endpoint: LoopbackEndpoint, folder: Path, teacher: Teacher, **settings: Any) -> Plan:
    """A plan on judged documents in BM25's order: two relevant ones and three that are not for each query."""
    return tiny_plan(
        make_tiny_model(folder / "model", trained_head=False),
        strategies=("first-stage", "D"),
        first_stage=FirstStage(kind="bm25", pool="judged", depth=6),
        teacher=teacher,
        distillation=StageSettings(loss="ranknet", **TRAINING),  # type: ignore[arg-type]
        llm=LanguageModel(
            base_url=endpoint.base_url,
            model="m",
            depth=6,
            usd_per_1m_input=USD_INPUT,
            usd_per_1m_output=USD_OUTPUT,
            concurrency=1,
            **settings,
        ),
    )


def audited(
    folder: Path, teacher: Teacher, score: Callable[[str, str], float], **settings: Any
) -> tuple[dict[str, Any], LoopbackEndpoint]:
    endpoint = LoopbackEndpoint()
    endpoint.score = score
    with running(endpoint):
        plan = plan_for(endpoint, folder, teacher, **settings)
        run_audit(AuditSpec(plan.to_dict(), is_planned=False, device="cpu"), Interrupting(), folder / "audit.json")
    return json.loads((folder / "audit.json").read_text()), endpoint


def by_copy(query: str, text: str) -> float:
    """The judgments' own order, from the end of a document's text: its topic, then its copy's number."""
    topic, copy = query.split()[1], text.rstrip(".").rsplit(" ", 1)[-1]
    return (10.0 if f"the {topic} and" in text else 0.0) - float(copy)


def test_a_teacher_that_repeats_its_input_is_told_by_shuffled_lists(tmp_path: Path) -> None:
    found, endpoint = audited(tmp_path, "llm-listwise", lambda query, text: 0.0)
    assert {"position_bias", "order_dependent"} <= set(found["reasons"])
    assert found["warnings"] == []  # the shuffled lists tell position from relevance
    assert found["measures"]["position_slope"]["value"] == pytest.approx(1)
    assert found["measures"]["shuffled"]["ci_low"] > 0.1
    assert (found["measures"]["repeated"]["value"], found["measures"]["repeated"]["n"]) == (0.0, 20)
    assert len(endpoint.asked) == 40 + 20 + 20 + found["measures"]["probe"]["n"]
    assert set(endpoint.answered.values()) == {1}  # asked once more is another request


def test_a_teacher_that_knows_what_is_relevant_raises_nothing(tmp_path: Path) -> None:
    found, _ = audited(tmp_path, "llm-listwise", by_copy)
    assert found["reasons"] == []
    assert found["colour"] == "green"
    for name in ("shuffled", "repeated", "probe"):
        assert (found["measures"][name]["value"], found["measures"][name]["n"]) == (0.0, 20)
    assert found["measures"]["position_slope"]["ci_low"] < 0 < found["measures"]["position_slope"]["ci_high"]
    assert found["not_measured"] == []


@pytest.mark.parametrize("teacher", ["llm-listwise", "llm-pointwise"])
def test_a_teacher_that_counts_words_falls_for_the_query_in_a_bad_document(teacher: Teacher, tmp_path: Path) -> None:
    """It grades relevant documents as it should, and still: the words alone lift a bad one above them."""

    def score(query: str, text: str) -> float:
        return 2.9 if query in text else max(0.0, min(2.5, by_copy(query, text) / 4))

    found, _ = audited(tmp_path, teacher, score)
    assert "lexical_bias" in found["reasons"]
    assert (found["measures"]["probe"]["value"], found["measures"]["probe"]["n"]) == (1.0, 20)


class Moody(LoopbackEndpoint):
    """It answers the other way round when it is asked with a seed."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        sign = -1 if "seed" in request else 1
        self.score = lambda query, text: 1.4 + sign * (by_copy(query, text) - 5) / 8
        return super().answer(request)


@pytest.mark.parametrize("teacher", ["llm-listwise", "llm-pointwise"])
def test_a_teacher_that_changes_its_mind_is_told_by_asking_again(teacher: Teacher, tmp_path: Path) -> None:
    with running(Moody()) as endpoint:
        plan = plan_for(endpoint, tmp_path, teacher)
        run_audit(AuditSpec(plan.to_dict(), is_planned=False, device="cpu"), Interrupting(), tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["measures"]["repeated"]["value"], found["measures"]["repeated"]["n"]) == (1.0, 20)
    assert found["measures"]["kendall_tau"]["value"] > 0.5  # the first answers teach


def test_checks_are_priced_beforehand_counted_apart_and_not_asked_again(home: Path, tmp_path: Path) -> None:
    endpoint = LoopbackEndpoint()
    endpoint.score = by_copy
    with running(endpoint):
        plan = plan_for(endpoint, tmp_path, "llm-listwise")
        run_forecast({"plan": plan.to_dict(), "device": "cpu"}, blind := Interrupting())
        forecast = blind.events["forecast_done"][0]["teacher"]
        assert not endpoint.asked
        result = run(plan)
        asked = result["asked_teacher"]
        assert asked["n_answers"] == len(endpoint.asked) == forecast["n_questions"]
        assert (asked["n_queries"], asked["n_check_answers"]) == (20, 60)
        assert asked["usd"] == pytest.approx(endpoint.bill_usd)
        assert asked["usd_predicted"] == pytest.approx(endpoint.bill_usd, rel=0.1)
        per_query = result["teacher_audit"]["measures"]["usd_per_query"]["value"]
        assert per_query * 20 + asked["check_usd"] == pytest.approx(endpoint.bill_usd)
        again = run(plan)["asked_teacher"]
    assert again["n_known"] == again["n_answers"] == asked["n_answers"] == len(endpoint.asked)
    assert again["check_usd"] == pytest.approx(asked["check_usd"])
