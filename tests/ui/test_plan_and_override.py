"""Templates, guardrails, power and capacity on the plan page; an override on the results page."""

from pathlib import Path
from typing import Any

import pytest

from rerank.cli.main import main
from rerank.jobs import queue
from rerank.planning.check import plan_from_dict
from rerank.planning.experiments import load_locked, pilot_path
from rerank.planning.overrides import overrides
from rerank.planning.plan import Guardrails, Plan
from rerank.store.artefacts import write_json
from rerank.ui import plan_start
from rerank.wording.language import speaker
from rerank.wording.plans import HYPOTHESES
from tests.tiny import finished_experiment, tiny_plan
from tests.ui.conftest import open_page


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished experiment."""
    folder = tmp_path_factory.mktemp("finished")
    finished_experiment(folder)
    return folder


def locked_by(page: Any, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Press the start button without starting anything; return the plan that was locked."""
    specs: list[dict[str, Any]] = []
    monkeypatch.setattr(plan_start, "start", lambda kind, spec: specs.append(spec))
    page.button("start").click().run()
    plan, _ = load_locked(specs[0]["experiment"])
    return plan


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_template_fills_the_plan_and_guardrails_are_locked_with_it(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = tiny_plan(tmp_path / "model").dataset_digest
    page = open_page("plan", lang=language)
    page.selectbox("plan_template").select("label_or_distil").run()
    key = f"quick_label_or_distil_{digest[:8]}"
    page.toggle(f"has_harmed_{key}").set_value(True).run()
    page.number_input(f"limit_harmed_{key}").set_value(0.2).run()
    assert not page.exception
    assert not page.error
    plan = locked_by(page, monkeypatch)
    assert plan.label_or_distil
    assert not any("then" in name for name in plan.strategies)
    assert plan.hypothesis == speaker(language)(HYPOTHESES["label_or_distil"])
    assert plan.guardrails == Guardrails(max_harmed_share=0.2)


def test_without_a_template_the_preset_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_plan(tmp_path / "model")
    plan = locked_by(open_page("plan", lang="en"), monkeypatch)
    assert (plan.hypothesis, plan.label_or_distil, plan.guardrails) == ("", False, Guardrails())
    assert "C-then-D" in plan.strategies


def test_a_pilot_replaces_typical_spreads_and_judges_turn_queries_into_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = tiny_plan(tmp_path / "model").dataset_digest
    page = open_page("plan", lang="en")
    assert any("typical spreads" in item.value for item in page.caption)
    started: list[tuple[str, dict[str, Any]]] = []

    def start(kind: str, spec: dict[str, Any]) -> Any:
        started.append((kind, spec))
        return queue.submit(kind, spec)[0]

    monkeypatch.setattr("rerank.ui.job_button.start", start)
    page.button("pilot").click().run()
    [(kind, spec)] = started
    assert kind == "pilot"
    plan = plan_from_dict(spec["plan"])
    record = {"measure": "nDCG@10", "sd": 0.38, "sd_low": 0.3, "sd_high": 0.5, "n_queries": 28, "sealed": True}
    write_json(pilot_path(plan), record)
    page = open_page("plan", lang="en")
    assert any("0.380" in item.value and "from a pilot" in item.value for item in page.caption)
    capacity = f"capacity_{digest[:8]}"
    more = next(item for item in page.number_input if str(item.key).startswith(f"{capacity}_more"))
    more.set_value(12).run()
    page.number_input(f"{capacity}_hours").set_value(5.0).run()
    page.number_input(f"{capacity}_minutes_False").set_value(1.0).run()
    shown = {item.label: item.value for item in page.metric}
    # 12 of 40 queries are tested: 40 queries of 5 judgments, a minute each, 5 hours a week: 3 1/3 working days.
    assert (shown["Queries to judge"], shown["Judgments"], shown["Working days"]) == ("40", "200", "4")


def test_an_override_needs_a_name_and_a_reason_and_is_shown_everywhere(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(finished))
    identity = next(path.name for path in (finished / "experiments").iterdir())
    page = open_page("results", lang="en")
    assert page.button("override").disabled
    page.text_input("override_by").set_value("A. Name").run()
    assert page.button("override").disabled
    page.text_input("override_reason").set_value("a *pilot* customer").run()
    page.button("override").click().run()
    assert not page.exception
    [kept] = overrides(identity)
    assert (kept["by"], kept["reason"], kept["subject"]) == ("A. Name", "a *pilot* customer", [])
    said = [item.value for item in page.warning if "overridden by A\\. Name" in item.value]
    assert len(said) == 1
    assert "\\*pilot\\*" in said[0]
    assert any("overridden by A\\. Name" in item.value for item in open_page("overview", lang="en").warning)
    assert not open_page("results", lang="ja").exception
    for place in (identity, str(finished / "experiments" / identity)):
        assert main(["--lang", "en", "show", place]) == 0
        assert "Decision overridden by A. Name" in capsys.readouterr().out
