"""Every loss and its gradient in every weight against sentence-transformers on the same texts; and a step's parts
against the whole step.

Tolerances in fp32: the peer pads and adds up in another order. Losses of about 1 agree to 1e-6; each weight's
gradient to 1e-4 of itself plus 1e-5 of the largest one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import sentence_transformers.cross_encoder.losses as st_losses
import torch
from scipy.special import softmax
from scipy.stats import entropy
from sentence_transformers import CrossEncoder as PeerCrossEncoder
from transformers import BertForSequenceClassification

from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import pick_device
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.losses import CONTRASTIVE, DISTILLATION
from rerank.planning.plan import StageSettings
from rerank.training.lists import TrainingList
from rerank.training.step import StepGradients
from tests.models import make_tiny_model

MAX_LENGTH = 64
TEMPERATURE = 0.7
QUERIES = {"q0": "red apple", "q1": "old bridge 7", "q2": "x"}
DOCUMENTS = {
    "d0": "apple pie",
    "d1": "a bridge",
    "d2": "long words " * 9,
    "d3": "red red",
    "d4": "seven words and more of them",
    "d5": "z",
}
# Lists of four, two and three documents: a list of two is the smallest, ties stand in the last one.
JUDGED = [
    TrainingList("q0", ("d0", "d1", "d2", "d3"), (1.0, 0.0, 0.0, 0.0)),
    TrainingList("q1", ("d1", "d5"), (1.0, 0.0)),
    TrainingList("q2", ("d4", "d2", "d0"), (1.0, 0.0, 0.0)),
]
GRADED = [
    replace(item, targets=targets)
    for item, targets in zip(JUDGED, [(3.0, 0.0, 1.0, 0.0), (2.0, 1.0), (1.0, 0.0, 3.0)], strict=True)
]
TAUGHT = [
    replace(item, targets=targets)
    for item, targets in zip(JUDGED, [(1.4, -0.3, 0.2, -1.3), (-0.5, 0.8), (1.1, -0.2, -0.2)], strict=True)
]
LISTS = {"lce": JUDGED, "listwise": GRADED} | dict.fromkeys(DISTILLATION, TAUGHT)
Gradients = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Pair:
    """The same weights in both programs."""

    ours: CrossEncoder
    tokens: TokenStore
    peer: Any


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = make_tiny_model(tmp_path_factory.mktemp("parity") / "model")
    model = BertForSequenceClassification.from_pretrained(str(folder))
    torch.manual_seed(1)
    for name, value in model.named_parameters():  # the usual initial weights give logits that are all alike
        torch.nn.init.normal_(value, mean=float("norm" in name.lower() and "weight" in name), std=0.25)
    model.save_pretrained(str(folder))
    tokens = TokenStore(load_tokenizer(folder))
    tokens.add("query", list(QUERIES), list(QUERIES.values()))
    tokens.add("document", list(DOCUMENTS), list(DOCUMENTS.values()))
    device = replace(pick_device("cpu"), dtype="fp32")
    peer = PeerCrossEncoder(str(folder), device="cpu", num_labels=1, max_length=MAX_LENGTH)
    return Pair(load_cross_encoder(folder, tokens.template, device, seed=0), tokens, peer.eval())


def our_step(pair: Pair, loss: str, lists: Sequence[TrainingList], budget: int = 10_000) -> tuple[float, Gradients]:
    """Loss and gradients as a training has them."""
    pair.ours.module.zero_grad()
    settings = StageSettings(loss=loss, temperature=TEMPERATURE)
    step = StepGradients(pair.ours, loss, settings, pair.tokens, MAX_LENGTH, token_budget=budget)
    found, _, _ = step.add(lists, seed=0)
    grads = {name: p.grad.clone() for name, p in pair.ours.module.named_parameters() if p.grad is not None}
    return found, grads


def lce(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    """The first document is the positive; one query alone has no negatives of others."""
    loss = st_losses.MultipleNegativesRankingLoss(peer, scale=1.0, activation_fn=torch.nn.Identity())
    assert targets[0] == 1
    return loss([[query], *([document] for document in documents)], torch.empty(0))


def listwise(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    """The peer's target is softmax(labels): of the gains' logarithms that is gains / their sum."""
    loss = st_losses.ListNetLoss(peer)
    return loss([[query], [documents]], [torch.tensor(targets).log()])


class Divided(torch.nn.Module):
    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits / TEMPERATURE


def kl(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    """KL is the cross-entropy with softmax(t / T) less that target's own entropy, which no weight moves."""
    loss = st_losses.ListNetLoss(peer, activation_fn=Divided())
    own = entropy(softmax(np.array(targets) / TEMPERATURE))
    return loss([[query], [documents]], [torch.tensor(targets) / TEMPERATURE]) - float(own)


def margin_mse(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    """The peer compares one document with the others: each document in turn makes all pairs."""
    loss = st_losses.MarginMSELoss(peer)
    parts = []
    for first in range(len(documents)):
        order = [first, *(place for place in range(len(documents)) if place != first)]
        labels = torch.tensor([[targets[first] - targets[place] for place in order[1:]]])
        parts.append(loss([[query], *([documents[place]] for place in order)], labels))
    return torch.stack(parts).mean()


def ranknet(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    loss = st_losses.RankNetLoss(peer, reduction_log="natural")
    return loss([[query], [documents]], [torch.tensor(targets)])


def adr_mse(peer: Any, query: str, documents: list[str], targets: tuple[float, ...]) -> torch.Tensor:
    loss = st_losses.ADRMSELoss(peer, alpha=1 / TEMPERATURE)
    return loss([[query], [documents]], [torch.tensor(targets)])


PeerLoss = Callable[[Any, str, list[str], tuple[float, ...]], torch.Tensor]
PEERS: dict[str, PeerLoss] = {
    "lce": lce,
    "listwise": listwise,
    "kl": kl,
    "margin_mse": margin_mse,
    "ranknet": ranknet,
    "adr_mse": adr_mse,
}


def peer_step(pair: Pair, loss: str, lists: Sequence[TrainingList]) -> tuple[float, Gradients]:
    """The mean over lists of the peer's loss, each list on its own."""
    pair.peer.zero_grad()
    parts = [
        PEERS[loss](pair.peer, QUERIES[item.query_id], [DOCUMENTS[doc] for doc in item.doc_ids], item.targets)
        for item in lists
    ]
    mean = torch.stack(parts).mean()
    mean.backward()
    return float(mean.detach()), {
        name: p.grad.clone() for name, p in pair.peer.model.named_parameters() if p.grad is not None
    }


def assert_same(found: Gradients, golden: Gradients) -> None:
    assert set(found) == set(golden)
    largest = max(float(value.abs().max()) for value in golden.values())
    assert largest > 1e-3, "nothing to compare"
    for name, value in golden.items():
        assert torch.allclose(found[name], value, rtol=1e-4, atol=1e-5 * largest), name


def test_every_loss_has_a_peer() -> None:
    assert set(PEERS) == set(LISTS) == {*CONTRASTIVE, *DISTILLATION} - {"auto"}


@pytest.mark.parametrize("loss", PEERS)
def test_loss_and_gradients_are_the_peers(pair: Pair, loss: str) -> None:
    found, gradients = our_step(pair, loss, LISTS[loss])
    golden, expected = peer_step(pair, loss, LISTS[loss])
    assert found > 0.01
    assert found == pytest.approx(golden, rel=1e-6, abs=1e-6)
    assert_same(gradients, expected)


# The lists have 118, 34 and 103 tokens: two parts, three parts, and every pair alone (scored, then differentiated).
@pytest.mark.parametrize("budget", [160, 120, 1])
@pytest.mark.parametrize("loss", PEERS)
def test_the_parts_of_a_step_add_up_to_the_step(pair: Pair, loss: str, budget: int) -> None:
    golden, expected = our_step(pair, loss, LISTS[loss])
    found, gradients = our_step(pair, loss, LISTS[loss], budget)
    assert found == pytest.approx(golden, rel=1e-6, abs=1e-6)
    assert_same(gradients, expected)


@pytest.mark.parametrize("loss", PEERS)
def test_a_short_list_beside_a_long_one_has_the_loss_that_it_has_alone(pair: Pair, loss: str) -> None:
    """A peer once let the padding of short lists into their normaliser."""
    alone = [our_step(pair, loss, [item])[0] for item in LISTS[loss]]
    together, _ = our_step(pair, loss, LISTS[loss])
    assert together == pytest.approx(np.mean(alone), rel=1e-6, abs=1e-6)
