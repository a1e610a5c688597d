"""What a decision is told about the experiment."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from rerank.decide.evidence import Evidence
from rerank.planning.plan import Plan
from rerank.report import decision
from rerank.report.ran import Ran
from rerank.stats.comparison import Comparison

GUARDRAILS = [{"guardrail": "max_harmed_share", "strategies": {"D": {"status": "broken"}, "C": {"status": "held"}}}]


def ran_of(
    plan: Plan,
    left_out: Mapping[str, Mapping[str, int]] | None = None,
    dev_scores: Mapping[str, float] | None = None,
) -> Ran:
    manifest = {"n_queries": 90, "n_judgments": 900, "n_documents": 5, "left_out": left_out or {}}
    runs = [
        SimpleNamespace(name=name, dev_score=score, lead_of_plain=None, fusion_weights=())
        for name, score in (dev_scores or {}).items()
    ]
    return cast(Ran, SimpleNamespace(plan=plan, dataset=SimpleNamespace(manifest=manifest), runs=runs))


def evidence_of(
    plan: Plan,
    comparisons: list[Comparison],
    monkeypatch: pytest.MonkeyPatch,
    dev_scores: Mapping[str, float] | None = None,
) -> Evidence:
    seen: list[Evidence] = []
    decide = decision.decide
    monkeypatch.setattr(decision, "decide", lambda evidence: seen.append(evidence) or decide(evidence))
    decided, _ = decision.decision_of(
        ran_of(plan, None, dev_scores), comparisons, 0.3, {"colour": "green"}, GUARDRAILS, {("C", "C-then-D"): 2.0}
    )
    assert (decided["single_strategy"], decided["second_strategy"]) == ("C", "C-then-D")
    return seen[0]


def compared(reference: str, challenger: str, *, confirmatory: bool, measure: str = "nDCG@10") -> Comparison:
    names = {
        "reference": reference,
        "challenger": challenger,
        "measure": measure,
        "confirmatory": confirmatory,
        "margin": 0.02,
        "n_queries": 60,
        "verdict": "better",
        "negligible": False,
        "n_more_queries": None,
        "reasons": (),
    }
    numbers = {name: 0.05 for name in Comparison.__dataclass_fields__ if name not in names}
    return Comparison(**names, **numbers)  # type: ignore[arg-type]


COMPARISONS = [
    compared("first-stage", "C", confirmatory=True),
    compared("C", "C-then-D", confirmatory=True),
    compared("first-stage", "embedding", confirmatory=False),
    compared("first-stage", "embedding", confirmatory=False, measure="AP"),
    compared("embedding", "C", confirmatory=False),
    compared("embedding", "D", confirmatory=False),
]


def test_the_plans_own_alpha_and_margin_count(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evidence_of(Plan("d" * 64, alpha=0.01, margin=0.03), COMPARISONS, monkeypatch)
    assert (found.alpha, found.margin) == (0.01, 0.03)


def test_the_locked_questions_and_the_free_baselines_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evidence_of(Plan("d" * 64), COMPARISONS, monkeypatch)
    assert (found.single, found.second) == (COMPARISONS[0], COMPARISONS[1])
    assert found.free_baselines == (COMPARISONS[2],)
    assert found.free_against_single == (COMPARISONS[4],)
    assert found.net_usd == {("C", "C-then-D"): 2.0}


def test_a_second_stage_stands_against_the_longer_single_stage_that_development_queries_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longer = [compared(name, "C-then-D", confirmatory=False) for name in ("C-long", "D-long", "C+D")]
    for scores, expected in (
        ({"C-long": 0.5, "D-long": 0.6, "C+D": 0.9, "D": 0.7}, longer[1]),  # C+D distils in its only stage
        ({"C-long": 0.6, "D-long": 0.5}, longer[0]),
        ({}, None),
    ):
        found = evidence_of(Plan("d" * 64), [*COMPARISONS, *longer], monkeypatch, scores)
        assert found.second_against_longer == expected


def test_broken_guardrails_and_the_question_of_the_signal_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = compared("C", "D", confirmatory=True)
    found = evidence_of(Plan("d" * 64, label_or_distil=True), [*COMPARISONS, asked], monkeypatch)
    assert found.broken == {"D": ("max_harmed_share",)}
    assert (found.signal, found.second) == (asked, COMPARISONS[1])
    assert evidence_of(Plan("d" * 64), COMPARISONS, monkeypatch).signal is None


@pytest.mark.parametrize(
    ("left_out", "is_broken"),
    [
        ({"judgments": {"grade_not_integer": 60, "orphan_judgment": 40}}, False),  # a tenth is not more than a tenth
        ({"judgments": {"grade_not_integer": 60, "orphan_judgment": 41}}, True),
        ({"queries": {"query_without_text": 11}}, True),
        ({"documents": {"duplicate_document_id": 50}, "candidates": {"orphan_candidate": 999}}, False),
    ],
)
def test_data_of_which_more_than_a_tenth_was_left_out_are_to_be_repaired(
    left_out: Mapping[str, Mapping[str, int]], is_broken: bool
) -> None:
    decided, gate = decision.decision_of(ran_of(Plan("d" * 64), left_out), COMPARISONS[:1], 0.3, None, [], {})
    assert decided["code"] == ("repair_data" if is_broken else "adopt_single_stage")
    assert ("data_has_errors" in decided["reasons"]) is is_broken
    assert gate["recommended"] == ("no_go" if is_broken else "go")
