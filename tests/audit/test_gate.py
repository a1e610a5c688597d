"""The gate's rule, case by case, and on real collections with teachers of known quality."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rerank.audit.answers import Answers, Extras
from rerank.audit.audit import MEASURES, Rules, audit_teacher
from rerank.audit.gate import REASONS, WARNINGS, judged_by, leaks
from rerank.audit.intervals import Measured
from rerank.intake.dataset import Dataset
from rerank.planning.plan import FirstStage, Plan
from rerank.planning.splits import evaluable_queries
from rerank.retrieval.bm25 import Bm25
from rerank.retrieval.candidates import build_candidates, document_texts

NOTHING = {name: Measured() for name in MEASURES}
BETTER = {**NOTHING, "delta_free": Measured(0.05, 0.01, 0.09, 50)}
RULES = Rules("nDCG@10", 1, 0.02, 0.05, 13, "judged")


@pytest.mark.parametrize(
    ("changes", "colour", "reasons"),
    [
        ({}, "green", ()),
        ({"delta_free": Measured(0.05, 0.0, 0.1, 50)}, "amber", ("not_shown_better",)),
        ({"delta_free": Measured(-0.05, -0.1, 0.0, 50)}, "amber", ("not_shown_better",)),
        ({"delta_free": Measured(-0.05, -0.1, -0.001, 50)}, "red", ("worse_than_free",)),
        ({"delta_free": Measured(0.5, n=14)}, "amber", ("too_few_queries",)),
        ({"length": Measured(0.3, 0.11, 0.5, 50)}, "amber", ("length_bias",)),
        ({"length": Measured(-0.3, -0.5, -0.11, 50)}, "amber", ("length_bias",)),
        ({"length": Measured(0.3, 0.09, 0.5, 50)}, "green", ()),
        ({"length": Measured(0.9, n=10)}, "green", ()),
        ({"position_slope": Measured(0.3, 0.2, 0.4, 50)}, "amber", ("position_bias",)),
        ({"probe": Measured(0.3, 0.2, 0.4, 50)}, "amber", ("lexical_bias",)),
        ({"lexical": Measured(0.3, 0.2, 0.4, 50)}, "green", ()),
        ({"shuffled": Measured(0.3, 0.2, 0.4, 50)}, "amber", ("order_dependent",)),
        ({"repeated": Measured(0.3, 0.2, 0.4, 50)}, "green", ()),
        ({"malformed": Measured(0.02, n=100)}, "green", ()),
        ({"malformed": Measured(0.021, n=100)}, "amber", ("malformed_answers",)),
        (
            {"delta_free": Measured(-0.05, -0.1, -0.001, 50), "length": Measured(1.0, 1.0, 1.0, 50)},
            "red",
            ("worse_than_free", "length_bias"),
        ),
    ],
)
def test_the_rule(changes: dict[str, Measured], colour: str, reasons: tuple[str, ...]) -> None:
    assert judged_by(BETTER | changes) == (colour, reasons)


def test_a_slope_that_cannot_be_told_from_relevance_raises_no_flag() -> None:
    slope = {"position_slope": Measured(0.9, 0.8, 1.0, 50)}
    assert judged_by(BETTER | slope, ("position_slope",)) == ("green", ())


@pytest.mark.parametrize(
    ("teacher", "judge", "warns"),
    [
        ("gpt-4o-mini", "openai/gpt-4.1", True),
        ("Qwen/Qwen3-Reranker-4B", "qwen2.5-72b-instruct", True),
        ("claude-3-5-haiku", "gpt-4o", False),
        ("our own model", "Our own model", True),
        ("our own model", "people", False),
        ("gpt-4o", "", False),
    ],
)
def test_a_judge_of_the_teachers_family_is_warned_about(teacher: str, judge: str, warns: bool) -> None:
    assert leaks(teacher, judge) is warns


SCORES = pd.read_csv(Path(__file__).with_name("embedding_scores.csv"), dtype={"query_id": str, "doc_id": str})
COLLECTIONS = tuple(dict.fromkeys(SCORES["collection"]))


def slice_of(folder: Path, name: str) -> tuple[Dataset, pd.DataFrame, np.ndarray]:
    """Forty queries of a collection with up to ten judged documents each, in BM25's order, and their similarities.

    The similarities are the embedded encoder's of the first 300 letters, computed once and kept beside this test:
    encoding takes longer than everything else here.
    """

    def lines(file: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (folder / name / file).read_text(encoding="utf-8").splitlines()]

    known = SCORES[SCORES["collection"] == name]
    judgments = pd.read_csv(folder / name / "qrels.tsv", sep="\t", dtype=str)
    judgments.columns = pd.Index(["query_id", "doc_id", "grade"])
    judgments = judgments.merge(known[["query_id", "doc_id"]]).assign(grade=lambda rows: rows["grade"].astype(int))
    documents = pd.DataFrame(
        [
            (row["_id"], row.get("title", ""), row["text"][:300])
            for row in lines("corpus.jsonl")
            if row["_id"] in set(known["doc_id"])
        ],
        columns=["doc_id", "title", "text"],
    )
    queries = pd.DataFrame(
        [(row["_id"], row["text"], "") for row in lines("queries.jsonl") if row["_id"] in set(known["query_id"])],
        columns=["query_id", "text", "segment"],
    )
    dataset = Dataset(name, name, queries, documents, judgments, None, None, {})
    plan = Plan(name, first_stage=FirstStage(pool="judged"))
    index = Bm25(document_texts(documents))
    candidates = build_candidates(dataset, plan, evaluable_queries(dataset, plan), index.scores)
    merged = candidates.drop(columns="score").merge(known, on=["query_id", "doc_id"], how="left")
    return dataset, candidates, merged["score"].to_numpy(dtype=np.float64)


@pytest.fixture(scope="module", params=COLLECTIONS)
def collection(request: pytest.FixtureRequest, collections: Path) -> tuple[Dataset, pd.DataFrame, np.ndarray]:
    if not (collections / request.param).is_dir():
        pytest.skip("this collection is not here")
    return slice_of(collections, request.param)


def audited(
    collection: tuple[Dataset, pd.DataFrame, np.ndarray],
    scores: np.ndarray,
    extras: Extras | None = None,
    *,
    is_embedding: bool = False,
) -> dict[str, object]:
    dataset, candidates, embedding = collection
    answers = Answers(candidates[["query_id", "doc_id"]].assign(score=scores), extras or Extras())
    free = {} if is_embedding else {"embedding": embedding}
    base = ("embedding", None if is_embedding else embedding)
    return audit_teacher("uploaded", answers, dataset, candidates, free, base, RULES)


def graded(collection: tuple[Dataset, pd.DataFrame, np.ndarray]) -> np.ndarray:
    dataset, candidates, _ = collection
    grades = candidates[["query_id", "doc_id"]].merge(dataset.judgments, how="left")["grade"]
    return grades.to_numpy(dtype=np.float64)


def standard(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values.std())


def test_an_oracle_with_a_tenth_of_noise_is_green(collection: tuple[Dataset, pd.DataFrame, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    grades = graded(collection)
    scores = np.where(rng.random(len(grades)) < 0.1, rng.permutation(grades), grades) + rng.random(len(grades)) / 1e3
    found = audited(collection, scores)
    assert (found["colour"], found["reasons"]) == ("green", [])
    assert found["measures"]["kappa"]["ci_low"] > 0.75  # type: ignore[index]


def test_the_embedding_is_amber_or_green_and_never_compared_with_itself(
    collection: tuple[Dataset, pd.DataFrame, np.ndarray],
) -> None:
    found = audited(collection, collection[2], is_embedding=True)
    assert found["colour"] in ("amber", "green")
    assert found["baseline"] == "first-stage"
    assert found["measures"]["delta_base"]["value"] == 0  # type: ignore[index]


def test_the_reversed_embedding_is_red(collection: tuple[Dataset, pd.DataFrame, np.ndarray]) -> None:
    found = audited(collection, -collection[2])
    assert (found["colour"], found["reasons"][0]) == ("red", "worse_than_free")  # type: ignore[index]
    assert found["measures"]["kendall_tau"]["ci_high"] < 0  # type: ignore[index]


def test_a_teacher_that_likes_long_documents_is_told(collection: tuple[Dataset, pd.DataFrame, np.ndarray]) -> None:
    dataset, candidates, _ = collection
    length = dict(zip(dataset.documents["doc_id"], map(len, document_texts(dataset.documents)), strict=True))
    lengths = candidates["doc_id"].map(length).to_numpy(dtype=np.float64)
    found = audited(collection, 0.5 * standard(graded(collection)) + standard(lengths))
    assert found["colour"] in ("red", "amber")
    assert "length_bias" in found["reasons"]  # type: ignore[operator]
    assert "position_bias" not in found["reasons"]  # type: ignore[operator]


def test_a_teacher_that_likes_what_it_reads_first_is_told(
    collection: tuple[Dataset, pd.DataFrame, np.ndarray],
) -> None:
    rng = np.random.default_rng(1)
    keys = collection[1][["query_id", "doc_id"]]
    positions = keys.groupby("query_id")["doc_id"].transform(lambda part: rng.permutation(len(part)) + 1).astype(int)
    place = positions / keys.groupby("query_id")["doc_id"].transform("size")
    extras = Extras(positions=keys.assign(position=positions))
    found = audited(collection, standard(graded(collection)) - 4 * place.to_numpy(), extras)
    assert found["colour"] in ("red", "amber")
    assert "position_bias" in found["reasons"]  # type: ignore[operator]
    assert "length_bias" not in found["reasons"]  # type: ignore[operator]


def test_codes_of_an_audit_are_known(collection: tuple[Dataset, pd.DataFrame, np.ndarray]) -> None:
    keys = collection[1][["query_id", "doc_id"]]
    extras = Extras(
        positions=keys.assign(position=collection[1]["rank"]),
        n_answers=100,
        n_malformed=5,
        n_asked=20,
        n_tokens=4000,
        usd=0.5,
        model="gpt-4o",
        judge="gpt-4.1",
    )
    found = audited(collection, collection[2], replace(extras, kind="order"))
    assert set(found["reasons"]) <= set(REASONS)  # type: ignore[call-overload]
    assert found["warnings"] == ["same_family_as_judge", "position_not_separable"]
    assert set(WARNINGS) == set(found["warnings"])
    assert "malformed_answers" in found["reasons"]  # type: ignore[operator]
    assert found["measures"]["tokens_per_query"]["value"] == 200  # type: ignore[index]
    assert found["measures"]["usd_per_query"]["value"] == 0.025  # type: ignore[index]
    json.dumps(found, allow_nan=False)


def test_what_the_teacher_did_not_score_is_left_out_of_both_sides(
    collection: tuple[Dataset, pd.DataFrame, np.ndarray],
) -> None:
    dataset, candidates, embedding = collection
    some = set(list(dict.fromkeys(candidates["query_id"]))[:20])
    keys = candidates[["query_id", "doc_id"]].assign(score=embedding)
    answers = Answers(keys[keys["query_id"].isin(some)])
    free = {"embedding": embedding}
    found = audit_teacher("uploaded", answers, dataset, candidates, free, ("embedding", embedding), RULES)
    assert found["n_queries"] == 20
    assert found["measures"]["delta_base"]["value"] == pytest.approx(0)
    nothing = audit_teacher(
        "uploaded", Answers(keys.head(0)), dataset, candidates, free, ("embedding", embedding), RULES
    )
    assert (nothing["colour"], nothing["reasons"], nothing["n_queries"]) == ("amber", ["too_few_queries"], 0)
    assert nothing["delta"] is None
    json.dumps(nothing, allow_nan=False)
