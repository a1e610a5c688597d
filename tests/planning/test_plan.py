"""Plans: what is refused, and what a digest depends on."""

import dataclasses
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.plan import Budget, Plan, StageSettings, single_stage_part
from rerank.planning.presets import PRESETS, preset

DIGEST = "d" * 64


def refused(settings: dict[str, object]) -> RerankError:
    with pytest.raises(RerankError) as caught:
        plan_from_dict(settings, Plan(DIGEST))
    return caught.value


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"marign": 0.02}, "marign"),
        ({"split": {"fold": 3}}, "split.fold"),
        ({"contrastive": {"lr": 1e-4}}, "contrastive.lr"),
    ],
)
def test_a_setting_that_does_not_exist_is_named(settings: dict[str, object], named: str) -> None:
    error = refused(settings)
    assert (error.code, error.facts) == ("plan_unknown_setting", {"setting": named})


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"primary_measure": "nDCG@7"}, "primary_measure"),
        ({"margin": 0}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"margin": True}, "margin"),
        ({"margin": 10**400}, "margin"),
        ({"alpha": "5 %"}, "alpha"),
        ({"strategies": "C"}, "strategies"),
        ({"strategies": ["first-stage", "C-then-C"]}, "strategies"),
        ({"strategies": ["C"]}, "strategies"),
        ({"strategies": [["C"]]}, "strategies"),
        ({"strategies": ["first-stage", "C", "C"]}, "strategies, seeds"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [1, 1]}, "strategies, seeds"),
        ({"seeds": [1.0]}, "seeds"),
        ({"seeds": [[1]]}, "seeds"),
        ({"seeds": 3}, "seeds"),
        ({"split": "kfold"}, "split"),
        ({"split": {"kind": "loo"}}, "split.kind"),
        ({"split": {"folds": 2.0}}, "split.folds"),
        ({"first_stage": {"pool": "everything"}}, "first_stage.pool"),
        ({"teacher": "gpt"}, "teacher"),
        ({"passages": "mean"}, "passages"),
        ({"max_queries": 0}, "max_queries"),
        ({"max_queries": 10.5}, "max_queries"),
        ({"budget": {"usd": -1}}, "budget.usd"),
        ({"contrastive": {"loss": "mse"}}, "contrastive.loss"),
        ({"distillation": {"loss": "auto"}}, "distillation.loss"),
        ({"distillation": {"epochs": -1}}, "distillation.epochs"),
        ({"contrastive": {"freeze_word_embeddings": "no"}}, "contrastive.freeze_word_embeddings"),
        ({"base_model": " "}, "base_model"),
        ({"hypothesis": 7}, "hypothesis"),
    ],
)
def test_a_value_out_of_its_range_is_refused_with_its_setting(settings: dict[str, object], named: str) -> None:
    error = refused(settings)
    assert (error.code, error.facts["setting"]) == ("plan_bad_value", named)


@pytest.mark.parametrize("strategies", [[], ["first-stage"]])
def test_a_plan_that_compares_nothing_is_refused(strategies: list[str]) -> None:
    assert refused({"strategies": strategies}).code == "plan_no_strategy"


def test_settings_that_are_not_named_keep_their_values() -> None:
    start = dataclasses.replace(Plan(DIGEST), margin=0.05)
    plan = plan_from_dict({"split": {"folds": 3}}, start)
    assert (plan.split.folds, plan.split.dev_share, plan.margin) == (3, 0.2, 0.05)


def test_the_same_plan_has_the_same_digest_however_it_was_written() -> None:
    plan = Plan(DIGEST, margin=0.1, seeds=(4, 2), contrastive=StageSettings(loss="lce", dropout=0.0))
    text = 'seeds = [4, 2]\nmargin = 0.10\n[contrastive]\ndropout = 0\nloss = "lce"\n'
    assert plan_from_dict(tomllib.loads(text), Plan(DIGEST)).digest == plan.digest
    assert plan_from_dict(json.loads(json.dumps(plan.to_dict()))).digest == plan.digest
    assert Plan(DIGEST, budget=Budget(minutes=30)).digest == Plan(DIGEST, budget=Budget(minutes=30.0)).digest


def test_the_digest_of_the_default_plan_is_known() -> None:
    """A change here renames every experiment and every stage: bump the version once one is released."""
    assert Plan(DIGEST).digest == "3ecd362bdeb5d0677a92d87ce654a69379657fe59ad6a9e00111442d3543ca86"


OTHER_VALUES: dict[str, object] = {
    "dataset_digest": "e" * 64,
    "primary_measure": "AP",
    "relevant_grade": 2,
    "margin": 0.03,
    "alpha": 0.01,
    "label_or_distil": True,
    "guardrails": {"min_recall": 0.5},
    "strategies": ["first-stage", "C"],
    "seeds": [1, 2],
    "split": {"seed": 14},
    "first_stage": {"depth": 51},
    "base_model": "owner/name",
    "teacher": "uploaded",
    "llm": {"usd": 1.0},
    "local_teacher": {"depth": 20},
    "max_length": 255,
    "passages": "max",
    "contrastive": {"epochs": 4},
    "distillation": {"loss": "ranknet"},
    "second_stage_learning_rate_factor": 0.4,
    "unlabelled": {"queries": 5},
    "search_trials": 1,
    "learning_curve": {"shares": [0.5]},
    "max_queries": 100,
    "budget": {"minutes": 1},
    "hypothesis": "C wins",
}


@pytest.mark.parametrize("name", [item.name for item in dataclasses.fields(Plan)])
def test_every_setting_is_part_of_the_digest(name: str) -> None:
    assert plan_from_dict({name: OTHER_VALUES[name]}, Plan(DIGEST)).digest != Plan(DIGEST).digest


@given(
    margin=st.floats(1e-4, 0.5),
    seeds=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5, unique=True),
    depth=st.integers(2, 1000),
    hypothesis=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_a_plan_survives_its_way_through_json(margin: float, seeds: list[int], depth: int, hypothesis: str) -> None:
    settings = {"margin": margin, "seeds": seeds, "first_stage": {"depth": depth}, "hypothesis": hypothesis}
    plan = plan_from_dict(settings, Plan(DIGEST))
    again = plan_from_dict(json.loads(json.dumps(plan.to_dict())))
    assert (again, again.digest) == (plan, plan.digest)


def test_the_primary_measure_comes_first_and_once() -> None:
    plan = plan_from_dict({"primary_measure": "AP", "first_stage": {"depth": 30}}, Plan(DIGEST))
    assert plan.measures == ("AP", "nDCG@10", "RR@10", "Success@1", "P@5", "R@30", "Judged@10")


def test_gate_one_is_everything_without_a_second_stage() -> None:
    assert single_stage_part(Plan(DIGEST)) == ("first-stage", "embedding", "base", "C", "D")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_plans_of_their_dataset(name: str) -> None:
    plan = preset(name, DIGEST)
    assert plan_from_dict(plan.to_dict()) == plan
    assert plan.dataset_digest == DIGEST


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(RerankError, match="unknown_preset"):
        preset("thorough", DIGEST)
