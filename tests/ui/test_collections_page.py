"""Every real collection, packed as one zip file and dropped on the data page, is stored with its own counts."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from rerank.intake.storage import list_datasets, load_dataset
from tests.cli.test_collections import COLLECTIONS, lines
from tests.ui.conftest import open_page


def packed(folder: Path) -> bytes:
    """A folder as a manager packs it, notes and all."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return stream.getvalue()


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_is_imported_whole_by_the_page(
    collections: Path, name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collections / name
    if not folder.is_dir():
        pytest.skip(f"no {name}")
    monkeypatch.setattr("streamlit.switch_page", lambda *_, **__: None)  # the plan page is not what is tested here
    page = open_page("data")
    page.file_uploader(key="uploaded_files").set_value([(f"{name}.zip", packed(folder), "application/zip")])
    page.run(timeout=60)
    assert not page.exception
    if any(toggle.key == "keep_good_rows" for toggle in page.toggle):
        pytest.fail("a collection has errors: " + " ".join(item.value for item in page.warning))
    page.button(key="save_dataset").click().run(timeout=60)
    assert not page.exception
    (manifest,) = list_datasets()
    found = (manifest["n_documents"], manifest["n_queries"], manifest["n_judgments"])
    if (folder / "stats.json").is_file():
        stats = json.loads((folder / "stats.json").read_text(encoding="utf-8"))
        assert found == (stats["docs"], stats["queries"], stats["judged_pairs"])
        grades = load_dataset(manifest["digest"]).judgments["grade"].astype("str")
        assert grades.value_counts().to_dict() == stats["grades"]
    else:
        assert found[:2] == (lines(folder / "corpus.jsonl"), lines(folder / "queries.jsonl"))
        head = (folder / "qrels.tsv").read_text(encoding="utf-8").split("\n", 1)[0]
        assert found[2] == lines(folder / "qrels.tsv") - int(not head.rsplit("\t", 1)[-1].strip().isdigit())
