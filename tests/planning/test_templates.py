"""Templates: each question has the strategies, the family and the controls that answer it."""

from dataclasses import replace

import pytest

from rerank.errors import RerankError
from rerank.planning.check import check_plan
from rerank.planning.plan import CONTROLS, SINGLE_STAGE, TWO_STAGE
from rerank.planning.presets import PRESETS, TEMPLATES, preset, template
from rerank.report.comparisons import family_size
from rerank.wording.plans import HYPOTHESES
from rerank.wording.plans import TEMPLATES as NAMES

DIGEST = "d" * 64


@pytest.mark.parametrize("start", PRESETS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_makes_a_valid_plan_and_leaves_how_thoroughly_to_the_preset(name: str, start: str) -> None:
    before = preset(start, DIGEST)
    plan = template(name, before)
    check_plan(plan)
    changed = {"strategies": before.strategies, "learning_curve": before.learning_curve, "label_or_distil": False}
    assert replace(plan, **changed) == before  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "n_questions", "two_stage", "controls", "curve"),
    [
        ("reranking", 1, False, False, SINGLE_STAGE),
        ("second_stage", 2, True, True, None),
        ("label_or_distil", 2, False, False, ("C", "D")),
    ],
)
def test_each_question_is_planned_with_what_answers_it(
    name: str, n_questions: int, two_stage: bool, controls: bool, curve: tuple[str, ...] | None
) -> None:
    plan = template(name, preset("standard", DIGEST))
    assert set(SINGLE_STAGE) <= set(plan.strategies)
    assert (set(TWO_STAGE) <= set(plan.strategies)) is two_stage
    assert (set(CONTROLS) <= set(plan.strategies)) is controls
    assert family_size(plan) == n_questions
    assert plan.label_or_distil is (name == "label_or_distil")
    assert (plan.learning_curve.strategies if plan.learning_curve.shares else None) == curve


def test_every_template_has_a_name_and_a_hypothesis() -> None:
    assert set(NAMES) == set(HYPOTHESES) == set(TEMPLATES)


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(RerankError, match="unknown_template"):
        template("nothing", preset("quick", DIGEST))
