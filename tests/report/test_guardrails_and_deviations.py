"""Guardrails, looks and deviations in a result, from rankings of a chosen quality."""

import dataclasses
from typing import Any

import pytest

from rerank import __version__
from rerank.planning.plan import Guardrails
from rerank.report.comparisons import family_size, locked_pairs
from rerank.report.curve import curve_scores
from rerank.report.deviations import DEVIATIONS, deviations_of
from rerank.report.per_query import seed_scores
from rerank.report.ran import Ran
from rerank.report.result import build_result
from rerank.wording.language import speaker
from rerank.wording.plans import GUARDRAILS, STATUSES, guardrail_sentences
from rerank.wording.record import DEVIATIONS as SENTENCES
from rerank.wording.record import deviation_sentences, look_sentence
from tests.executed import executed

LIMITS = Guardrails(max_p95_latency_ms=0.5, min_recall=0.5, max_segment_drop=0.5, max_harmed_share=0.9)
GATE: dict[str, Any] = {"recommended": "go", "reasons": []}
DECIDED = {"at": "2025-01-02T03:04:05+00:00", "by": "A. Name", "reason": "to see"}


@pytest.fixture(scope="module")
def ran() -> Ran:
    return dataclasses.replace(executed(guardrails=LIMITS), experiment="0" * 12)


@pytest.fixture(scope="module")
def result(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    looked = {"experiment": "a" * 12, "at": "2025-01-01T00:00:00+00:00", "n_common_queries": 7}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(tmp_path_factory.mktemp("home")))
        return build_result(dataclasses.replace(ran, earlier_looks=(looked,)), seed_scores(ran), curve_scores(ran))


def test_a_result_holds_every_guardrail_of_every_strategy(ran: Ran, result: dict[str, Any]) -> None:
    by_seed = seed_scores(ran)
    kpi = by_seed[by_seed["measure"] == "nDCG@10"].groupby(["strategy", "query_id"])["value"].mean().unstack(0)
    found = {item["guardrail"]: item for item in result["guardrails"]}
    assert [item["limit"] for item in result["guardrails"]] == [0.5, 0.5, 0.5, 0.9]
    for name in ("first-stage", "embedding", "C", "C-then-D"):
        gain = kpi[name] - kpi["first-stage"]
        shares = found["max_harmed_share"]["strategies"][name]
        assert (shares["value"], shares["status"]) == (pytest.approx((gain < -0.1).mean()), "held")
        assert (shares["n"], shares["segment"]) == (len(gain), None)
        assert shares["low"] <= shares["value"] <= shares["high"]
        segment_of = ran.dataset.queries.set_index("query_id")["segment"]
        means = gain.groupby(segment_of).mean()
        drop = found["max_segment_drop"]["strategies"][name]
        assert drop["value"] == pytest.approx(max(0.0, -means.min()))
        latency = found["max_p95_latency_ms"]["strategies"][name]
        assert (latency["value"], latency["status"]) == (1.0, "broken")
    assert found["min_recall"]["strategies"]["C"]["value"] == result["strategies"]["C"]["measures"]["R@14"]


def test_what_is_too_slow_is_not_recommended_although_it_gains(result: dict[str, Any]) -> None:
    single = next(item for item in result["comparisons"] if item["confirmatory"])
    assert single["verdict"] == "better"
    assert result["decision"]["code"] == "stop"
    assert "single_breaks_guardrail" in result["decision"]["reasons"]
    assert result["decision"]["recommended_strategy"] is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_guardrails_are_said_next_to_the_decision(result: dict[str, Any], language: str) -> None:
    say = speaker(language)
    lines = guardrail_sentences(say, result)
    assert len(lines) == len(result["guardrails"])
    for line, item in zip(lines, result["guardrails"], strict=True):
        assert say(GUARDRAILS[item["guardrail"]]) in line
        assert say(STATUSES[item["strategies"]["C"]["status"]]) in line


def test_a_plan_without_guardrails_has_none_and_recommends_what_gains() -> None:
    free = dataclasses.replace(executed(), experiment="0" * 12)
    found = build_result(free, seed_scores(free), curve_scores(free))
    assert (found["guardrails"], guardrail_sentences(speaker("en"), found)) == ([], [])
    assert found["decision"]["recommended_strategy"] in ("C", "C-then-D")
    assert (found["looks"], look_sentence(speaker("en"), found)) == ({"nth": 1, "earlier": []}, "")


def test_the_second_plan_on_the_same_queries_says_so(result: dict[str, Any]) -> None:
    assert result["looks"]["nth"] == 2
    assert "plan number 2" in look_sentence(speaker("en"), result)


def changed(ran: Ran, **changes: Any) -> Ran:
    return dataclasses.replace(ran, **changes)


def codes(ran: Ran, gate: dict[str, Any] = GATE) -> list[str]:
    return [item["code"] for item in deviations_of(ran, gate)]


def test_a_go_that_was_recommended_and_signed_is_no_deviation(ran: Ran) -> None:
    gates = ({**DECIDED, "decided": "go", "recommended": "go"},)
    same = {"device_name": ran.device_name, "code_version": __version__}
    assert codes(changed(ran, gates=gates, starts=(same, same))) == []
    assert codes(changed(ran, gate=1)) != ["gates_run_at_once"]


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        ((), "gates_run_at_once"),
        (({**DECIDED, "decided": "no_go", "recommended": "go"},), "second_stage_despite_no_go"),
        (({**DECIDED, "decided": "go", "recommended": "no_go"},), "second_stage_against_recommendation"),
    ],
)
def test_how_the_second_stage_came_to_run_is_kept(ran: Ran, gates: tuple[dict[str, str], ...], code: str) -> None:
    assert codes(changed(ran, gates=gates)) == [code]


def test_another_device_another_version_missing_strategies_and_rows_are_told(ran: Ran) -> None:
    dataset = dataclasses.replace(ran.dataset, manifest={**ran.dataset.manifest, "n_rejected": 3})
    plan = dataclasses.replace(
        ran.plan,
        strategies=(*ran.plan.strategies, "base"),
        unlabelled=dataclasses.replace(ran.plan.unlabelled, queries=50),
    )
    starts = ({"device_name": "another device", "code_version": "0.0.1"}, {"device_name": ran.device_name})
    counts = {"log": 10, "documents": 5}
    found = deviations_of(
        changed(
            ran, dataset=dataset, plan=plan, starts=starts, unlabelled_counts=counts, computed_with=("fp32", "bf16")
        ),
        GATE,
    )
    facts = {item["code"]: item["facts"] for item in found}
    assert facts["device_changed"] == {"values": ["another device", ran.device_name]}
    assert facts["version_changed"] == {"values": ["0.0.1", __version__]}
    assert facts["computed_otherwise"] == {"ways": "fp32 → bf16"}
    assert facts["strategies_left_out"] == {"strategies": ["base"]}
    assert facts["rows_left_out"] == {"n": 3}
    assert facts["fewer_unlabelled_queries"] == {"planned": 50, "n": 15}
    assert [item["code"] for item in found] == [code for code in DEVIATIONS if code in facts]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_deviation_has_a_sentence_with_all_its_facts(language: str) -> None:
    assert set(SENTENCES) == set(DEVIATIONS)
    facts = {
        **DECIDED,
        "recommended": "no_go",
        "values": ["x", "y"],
        "strategies": ["base"],
        "n": 1,
        "planned": 2,
        "ways": "x",
    }
    listed = [{"code": code, "facts": facts} for code in DEVIATIONS]
    lines = deviation_sentences(speaker(language), {"deviations": listed})
    assert len(set(lines)) == len(DEVIATIONS)
    assert all("{" not in line for line in lines)


def test_label_or_distil_is_a_question_of_the_family_when_the_plan_asks_it() -> None:
    quality = {"first-stage": 0.4, "embedding": 0.6, "C": 1.0, "D": 1.2}
    asked = executed(quality=quality, label_or_distil=True)
    runs = tuple(dataclasses.replace(run, dev_score=quality[run.name]) for run in asked.runs)
    asked = dataclasses.replace(asked, runs=runs)
    assert locked_pairs(asked) == [("first-stage", "D"), ("C", "D")]
    assert family_size(asked.plan) == 2
    silent = dataclasses.replace(asked, plan=dataclasses.replace(asked.plan, label_or_distil=False))
    assert locked_pairs(silent) == [("first-stage", "D")]
    assert family_size(silent.plan) == 1


def test_a_result_of_an_earlier_version_is_still_said(result: dict[str, Any]) -> None:
    older = {name: value for name, value in result.items() if name not in ("guardrails", "looks", "deviations")}
    say = speaker("en")
    assert (guardrail_sentences(say, older), look_sentence(say, older), deviation_sentences(say, older)) == ([], "", [])
