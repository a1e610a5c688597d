"""A checkpoint that a power failure cut short costs time, not the experiment."""

from pathlib import Path

import pytest
import torch

from rerank.training import checkpoint
from rerank.training.checkpoint import NAME, Progress, load_checkpoint, save_checkpoint, weights_of


def made() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    model, optimizer = made()
    best = {name: value + 1 for name, value in weights_of(model).items()}
    save_checkpoint(tmp_path, model, optimizer, best, Progress(step=7, token_budget=99))
    other, other_optimizer = made()
    with torch.no_grad():
        other.weight.zero_()
    found = load_checkpoint(tmp_path, other, other_optimizer)
    assert found is not None
    assert (found[0].step, found[0].token_budget) == (7, 99)
    assert torch.equal(other.weight, model.weight)
    assert torch.equal(found[1]["bias"], best["bias"])


def test_a_damaged_or_foreign_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    model, optimizer = made()
    save_checkpoint(tmp_path, model, optimizer, {}, Progress(step=7))
    whole = (tmp_path / NAME).read_bytes()
    for broken in (b"", whole[:10], whole[: len(whole) // 2], b"\0" * 64):
        (tmp_path / NAME).write_bytes(broken)
        assert load_checkpoint(tmp_path, model, optimizer) is None
    (tmp_path / NAME).write_bytes(whole)
    assert load_checkpoint(tmp_path, torch.nn.Bilinear(2, 2, 2), optimizer) is None


def test_a_checkpoint_of_another_version_is_no_checkpoint_and_leaves_the_model_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, optimizer = made()
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "asdict", lambda progress: {"step": 7, "n_of_a_later_version": 1})
        save_checkpoint(tmp_path, model, optimizer, {}, Progress(step=7))
    with torch.no_grad():
        model.weight.zero_()
    assert load_checkpoint(tmp_path, model, optimizer) is None
    assert not model.weight.any()
