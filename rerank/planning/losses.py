"""The losses there are, and which of them fits what: the one place of that rule."""

from collections.abc import Mapping
from typing import Literal

from rerank.errors import RerankError

Reading = Literal["scores", "order"]

CONTRASTIVE = ("auto", "lce", "listwise")
# What a loss reads of a teacher's answer. Scores hold an order; an order holds no scores.
READS: Mapping[str, Reading] = {"kl": "scores", "margin_mse": "scores", "ranknet": "order", "adr_mse": "order"}
DISTILLATION = tuple(READS)
GIVES: Mapping[str, Reading] = {  # by teacher
    "embedding": "scores",
    "fusion": "scores",
    "uploaded": "scores",
    "cross-encoder": "scores",
    "causal-lm": "scores",
    "llm-listwise": "order",
    "llm-pointwise": "scores",
}


def losses_for(teacher: str) -> tuple[str, ...]:
    """Return the losses with which D can learn from a teacher: all of them from scores, half from an order."""
    return tuple(loss for loss, read in READS.items() if read == "order" or GIVES[teacher] == "scores")


def check_losses(contrastive: str, distillation: str, teacher: str) -> None:
    """Refuse a loss that cannot learn from what it would be given.

    Raises RerankError `loss_needs_teacher`, `loss_needs_judgments` and `loss_needs_scores`; names that no
    loss has are not looked at.
    """
    fitting = losses_for(teacher)
    if contrastive in DISTILLATION:
        raise RerankError("loss_needs_teacher", setting="contrastive.loss", loss=contrastive, choices=CONTRASTIVE)
    if distillation in CONTRASTIVE and distillation != "auto":
        raise RerankError("loss_needs_judgments", setting="distillation.loss", loss=distillation, choices=fitting)
    if distillation in DISTILLATION and distillation not in fitting:
        raise RerankError(
            "loss_needs_scores", setting="distillation.loss", loss=distillation, teacher=teacher, choices=fitting
        )
