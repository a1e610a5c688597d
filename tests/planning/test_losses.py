"""Which loss learns from what: wrong pairings are refused with their reason."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.losses import CONTRASTIVE, DISTILLATION, GIVES, check_uploaded, holds_only_ranks, losses_for
from rerank.planning.plan import Plan, Teacher
from rerank.wording.errors import error_sentence
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.names import LOSSES

DIGEST = "d" * 64
MODEL = {"base_url": "http://localhost:8000/v1", "model": "m"}


def refused(settings: dict[str, object]) -> RerankError:
    with pytest.raises(RerankError) as caught:
        plan_from_dict(settings, Plan(DIGEST))
    return caught.value


def test_it_is_known_what_every_teacher_gives_and_how_every_loss_of_d_is_called() -> None:
    assert set(GIVES) == set(get_args(Teacher))
    assert set(LOSSES) == set(DISTILLATION)


@pytest.mark.parametrize("teacher", [teacher for teacher, gives in GIVES.items() if gives == "scores"])
def test_scores_hold_an_order_so_every_loss_fits_them(teacher: str) -> None:
    assert losses_for(teacher) == ("kl", "margin_mse", "ranknet", "adr_mse")
    for loss in losses_for(teacher):
        settings = {"teacher": teacher, "llm": MODEL, "local_teacher": {"model": "owner/name"}}
        plan = plan_from_dict({**settings, "distillation": {"loss": loss}}, Plan(DIGEST))
        assert plan.distillation.loss == loss


@pytest.mark.parametrize("loss", ["kl", "margin_mse"])
def test_an_order_holds_no_scores(loss: str) -> None:
    lists = {"teacher": "llm-listwise", "llm": MODEL}
    error = refused({**lists, "distillation": {"loss": loss}})
    assert error.code == "loss_needs_scores"
    assert error.facts["choices"] == ("ranknet", "adr_mse")
    for fit in ("ranknet", "adr_mse"):
        plan_from_dict({**lists, "distillation": {"loss": fit}}, Plan(DIGEST))
    plan_from_dict({**lists, "teacher": "llm-pointwise", "distillation": {"loss": loss}}, Plan(DIGEST))


@pytest.mark.parametrize("loss", DISTILLATION)
def test_c_has_no_teacher_to_learn_from(loss: str) -> None:
    assert refused({"contrastive": {"loss": loss}}).code == "loss_needs_teacher"


@pytest.mark.parametrize("loss", [name for name in CONTRASTIVE if name != "auto"])
def test_d_has_no_judgments_to_learn_from(loss: str) -> None:
    assert refused({"distillation": {"loss": loss}}).code == "loss_needs_judgments"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_refusal_names_the_losses_that_fit(language: str) -> None:
    error = refused({"distillation": {"loss": "lce"}})
    said = error_sentence(speaker(language), error.code, error.facts)
    assert all(loss in said for loss in ("lce", *DISTILLATION))


RANKS = pd.DataFrame({"query_id": list("aaabb"), "doc_id": list("xyzxy"), "score": [2.0, 1.0, 0.0, -1.0, -2.0]})


@pytest.mark.parametrize(
    ("scores", "is_order"),
    [
        ([2, 1, 0, -1, -2], True),
        ([7, 8, 9, 4, 3], True),
        ([2, 1, 1, 1, 0], False),  # a tie
        ([3, 1, 0, 1, 0], False),  # a gap
        ([2.0, 1.5, 1.0, 1, 0], False),
    ],
)
def test_uploaded_ranks_are_known_by_their_numbers(scores: list[float], is_order: bool) -> None:
    assert holds_only_ranks(RANKS.assign(score=np.array(scores, dtype=float))) is is_order


def test_two_neighbouring_grades_alone_are_no_order() -> None:
    assert not holds_only_ranks(RANKS[RANKS["query_id"] == "b"])
    assert not holds_only_ranks(RANKS.head(0))


@pytest.mark.parametrize("loss", DISTILLATION)
def test_uploaded_ranks_have_no_distances_to_learn(loss: str) -> None:
    check_uploaded(loss, RANKS.assign(score=RANKS["score"] / 3))
    if loss in losses_for("uploaded", has_only_ranks=True):
        check_uploaded(loss, RANKS)
        return
    with pytest.raises(RerankError) as caught:
        check_uploaded(loss, RANKS)
    assert (caught.value.code, caught.value.facts["choices"]) == ("loss_needs_scores", ("ranknet", "adr_mse"))
