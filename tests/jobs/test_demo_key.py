"""The key of the demo's process: nobody else can read it, at no moment."""

import json
import stat
from pathlib import Path

import pytest

from rerank.jobs.demo import address_path
from rerank.serving import __main__ as serving
from rerank.store.artefacts import write_json


class Idle:
    def touch(self) -> None:
        pass


class EndedError(Exception):
    """Ends the process before it listens."""


def ended() -> None:
    raise EndedError


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_is_private_before_it_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = Path.replace

    def watched(part: Path, target: Path) -> Path:
        modes.append(mode_of(part))
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", watched)
    monkeypatch.setattr(serving, "_Idle", Idle)
    monkeypatch.setattr(serving, "Engine", ended)
    with pytest.raises(EndedError):
        serving.main()
    assert len(json.loads(address_path().read_text())["key"]) == 64
    assert (modes, mode_of(address_path())) == ([0o600], 0o600)


def test_other_files_can_be_read_by_everybody(tmp_path: Path) -> None:
    write_json(tmp_path / "result.json", {})
    assert mode_of(tmp_path / "result.json") == 0o644
