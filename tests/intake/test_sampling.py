"""A sample is the same every time, loses nothing that was judged, and the manifest says what it is."""

import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.intake import large
from rerank.intake.finish import finish
from rerank.intake.reading import Draft, read_files
from rerank.intake.sampling import Sampling, _shares, chances
from tests.intake.layouts import text

N_DOCUMENTS = 400


def files(queries: str, n_judged: int = 10) -> list[object]:
    judged = "".join(f"q{i},d{7 * i},{i % 3}\n" for i in range(n_judged))
    documents = "".join(f"d{i},text of document {i}\n" for i in range(N_DOCUMENTS))
    return [
        text("queries.csv", queries),
        text("documents.csv", "doc_id,text\n" + documents),
        text("qrels.csv", "query_id,doc_id,grade\n" + judged),
        text("run.csv", "query_id,doc_id,rank\n" + "".join(f"q{i},d{399 - i},1\n" for i in range(30))),
    ]


def draft_of(header: str = "query_id,query", row: str = "q{i},query number {i}", n_judged: int = 10) -> Draft:
    lines = [
        header,
        *(row.format(i=i, short="short" if i % 4 else "long", n=1 + 99 * (i % 10 == 3)) for i in range(100)),
    ]
    return read_files(files("\n".join(lines) + "\n", n_judged))  # type: ignore[arg-type]


def test_judged_queries_and_named_documents_stay() -> None:
    dataset = finish(draft_of(), "x", sampling=Sampling(queries=25, documents=60))
    kept = set(dataset.queries["query_id"])
    assert len(kept) == 25
    assert {f"q{i}" for i in range(10)} <= kept
    assert len(dataset.judgments) == 10
    assert set(dataset.judgments["doc_id"]) <= set(dataset.documents["doc_id"])
    assert dataset.candidates is not None
    assert set(dataset.candidates["query_id"]) <= kept
    assert set(dataset.candidates["doc_id"]) <= set(dataset.documents["doc_id"])
    assert len(dataset.documents) == 60
    n_named = len(set(dataset.candidates["doc_id"]) | set(dataset.judgments["doc_id"]))
    assert dataset.manifest["sampling"] == {
        "seed": 1,
        "queries": {"n": 25, "of": 100, "by": "chance", "n_judged": 10},
        "judgments": {"n": 10, "of": 10},
        "documents": {"n": 60, "of": N_DOCUMENTS, "n_named": n_named},
    }


def test_named_documents_stay_even_when_they_are_more_than_asked_for() -> None:
    dataset = finish(draft_of(), "x", sampling=Sampling(documents=5))
    assert len(dataset.documents) == 40  # 10 judged, 30 of the run


def test_fewer_than_the_judged_queries_are_drawn_among_them() -> None:
    dataset = finish(draft_of(), "x", sampling=Sampling(queries=4))
    assert set(dataset.queries["query_id"]) <= {f"q{i}" for i in range(10)}
    assert len(dataset.judgments) == 4
    assert dataset.manifest["sampling"]["judgments"] == {"n": 4, "of": 10}


def test_a_seed_names_a_sample_whatever_the_order_and_the_way_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Sampling(queries=20, documents=80, seed=3)
    one = finish(draft_of(), "x", sampling=wanted)
    assert finish(draft_of(), "x", sampling=wanted).digest == one.digest
    assert finish(draft_of(), "x", sampling=Sampling(20, 80, seed=4)).digest != one.digest
    monkeypatch.setattr(large, "STREAM_BYTES", 1000)
    streamed = draft_of()
    assert streamed.spool is not None
    assert finish(streamed, "x", sampling=wanted).digest == one.digest
    masked = finish(streamed, "x", sampling=wanted, mask_personal_data=True)
    assert masked.digest == one.digest  # nothing to mask
    assert len(masked.documents) == 80


def test_segments_keep_their_shares() -> None:
    draft = draft_of("query_id,query,segment", "q{i},query number {i},{short}", n_judged=0)
    dataset = finish(draft, "x", keep_good_rows=True, sampling=Sampling(queries=20, by="segment"))
    assert dataset.queries["segment"].value_counts().to_dict() == {"short": 15, "long": 5}


def test_largest_remainders() -> None:
    """7 of 5 + 3 + 2: 3.5, 2.1 and 1.4; the one left goes to the largest remainder, .5."""
    assert _shares(np.array(["a"] * 5 + ["b"] * 3 + ["c"] * 2), 7) == {"a": 4, "b": 2, "c": 1}


def test_frequent_queries_are_drawn_more_often() -> None:
    """One in ten was asked a hundred times as often: the ten of them are most of a sample of ten."""
    draft = draft_of("query_id,query,searches", "q{i},query number {i},{n}", n_judged=0)
    hits = []
    for seed in range(20):
        dataset = finish(draft, "x", keep_good_rows=True, sampling=Sampling(queries=10, by="frequency", seed=seed))
        hits.append(sum(int(name[1:]) % 10 == 3 for name in dataset.queries["query_id"]))
    # By hand: 10 of weight 100 and 90 of weight 1; draws without replacement give 8.1 on average (simulated below).
    rng = np.random.default_rng(0)
    weights = np.where(np.arange(100) % 10 == 3, 100.0, 1.0)
    expected = [(rng.choice(100, 10, replace=False, p=weights / weights.sum()) % 10 == 3).sum() for _ in range(2000)]
    assert np.mean(hits) == pytest.approx(np.mean(expected), abs=3 * np.std(expected) / np.sqrt(len(hits)))


def test_a_log_with_repeated_queries_says_how_often() -> None:
    log = "query\n" + "red shoes\n" * 5 + "blue hat\n"
    draft = read_files([*files(log)[:1], *files(log)[1:2], text("qrels.csv", "query,doc_id,grade\nblue hat,d1,1\n")])  # type: ignore[list-item]
    assert dict(zip(draft.frames["queries"]["query_id"], draft.frames["queries"]["frequency"], strict=True)) == {
        "red shoes": 5,
        "blue hat": 1,
    }


def test_a_click_log_says_how_often() -> None:
    rows = [f"s{search},red shoes,d{rank},{rank},impression" for search in range(3) for rank in (1, 2)]
    rows += ["s9,blue hat,d1,1,impression", "s9,blue hat,d1,1,click"]
    log = "session_id,query,doc_id,position,event\n" + "\n".join(rows) + "\n"
    draft = read_files([text("clicks.csv", log), *files("")[1:2]])  # type: ignore[list-item]
    assert dict(zip(draft.frames["queries"]["query_id"], draft.frames["queries"]["frequency"], strict=True)) == {
        "red shoes": 3,
        "blue hat": 1,
    }


@pytest.mark.parametrize(
    ("sampling", "code"),
    [
        (Sampling(queries=0), "sample_not_positive"),
        (Sampling(documents=-1), "sample_not_positive"),
        (Sampling(queries=5, by="segment"), "sample_without_segments"),
        (Sampling(queries=5, by="frequency"), "sample_without_frequencies"),
    ],
)
def test_what_cannot_be_drawn_is_said(sampling: Sampling, code: str) -> None:
    with pytest.raises(RerankError) as refused:
        finish(draft_of(), "x", sampling=sampling)
    assert refused.value.code == code


def test_a_frequency_that_is_no_number_is_told() -> None:
    draft = read_files([text("q.csv", 'query_id,query,count\nq1,a,"1,200"\nq2,b,often\nq3,c,\n'), *files("")[1:3]])  # type: ignore[list-item]
    told = [(found.line, found.value) for found in draft.findings if found.code == "frequency_not_positive"]
    assert told == [(3, "often")]
    assert draft.frames["queries"]["frequency"].tolist() == [1200, 1, 1]


def test_chances_are_even() -> None:
    drawn = chances(pd.Series([f"d{i}" for i in range(5000)], dtype="str"), 1)
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(500, abs=100)
