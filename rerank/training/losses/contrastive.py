"""Losses over lists of documents with judgments."""

import torch

# Both take logits of shape (…, n) and gains of shape (…, n), and return one loss per list, (…).


def lce(logits: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """Return the localised contrastive estimation loss, -log softmax at the list's one positive.

    Gao, Dai, Callan 2021. The positive is the document with the highest gain.
    """
    best = gains.argmax(dim=-1, keepdim=True)
    return -torch.log_softmax(logits, dim=-1).gather(-1, best).squeeze(-1)


def listwise(logits: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy between gains, normalised to sum 1, and the softmax of the logits.

    Cao et al. 2007 (ListNet) with linear gains as the target distribution.
    """
    return -(gains / gains.sum(dim=-1, keepdim=True) * torch.log_softmax(logits, dim=-1)).sum(dim=-1)
