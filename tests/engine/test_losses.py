"""Losses against formulas worked out with numpy and scipy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax

from rerank.errors import RerankError
from rerank.planning.plan import StageSettings
from rerank.training.loop import learning_rate_at
from rerank.training.losses.contrastive import lce, listwise
from rerank.training.losses.distillation import kl, ranknet
from rerank.training.step import loss_of

LOGITS = np.array([0.3, -1.2, 2.0, 0.1])


def tensor(values: object) -> torch.Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def test_lce_is_minus_log_softmax_at_the_positive() -> None:
    golden = -log_softmax(LOGITS)[1]
    assert float(lce(tensor(LOGITS), tensor([0.0, 1, 0, 0]))) == pytest.approx(golden)


def test_listwise_is_the_cross_entropy_with_normalised_gains() -> None:
    gains = np.array([3.0, 0, 1, 0])
    golden = -(gains / 4 * log_softmax(LOGITS)).sum()
    assert float(listwise(tensor(LOGITS), tensor(gains))) == pytest.approx(golden)


def test_kl_agrees_with_scipy_at_a_temperature() -> None:
    teacher = np.array([1.0, 0.5, -0.5, 2.0])
    golden = rel_entr(softmax(teacher / 2), softmax(LOGITS / 2)).sum()
    assert float(kl(tensor(LOGITS), tensor(teacher), 2.0)) == pytest.approx(golden)


def test_ranknet_by_hand_leaves_ties_out() -> None:
    teacher = [2.0, 1.0, 1.0]
    s = [0.5, 0.2, 0.9]
    golden = np.mean([np.log1p(np.exp(s[1] - s[0])), np.log1p(np.exp(s[2] - s[0]))])
    assert float(ranknet(tensor(s), tensor(teacher))) == pytest.approx(golden)
    assert float(ranknet(tensor(s), tensor([1.0, 1.0, 1.0]))) == 0


def test_the_teacher_is_never_trained() -> None:
    for loss in (lambda s, t: kl(s, t, 1.0), ranknet):
        student = tensor(LOGITS).requires_grad_()
        teacher = tensor([1.0, 0, 2, 3]).requires_grad_()
        loss(student, teacher).backward()
        assert student.grad is not None
        assert teacher.grad is None


def test_an_unknown_loss_is_an_error() -> None:
    with pytest.raises(RerankError, match="unknown_loss"):
        loss_of("nope", tensor(LOGITS), tensor(LOGITS), StageSettings(loss="nope"))


def test_the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() -> None:
    settings = StageSettings(loss="kl", learning_rate=1e-3, warmup_share=0.1)
    rates = [learning_rate_at(step, 50, settings) for step in range(50)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 4
    assert rates[-1] == pytest.approx(1e-3 / 45)
