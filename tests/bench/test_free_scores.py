"""Scores of what needs no training: three orders of the same candidates."""

from pathlib import Path

import pytest

from rerank.bench import free_scores as module
from rerank.bench.free_scores import collections, free_scores
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.models.devices import pick_device
from rerank.store.home import bundled
from tests.conftest import tiny_files


def test_three_orders_have_scores_for_the_same_queries() -> None:
    dataset = finish(read_files(tiny_files(n_queries=52)), "tiny")
    found = free_scores(dataset, pick_device("cpu"), "corpus", 200)
    assert list(dict.fromkeys(found["strategy"])) == ["first-stage", "embedding", "rank-fusion"]
    counted = found.groupby(["strategy", "measure"])["query_id"].nunique()
    assert (counted == 52).all()
    assert len(counted) == 6
    assert found["value"].between(0, 1).all()
    means = found[found["measure"] == "nDCG@10"].groupby("strategy")["value"].mean()
    assert means.nunique() == 3  # they are three different orders


def test_too_few_queries_give_nothing() -> None:
    dataset = finish(read_files(tiny_files(n_queries=40)), "tiny")
    assert free_scores(dataset, pick_device("cpu"), "corpus", 200).empty


def test_without_collections_the_bundled_sample_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RERANK_DATASETS", raising=False)
    assert collections(quick=False) == [bundled("sample")]
    monkeypatch.setenv("RERANK_DATASETS", str(tmp_path / "nothing"))
    assert collections(quick=True) == [bundled("sample")]


def test_a_quick_run_takes_the_smallest_collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("a", 300), ("b", 10), ("c", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "corpus.jsonl").write_text("x" * size)
    monkeypatch.setenv("RERANK_DATASETS", str(tmp_path))
    assert [folder.name for folder in collections(quick=False)] == ["a", "b", "c"]
    assert [folder.name for folder in collections(quick=True)] == ["b", "c"]
    assert module.QUICK_COLLECTIONS == 2
