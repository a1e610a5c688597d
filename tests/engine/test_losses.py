"""Losses against formulas worked out with numpy and scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, rel_entr, softmax

from rerank.errors import RerankError
from rerank.planning.losses import CONTRASTIVE, DISTILLATION
from rerank.planning.plan import StageSettings
from rerank.training.loop import learning_rate_at
from rerank.training.losses.contrastive import lce, listwise
from rerank.training.losses.distillation import adr_mse, kl, margin_mse, ranknet
from rerank.training.step import loss_of

LOGITS = np.array([0.3, -1.2, 2.0, 0.1])
NAMES = [name for name in (*CONTRASTIVE, *DISTILLATION) if name != "auto"]


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


def test_margin_mse_by_hand() -> None:
    """Margins of s: .3, -.4, -.7; of t: 1, 1, 0. Their differences: -.7, -1.4, -.7."""
    s, teacher = [0.5, 0.2, 0.9], [2.0, 1.0, 1.0]
    golden = (0.7**2 + 1.4**2 + 0.7**2) / 3
    assert float(margin_mse(tensor(s), tensor(teacher))) == pytest.approx(golden)


def test_adr_mse_by_hand() -> None:
    """Two documents: r̂ = 1 + σ(∓margin / T); the teacher has the second one first."""
    sigma = 1 / (1 + np.exp(-0.6 / 2))  # the first document's share of being ahead
    golden = ((1 + (1 - sigma) - 2) ** 2 / np.log2(3) + (1 + sigma - 1) ** 2 / np.log2(2)) / 2
    assert float(adr_mse(tensor([0.8, 0.2]), tensor([-1.0, 4.0]), 2.0)) == pytest.approx(golden)


def test_adr_mse_knows_only_the_teachers_order() -> None:
    one = adr_mse(tensor(LOGITS), tensor([1.0, 0, 2, 3]), 1.0)
    assert float(adr_mse(tensor(LOGITS), tensor([0.1, -700.0, 8, 8.5]), 1.0)) == float(one)


def test_documents_that_the_teacher_ties_share_their_mean_rank() -> None:
    """Ranks 1, 2.5, 2.5: logits far apart and equal logits behind reach them exactly."""
    assert float(adr_mse(tensor([90.0, 0, 0]), tensor([5.0, 1, 1]), 1.0)) == pytest.approx(0, abs=1e-12)
    assert float(adr_mse(tensor([0.0, 0, 0]), tensor([1.0, 1, 1]), 1.0)) == pytest.approx(0, abs=1e-12)


def loss_and_gradient(name: str, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = logits.clone().requires_grad_()
    loss = loss_of(name, leaf, targets, StageSettings(loss=name))
    (gradient,) = torch.autograd.grad(loss, leaf)
    return loss.detach(), gradient


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    targets = tensor([3.0, 0, 1, 0])

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return loss_of(name, logits, targets, StageSettings(loss=name, temperature=0.7))

    assert torch.autograd.gradcheck(loss, (tensor(LOGITS).requires_grad_(),))


@pytest.mark.parametrize("name", DISTILLATION)
def test_the_teacher_is_never_trained(name: str) -> None:
    """Teacher's scores that carry a graph must not pull the teacher, nor the student through it."""
    student = tensor(LOGITS).requires_grad_()
    teacher = tensor([1.0, 0, 2, 3]).requires_grad_()
    loss_of(name, student, teacher, StageSettings(loss=name)).backward()
    assert student.grad is not None
    assert teacher.grad is None


@pytest.mark.parametrize("name", NAMES)
@given(
    logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9),
    seed=st.integers(0, 1000),
)
def test_single_precision_is_finite_and_right_whatever_the_logits(name: str, logits: list[float], seed: int) -> None:
    """Also for lists of two, ties, and logits that an exponential would overflow; golden: the same in fp64."""
    targets = torch.tensor(np.random.default_rng(seed).integers(0, 3, len(logits)), dtype=torch.float32)
    targets[seed % len(logits)] = 3.0  # at least one gain
    loss, gradient = loss_and_gradient(name, torch.tensor(logits), targets)
    golden, slope = loss_and_gradient(name, torch.tensor(logits, dtype=torch.float64), targets.double())
    assert loss.dtype is torch.float32
    assert torch.isfinite(gradient).all()
    assert float(loss) == pytest.approx(float(golden), rel=1e-4, abs=1e-4)
    assert torch.allclose(gradient.double(), slope, rtol=1e-3, atol=1e-4 * (1 + float(slope.abs().max())))


@pytest.mark.parametrize("name", DISTILLATION)
def test_a_teacher_that_ties_a_whole_list_pulls_nothing_apart(name: str) -> None:
    _, gradient = loss_and_gradient(name, torch.zeros(5), torch.ones(5))
    assert torch.allclose(gradient, torch.zeros(5), atol=1e-7)


def test_an_unknown_loss_is_an_error() -> None:
    with pytest.raises(RerankError, match="unknown_loss"):
        loss_of("nope", tensor(LOGITS), tensor(LOGITS), StageSettings(loss="nope"))


def test_the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() -> None:
    settings = StageSettings(loss="kl", learning_rate=1e-3, warmup_share=0.1)
    rates = [learning_rate_at(step, 50, settings) for step in range(50)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 4
    assert rates[-1] == pytest.approx(1e-3 / 45)
