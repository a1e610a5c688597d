"""Files and folders that appear whole or not at all, also when two write at once or the machine goes off."""

import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from rerank.store import artefacts
from rerank.store.artefacts import (
    read_json,
    read_or_none,
    read_parquet,
    replace_folder,
    settle_folder,
    update_json,
    write_json,
    write_parquet,
)


def test_bytes_are_on_the_disk_before_their_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power failure leaves a file with its name and nothing in it."""
    path, flushed = tmp_path / "record.json", []

    def fsync(handle: int) -> None:
        flushed.append((Path(f"/proc/self/fd/{handle}").readlink(), path.exists()))

    monkeypatch.setattr(artefacts.os, "fsync", fsync)
    write_json(path, {"a": 1})
    (file, was_there), (folder, is_there) = flushed
    assert (file.parent, file.name.startswith(".record.json."), was_there) == (tmp_path, True, False)
    assert (folder, is_there) == (tmp_path, True)


@pytest.mark.parametrize("number", artefacts._CANNOT_FLUSH)
def test_a_platform_that_cannot_flush_writes_all_the_same(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(handle: int) -> None:
        raise OSError(number, "not here")

    monkeypatch.setattr(artefacts.os, "fsync", fsync)
    write_json(tmp_path / "record.json", {"a": 1})
    assert read_json(tmp_path / "record.json") == {"a": 1}


def test_a_file_that_does_not_reach_the_disk_does_not_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artefacts.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "record.json", {"a": 1})
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_cut_or_senseless_counts_as_not_there(tmp_path: Path) -> None:
    table, record = tmp_path / "table.parquet", tmp_path / "record.json"
    assert (read_or_none(read_parquet, table), read_or_none(read_json, record)) == (None, None)
    write_parquet(table, pd.DataFrame({"number": range(1000)}))
    write_json(record, {"a": "日本"})
    whole, text = table.read_bytes(), record.read_bytes()
    assert (len(read_or_none(read_parquet, table)), read_or_none(read_json, record)) == (1000, {"a": "日本"})
    for left in (b"", whole[:100], whole[:-4], bytes(len(whole)), whole[:50] + bytes(len(whole) - 100) + whole[-50:]):
        table.write_bytes(left)
        assert read_or_none(read_parquet, table) is None
    for left in (b"", text[:12], text[:-6], bytes(len(text))):
        record.write_bytes(left)
        assert read_or_none(read_json, record) is None


def test_what_may_not_be_read_is_not_taken_for_missing(tmp_path: Path) -> None:
    """A stage of hours is not trained again because of a file's rights."""

    def read(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    with pytest.raises(PermissionError):
        read_or_none(read, tmp_path)


def model(folder: Path, letter: str) -> Path:
    """A folder of several files that all hold one letter."""
    folder.mkdir()
    for name in ("config.json", "export.json", "model.safetensors"):
        (folder / name).write_text(letter)
    return folder


class Killed(BaseException):
    """What nothing catches."""


@pytest.mark.parametrize("kept", range(7))
def test_a_kill_while_a_folder_is_replaced_leaves_a_whole_one_or_none(
    kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after each of its steps on the disk: moves, and every single file that it removes."""
    target, part = model(tmp_path / "C", "a"), model(tmp_path / ".C.part", "b")
    steps = 0

    def counted(real):
        def step(*given, **named):
            nonlocal steps
            if steps == kept:
                raise Killed
            steps += 1
            return real(*given, **named)

        return step

    with monkeypatch.context() as patch:
        for name in ("rename", "unlink", "rmdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        try:
            replace_folder(part, target)
        except Killed:
            assert steps == kept
    assert steps == min(kept, 6)  # two moves, three files and their folder
    if target.exists():
        assert {path.read_text() for path in target.iterdir()} == {"a" if kept < 2 else "b"}
        assert len(list(target.iterdir())) == 3
    settle_folder(target)
    assert {path.read_text() for path in target.iterdir()} == {"a" if kept < 2 else "b"}
    assert not (tmp_path / ".C.old").exists()
    again = part if part.exists() else model(part, "c")
    replace_folder(again, target)
    assert {path.read_text() for path in target.iterdir()} == {"b" if kept < 2 else "c"}
    assert [path.name for path in tmp_path.iterdir()] == ["C"]


def test_without_locks_a_file_is_changed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    for letter in "ab":
        update_json(tmp_path / "log.json", lambda known: [*(known or []), letter])  # noqa: B023
    assert read_json(tmp_path / "log.json") == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]
