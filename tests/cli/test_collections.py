"""Every real collection is imported by the command with the counts that its own statistics state."""

import json
from pathlib import Path

import pytest

from rerank.cli.main import DONE, main
from rerank.intake.storage import list_datasets, load_dataset

COLLECTIONS = (
    "chorus_icecat",
    "epqa_dev",
    "esci_us_sample",
    "jsquad_sample",
    "lawqa_jp",
    "quepid_rating_party",
    "scifact",
    "stackfaq",
    "vespa_docs",
)


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_is_imported_whole(collections: Path, name: str, home: Path) -> None:
    folder = collections / name
    if not folder.is_dir():
        pytest.skip(f"no {name}")
    assert main(["--lang", "en", "import", str(folder)]) == DONE
    (manifest,) = list_datasets()
    found = (manifest["n_documents"], manifest["n_queries"], manifest["n_judgments"])
    stated = folder / "stats.json"
    if not stated.is_file():
        head = (folder / "qrels.tsv").read_text(encoding="utf-8").split("\n", 1)[0]
        n_heads = int(not head.rsplit("\t", 1)[-1].strip().lstrip("-").isdigit())
        assert found == (
            lines(folder / "corpus.jsonl"),
            lines(folder / "queries.jsonl"),
            lines(folder / "qrels.tsv") - n_heads,
        )
        return
    stats = json.loads(stated.read_text(encoding="utf-8"))
    assert found == (stats["docs"], stats["queries"], stats["judged_pairs"])
    judgments = load_dataset(manifest["digest"]).judgments
    assert judgments["grade"].astype("str").value_counts().to_dict() == stats["grades"]
    assert int(judgments.groupby("query_id")["grade"].max().ge(1).sum()) == stats["queries_with_pos"]
