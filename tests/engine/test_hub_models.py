"""Models from a hub: the commit that was fetched first stays, so that two gates of an experiment use one model."""

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from rerank.models.sources import find_model
from tests.models import make_tiny_model


@pytest.mark.parametrize("is_known", [False, True])
def test_a_model_that_was_fetched_before_stays_at_its_commit(
    is_known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny_model(tmp_path / "snapshots" / ("c" * 40))
    asked: list[Any] = []

    def fetch(name: str, **settings: Any) -> str:
        asked.append((name, settings["revision"]))
        return str(folder)

    def known(name: str, file: str) -> str | None:
        return str(folder / file) if is_known else None

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", known)
    assert find_model("owner/name").folder == folder
    assert asked == [("owner/name", "c" * 40 if is_known else None)]
