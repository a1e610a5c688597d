"""Losses over lists of documents with a teacher's scores."""

import torch

# All take logits of shape (…, n) and teacher scores of shape (…, n), and return one loss per list, (…), in the
# logits' precision.
# `kl` and `margin_mse` learn the scores, `ranknet` and `adr_mse` only their order.


def kl(logits: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return KL(softmax(t / T) || softmax(s / T)) of a list."""
    target = torch.log_softmax(teacher.detach() / temperature, dim=-1)
    return (target.exp() * (target - torch.log_softmax(logits / temperature, dim=-1))).sum(dim=-1)


def margin_mse(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return the mean of ((s_i - s_j) - (t_i - t_j))² over a list's pairs.

    Hofstätter et al. 2020, over all pairs instead of one positive's. With e = s - t that is twice the
    variance of e (divided by n - 1), which needs no pairs and no large differences; one document gives 0.
    """
    errors = logits - teacher.detach()
    apart = errors - errors.mean(dim=-1, keepdim=True)
    return 2 * apart.square().sum(dim=-1) / max(1, errors.shape[-1] - 1)


def ranknet(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return the mean of log(1 + exp(s_j - s_i)) over pairs that the teacher puts i before j.

    Burges et al. 2005. Pairs that the teacher ties do not count; a list without any pair gives 0.
    """
    known = teacher.detach()
    before = known.unsqueeze(-1) > known.unsqueeze(-2)
    margins = logits.unsqueeze(-1) - logits.unsqueeze(-2)
    errors = torch.where(before, torch.nn.functional.softplus(-margins), 0.0)
    return errors.sum(dim=(-2, -1)) / before.sum(dim=(-2, -1)).clamp(min=1)


def adr_mse(logits: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the mean of (r̂_i - r_i)² / log2(r_i + 1), where r̂_i = 1 + Σ_{j≠i} σ((s_j - s_i) / T).

    Schlatt et al. 2025 (approximate discounted rank). r is the teacher's rank within the list, 1 for the
    best; documents that the teacher ties share their mean rank, which equal logits reach.
    """
    known = teacher.detach()
    better = (known.unsqueeze(-2) > known.unsqueeze(-1)).sum(dim=-1)
    same = (known.unsqueeze(-2) == known.unsqueeze(-1)).sum(dim=-1)  # with itself
    ranks = (better + (same + 1) / 2).to(logits.dtype)
    behind = torch.sigmoid((logits.unsqueeze(-2) - logits.unsqueeze(-1)) / temperature)
    reached = behind.sum(dim=-1) + 0.5  # the document against itself has added one half already
    return ((reached - ranks).square() / torch.log2(ranks + 1)).mean(dim=-1)
