"""A copy of an exported model: written to every ordinary place, and whole or without its record."""

import shutil
from pathlib import Path

import pytest

from rerank.planning.experiments import export_folder
from rerank.report.exported import RECORD, copy_export, is_replaceable

FILES = {"config.json", "model.safetensors", RECORD, "README.md"}


@pytest.fixture(autouse=True)
def exported() -> Path:
    """An export that was made before."""
    folder = export_folder("abc", "C")
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("new")
    return folder


def copied(out: Path) -> dict[str, str]:
    """Copy the export, and return every file that is then there."""
    assert is_replaceable(out)
    copy_export("abc", "C", out)
    assert is_replaceable(out)
    return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}


def test_the_working_folder_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert copied(Path()) == dict.fromkeys(FILES, "new")
    assert copied(Path()) == dict.fromkeys(FILES, "new")
    assert here.samefile(Path.cwd())  # not another folder of its name, which the shell would not see
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["here"]


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "volume").mkdir()
    (place / "link").symlink_to(place / "volume")
    (place / "to nowhere").symlink_to(place / "missing")
    assert copied(place / "link") == dict.fromkeys(FILES, "new")
    assert copied(place / "to nowhere") == dict.fromkeys(FILES, "new")
    assert (place / "link").is_symlink()
    assert {path.name for path in place.iterdir()} == {"link", "volume", "to nowhere", "missing"}


def test_a_folder_with_missing_parents_is_made(tmp_path: Path) -> None:
    assert copied(tmp_path / "new" / "deeper" / "model") == dict.fromkeys(FILES, "new")
    assert [path.name for path in (tmp_path / "new" / "deeper").iterdir()] == ["model"]


def test_an_earlier_export_is_replaced_and_hidden_files_stay(tmp_path: Path) -> None:
    out = tmp_path / "model"
    (out / "onnx").mkdir(parents=True)
    (out / ".git").mkdir()
    for name in (RECORD, "vocab.txt", "onnx/model.onnx", ".git/HEAD"):
        (out / name).write_text("old")
    assert copied(out) == {**dict.fromkeys(FILES, "new"), ".git/HEAD": "old"}
    assert not (out / "onnx").exists()


def test_a_copy_that_fails_leaves_the_earlier_export_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / RECORD).write_text("old")

    def full(source: Path, target: Path) -> None:
        target.mkdir()
        (target / "config.json").write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", full)
        with pytest.raises(OSError, match="No space"):
            copy_export("abc", "C", out)
    assert {path.name: path.read_text() for path in out.iterdir() if path.is_file()} == {RECORD: "old"}
    assert copied(out) == dict.fromkeys(FILES, "new")


def test_somebody_elses_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert not is_replaceable(tmp_path)
    assert not is_replaceable(tmp_path / "thesis.txt")
