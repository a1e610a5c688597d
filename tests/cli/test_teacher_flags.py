"""A language model as the teacher from the command line: flags, and a loss that fits what it gives."""

from pathlib import Path

import pytest

from rerank.cli.main import _parser
from rerank.cli.plan import plan_of
from rerank.errors import RerankError
from rerank.planning.plan import Plan

DIGEST = "d" * 64
ENDPOINT = ["--teacher-url", "http://localhost:8000/v1", "--teacher-model", "m"]


def plan_from(*arguments: str) -> Plan:
    return plan_of(_parser().parse_args(["run", "DATA", "--out", "OUT", *arguments]), DIGEST)


def test_flags_make_a_plan_whose_loss_fits() -> None:
    plan = plan_from("--teacher", "llm-listwise", *ENDPOINT, "--teacher-mode", "partitions", "--teacher-usd", "2.5")
    assert (plan.teacher, plan.distillation.loss) == ("llm-listwise", "ranknet")
    assert (plan.llm.base_url, plan.llm.model, plan.llm.mode) == ("http://localhost:8000/v1", "m", "partitions")
    assert plan.llm.usd == 2.5
    assert plan_from("--teacher", "llm-pointwise", *ENDPOINT).distillation.loss == "kl"


def test_a_loss_that_was_chosen_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[distillation]\nloss = "margin_mse"\n')
    with pytest.raises(RerankError, match="loss_needs_scores"):
        plan_from("--plan", str(file), "--teacher", "llm-listwise", *ENDPOINT)


def test_what_a_language_model_needs_is_asked_for() -> None:
    with pytest.raises(RerankError, match="teacher_needs_endpoint"):
        plan_from("--teacher", "llm-pointwise")


def test_uploaded_ranks_are_learnt_as_an_order() -> None:
    given = _parser().parse_args(["run", "DATA", "--out", "OUT", "--teacher", "uploaded"])
    assert plan_of(given, DIGEST).distillation.loss == "kl"
    assert plan_of(given, DIGEST, has_only_ranks=True).distillation.loss == "ranknet"
    given = _parser().parse_args(["run", "DATA", "--out", "OUT"])  # another teacher, whatever else was uploaded
    assert plan_of(given, DIGEST, has_only_ranks=True).distillation.loss == "kl"
