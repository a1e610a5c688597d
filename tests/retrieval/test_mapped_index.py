"""An index on disk answers as bm25s does from memory, and a build that was killed goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rerank.intake import large
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Draft, read_files
from rerank.intake.storage import load_dataset, save_dataset
from rerank.planning.plan import FirstStage
from rerank.planning.presets import preset
from rerank.retrieval import mapped_index
from rerank.retrieval.bm25 import Bm25
from rerank.retrieval.candidates import bm25_of, build_candidates, document_texts, index_folder, scorer_of
from rerank.retrieval.mapped_index import MappedBm25, build_index
from rerank.store.columns import ColumnWriter
from tests.intake.layouts import text

WORDS = "red blue green shoe hat coat wool 赤い靴 帽子 the of café 12 x".split()


def documents(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(0, 12))) for _ in range(n)]
    return pd.DataFrame({"doc_id": [f"d{i}" for i in range(n)], "title": "", "text": texts}, dtype="str")


def stored(folder: Path, frame: pd.DataFrame) -> Path:
    with ColumnWriter(folder, ["doc_id", "title", "text"]) as written:
        written.write(frame)
    return folder


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_index, "PART", 7)
    monkeypatch.setattr(mapped_index, "MAX_POSTINGS", 20)


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("n", [1, 7, 50])
def test_scores_are_those_of_bm25s(n: int, tmp_path: Path) -> None:
    frame = documents(n)
    mapped = MappedBm25(build_index(tmp_path / "index", stored(tmp_path / "columns", frame), document_texts))
    whole = Bm25(document_texts(frame))
    for query in ("red shoe", "赤い靴 café", "wool wool hat", "nothing known", "", "zzz aaa", "12 x"):
        np.testing.assert_array_equal(mapped.scores(query), whole.scores(query))


@pytest.mark.usefixtures("_small_parts")
def test_documents_without_any_word_have_no_score(tmp_path: Path) -> None:
    frame = documents(3).assign(text="the")
    mapped = MappedBm25(build_index(tmp_path / "index", stored(tmp_path / "columns", frame), document_texts))
    assert mapped.scores("the red").tolist() == [0, 0, 0]


@pytest.mark.usefixtures("_small_parts")
def test_a_stopped_build_goes_on_with_the_next_part(tmp_path: Path) -> None:
    frame = documents(50)
    columns = stored(tmp_path / "columns", frame)
    made: list[int] = []

    def texts_of(part: pd.DataFrame) -> list[str]:
        made.append(len(part))
        return document_texts(part)

    def stop(done: int, total: int) -> None:
        if done >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(tmp_path / "index", columns, texts_of, stop)
    assert not (tmp_path / "index").exists()
    assert made == [7, 7, 7]
    told: list[tuple[int, int]] = []
    build_index(tmp_path / "index", columns, texts_of, lambda done, total: told.append((done, total)))
    assert made == [7, 7, 7, 7, 7, 7, 7, 1]
    assert told[-1] == (50, 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["columns", "index"]
    mapped, whole = MappedBm25(tmp_path / "index"), Bm25(document_texts(frame))
    np.testing.assert_array_equal(mapped.scores("red hat"), whole.scores("red hat"))


def imported(n: int) -> tuple[Draft, Dataset]:
    rows = "".join(f"{row.doc_id},{row.text or 'none'}\n" for row in documents(n).itertuples())
    draft = read_files(
        [
            text("queries.csv", "query_id,query\nq1,red shoe\nq2,帽子\n"),
            text("documents.csv", "doc_id,text\n" + rows),
            text("qrels.csv", "query_id,doc_id,grade\nq1,d3,2\nq2,d4,1\n"),
        ]
    )
    return draft, finish(draft, "x")


@pytest.mark.parametrize("pool", ["corpus", "judged"])
def test_a_large_dataset_has_the_candidates_of_a_small_one(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, small = imported(60)
    plan = replace(preset("quick", small.digest), first_stage=FirstStage("bm25", pool, 10))
    expected = build_candidates(small, plan, ["q1", "q2"], scorer_of("bm25", small, None))
    monkeypatch.setattr(large, "STREAM_BYTES", 100)
    draft, dataset = imported(60)
    save_dataset(dataset, draft.findings, draft.rejected)
    stored_one = load_dataset(dataset.digest)
    assert stored_one.documents_at is not None
    found = build_candidates(stored_one, plan, ["q1", "q2"], scorer_of("bm25", stored_one, None))
    pd.testing.assert_frame_equal(found, expected)
    assert isinstance(bm25_of(stored_one), MappedBm25)
    assert (index_folder(stored_one) / "index.json").is_file()
