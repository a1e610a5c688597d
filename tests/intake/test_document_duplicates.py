"""Near-duplicates among all documents: found whatever the number, kept when killed, and what judgments lack."""

import random
from pathlib import Path

import pandas as pd
import pytest

from rerank.cli.main import main
from rerank.intake import document_duplicates as searched
from rerank.intake import large
from rerank.intake.dataset import Dataset
from rerank.intake.disk import read_folder
from rerank.intake.document_duplicates import found_duplicates, search_duplicates, unjudged_copies
from rerank.intake.finish import finish
from rerank.intake.storage import load_dataset, save_dataset
from rerank.jobs.launch import start
from tests.tiny import wait_for_end


def sentence(seed: int) -> str:
    draw = random.Random(seed)
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(30))


def dataset_of(folder: Path, texts: dict[str, str], judgments: str = "q1,a,2\nq2,b,1\n") -> Dataset:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "queries.csv").write_text("query_id,query\nq1,red shoes\nq2,blue hat\n")
    pd.DataFrame({"doc_id": list(texts), "text": list(texts.values())}).to_csv(folder / "documents.csv", index=False)
    (folder / "qrels.csv").write_text(f"query_id,doc_id,grade\n{judgments}")
    dataset = finish(read_folder(folder), "sample", keep_good_rows=True)
    save_dataset(dataset)
    return load_dataset(dataset.digest)


def copies(text: str, n: int) -> list[str]:
    return [f"{text} {'x' * number}" for number in range(1, n + 1)]


def test_copies_are_found_among_all_and_named_by_the_first(tmp_path: Path) -> None:
    texts = {"a": sentence(1), "b": sentence(2), **{f"d{n}": sentence(100 + n) for n in range(60)}}
    texts |= {"a again": texts["a"].upper() + "!", "b once": f"{texts['b']} end", "b twice": f"new {texts['b']}"}
    found = search_duplicates(dataset_of(tmp_path, texts))
    assert found.n_documents == 65
    assert dict(zip(found.pairs["doc_id"], found.pairs["like"], strict=True)) == {
        "a again": "a",
        "b once": "b",
        "b twice": "b",
    }
    assert found.n_groups == 2
    assert found.pairs["similarity"].between(0.8, 1).all()


def test_similarity_is_that_of_the_sets_counted_by_hand(tmp_path: Path) -> None:
    """100 different letters have 93 runs of eight; ten letters more behind them make 103, of which 93 are shared."""
    letters = "".join(chr(0x4E00 + number) for number in range(100))
    texts = {"a": letters, "b": letters + "".join(chr(0x5E00 + number) for number in range(10))}
    (similarity,) = search_duplicates(dataset_of(tmp_path, texts)).pairs["similarity"]
    assert similarity == pytest.approx(93 / 103)


def test_another_number_is_another_product(tmp_path: Path) -> None:
    text = sentence(3)
    assert search_duplicates(dataset_of(tmp_path, {"a": f"{text} 40 cm", "b": f"{text} 41 cm"})).pairs.empty


def test_a_copy_of_a_copy_belongs_to_the_first(tmp_path: Path) -> None:
    """Each step changes a little, so that the last is no longer like the first."""
    words = sentence(4).split()
    steps = [" ".join(words)]
    for number in range(1, 5):
        words[-2 * number], words[-2 * number + 1] = f"new{'y' * number}", f"other{'z' * number}"
        steps.append(" ".join(words))
    found = search_duplicates(dataset_of(tmp_path, dict(zip("abcde", steps, strict=True))))
    assert found.pairs["like"].tolist() == ["a"] * 4


def test_many_documents_on_disk_give_what_few_in_memory_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a": sentence(1), "b": sentence(2)} | {f"d{n}": sentence(n % 40) for n in range(100)}
    few = dataset_of(tmp_path / "few", texts)
    in_memory = search_duplicates(few)
    monkeypatch.setattr(large, "STREAM_BYTES", 10)
    monkeypatch.setattr(searched, "PART", 7)
    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "other"))
    many = dataset_of(tmp_path / "many", texts)
    assert few.documents_at is None
    assert many.documents_at is not None
    assert many.digest == few.digest
    pd.testing.assert_frame_equal(search_duplicates(many).pairs, in_memory.pairs)
    assert len(in_memory.pairs) == 62  # 102 texts, of which 40 are different


def test_a_stopped_search_goes_on_and_sketches_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "PART", 10)
    dataset = dataset_of(
        tmp_path, {"a": sentence(1), "b": sentence(2)} | {f"d{n}": sentence(n % 20) for n in range(40)}
    )

    def stop(done: int, total: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_duplicates(dataset, stop)
    assert found_duplicates(dataset) is None
    written: list[int] = []
    write = searched._write_sketches

    def noted(path: Path, texts: list[str]) -> None:
        written.append(int(path.stem))
        write(path, texts)

    monkeypatch.setattr(searched, "_write_sketches", noted)
    found = search_duplicates(dataset)
    assert written == [2, 3, 4]
    assert len(found.pairs) == 22
    again = found_duplicates(dataset)
    assert again is not None
    pd.testing.assert_frame_equal(again.pairs, found.pairs)


def test_unjudged_copies_are_listed_with_the_grade_of_what_they_repeat(tmp_path: Path) -> None:
    texts = {"a": sentence(1), "b": sentence(2), "a2": sentence(1) + " more", "a3": "and " + sentence(1)}
    dataset = dataset_of(tmp_path, texts, "q1,a2,2\nq1,b,0\nq2,a,0\nq2,a3,1\n")
    copied = unjudged_copies(dataset, search_duplicates(dataset))
    rows = sorted(copied.itertuples(index=False, name=None))
    # q1 judged a2 only: a and a3 repeat it. q2 judged a and a3: a2 takes the grade of the one that was judged first.
    assert rows == [("q1", "a", "a2", 2), ("q1", "a3", "a2", 2), ("q2", "a2", "a", 0)]


def test_the_command_and_the_job_say_the_same(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = dataset_of(tmp_path, {"a": sentence(1), "b": sentence(2), "c": sentence(1) + " end"})
    job = wait_for_end(start("near_duplicates", {"dataset": dataset.digest}).id, 60)
    assert job.state == "done"
    assert main(["near-duplicates", dataset.digest, "--unjudged", str(tmp_path / "out.csv")]) == 0
    assert "1 of 3 documents nearly repeat one of 1 others." in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out.csv").to_dict("records") == [
        {"query_id": "q1", "doc_id": "c", "like": "a", "grade": 2}
    ]
