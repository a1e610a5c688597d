"""The losses there are, and which of them fits what: the one place of that rule."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from rerank.errors import RerankError

Reading = Literal["scores", "order"]

CONTRASTIVE = ("auto", "lce", "listwise")
# What a loss reads of a teacher's answer. Scores hold an order; an order holds no scores.
READS: Mapping[str, Reading] = {"kl": "scores", "margin_mse": "scores", "ranknet": "order", "adr_mse": "order"}
DISTILLATION = tuple(READS)
TEMPERED = ("kl", "adr_mse")  # the losses that have a temperature
GIVES: Mapping[str, Reading] = {  # by teacher
    "embedding": "scores",
    "fusion": "scores",
    "uploaded": "scores",
    "cross-encoder": "scores",
    "causal-lm": "scores",
    "llm-listwise": "order",
    "llm-pointwise": "scores",
}


def losses_for(teacher: str, *, has_only_ranks: bool = False) -> tuple[str, ...]:
    """Return the losses with which D can learn from a teacher: all of them from scores, half from an order."""
    gives = "order" if has_only_ranks else GIVES[teacher]
    return tuple(loss for loss, read in READS.items() if read == "order" or gives == "scores")


def holds_only_ranks(scores: pd.DataFrame) -> bool:
    """Say whether a teacher's scores are ranks in truth: in every query distinct whole numbers without a gap.

    scores: query_id, doc_id, score. Of permutations and of runs without scores that is all there is.
    """
    values = scores["score"].to_numpy(dtype=np.float64)
    if not len(values) or (values % 1 != 0).any():
        return False
    found = scores.groupby("query_id", sort=False)["score"].agg(["size", "nunique", "min", "max"])
    is_run = (found["nunique"] == found["size"]) & (found["max"] - found["min"] == found["size"] - 1)
    # Two documents with neighbouring grades look like two ranks; a list of three or more does not by chance.
    return bool(is_run.all()) and bool((found["size"] > 2).any())


def check_uploaded(distillation: str, scores: pd.DataFrame) -> None:
    """Refuse a loss that would learn the distances of uploaded ranks. Raises RerankError `loss_needs_scores`."""
    if READS.get(distillation) == "scores" and holds_only_ranks(scores):
        choices = losses_for("uploaded", has_only_ranks=True)
        raise RerankError(
            "loss_needs_scores", setting="distillation.loss", loss=distillation, teacher="uploaded", choices=choices
        )


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
