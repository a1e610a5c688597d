"""Losses over one list of documents with a teacher's scores."""

import torch

# Both take logits of shape (n,) and teacher scores of shape (n,), and return a scalar.


def kl(logits: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return KL(softmax(t / T) || softmax(s / T)) of a list."""
    target = torch.log_softmax(teacher.detach() / temperature, dim=-1)
    return (target.exp() * (target - torch.log_softmax(logits / temperature, dim=-1))).sum()


def ranknet(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return the mean of log(1 + exp(s_j - s_i)) over pairs that the teacher puts i before j.

    Burges et al. 2005. Pairs that the teacher ties do not count; a list without any pair gives 0.
    """
    before = teacher.detach().unsqueeze(1) > teacher.detach().unsqueeze(0)
    if not bool(before.any()):
        return logits.sum() * 0.0
    margins = logits.unsqueeze(1) - logits.unsqueeze(0)
    return torch.nn.functional.softplus(-margins[before]).mean()
