"""The exported model beside its result: which one is recommended, and its files."""

import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.planning.experiments import export_folder
from rerank.planning.graph import path_of
from rerank.store.artefacts import flush_folder, flush_tree, read_json

RECORD = "export.json"
CARDS: Mapping[str, str] = {"en": "README.md", "ja": "README.ja.md"}
_PART = ".export.part"  # a copy while it is written
MAX_ZIP_BYTES = 300_000_000  # a page hands it over from memory


def exportable(result: Mapping[str, Any]) -> list[str]:
    """Return the strategies of a result that have a trained model, in its order."""
    return [name for name in result["strategies"] if path_of(name)]


def recommended_strategy(result: Mapping[str, Any]) -> str | None:
    """Return the trained strategy that the decision says to ship, None when it says to ship none."""
    decision = result["decision"]
    if decision["code"] == "add_second_stage":
        found = decision["second_strategy"]
    elif decision["code"] in ("adopt_single_stage", "repair_teacher"):
        found = decision["single_strategy"]
    else:
        found = None
    return str(found) if found else None


def strategy_to_export(result: Mapping[str, Any], wanted: str | None) -> str:
    """Return the strategy to export: the wanted one, else the recommended one.

    Raises RerankError `strategy_not_trained` or `no_model_recommended`.
    """
    known = exportable(result)
    chosen = wanted or recommended_strategy(result)
    if chosen is None:
        raise RerankError("no_model_recommended", known=known)
    if chosen not in known:
        raise RerankError("strategy_not_trained", strategy=chosen, known=known)
    return chosen


def load_export(experiment: str, strategy: str) -> dict[str, Any] | None:
    """Return the record of an exported model, None before there is one."""
    path = export_folder(experiment, strategy) / RECORD
    found: dict[str, Any] | None = read_json(path) if path.is_file() else None
    return found


def is_replaceable(out: Path) -> bool:
    """Say whether an export may be written to a place: nothing is there, or an empty folder, or an earlier export."""
    if not out.exists():
        return True
    return out.is_dir() and ({path.name for path in out.iterdir()} <= {_PART} or (out / RECORD).is_file())


def copy_export(experiment: str, strategy: str, out: Path) -> None:
    """Copy an exported model to `out`, replacing what `is_replaceable` allows but hidden files.

    A kill leaves the earlier export whole, or a folder without `export.json`, which comes last.
    """
    out = out.resolve()
    is_new = not out.exists()
    # A folder that is there stays: it may be a volume, or where somebody works. So its copy is written inside.
    part = out.with_name(f".{out.name}.part") if is_new else out / _PART
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(export_folder(experiment, strategy), part)
    flush_tree(part)
    if is_new:
        part.rename(out)
    else:
        (out / RECORD).unlink(missing_ok=True)
        _remove_visible(out)
        for path in sorted(part.iterdir(), key=lambda path: path.name == RECORD):
            path.rename(out / path.name)
        part.rmdir()
        flush_folder(out)
    flush_folder(out.parent)


def _remove_visible(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def zip_bytes(folder: Path) -> bytes:
    """Return a folder's files as a zip archive; weights do not shrink, so nothing is compressed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, Path("reranker") / path.relative_to(folder))
    return packed.getvalue()
