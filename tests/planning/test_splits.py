"""Splits: disjoint, complete, stratified, and the same every time."""

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.planning.plan import Plan, Split
from rerank.planning.splits import Fold, evaluable_queries, folds_of, spread

KFOLD, HOLDOUT = Split(kind="kfold", folds=4), Split(kind="holdout", test_share=0.25)


def dataset(segments: list[str], grades: list[int] | None = None) -> Dataset:
    """One judged document per query, relevant unless a grade says otherwise."""
    ids = [f"q{number}" for number in range(len(segments))]
    grades = [1] * len(ids) if grades is None else grades
    return Dataset(
        name="split",
        digest="d" * 64,
        queries=pd.DataFrame({"query_id": ids, "text": ids, "segment": segments}),
        documents=pd.DataFrame({"doc_id": ["d"], "title": [""], "text": ["text"]}),
        judgments=pd.DataFrame({"query_id": ids, "doc_id": "d", "grade": grades}),
        candidates=None,
        teacher_scores=None,
        manifest={},
    )


def plan(split: Split, **changes: object) -> Plan:
    return replace(Plan("d" * 64, split=split), **changes)


def everything(fold: Fold) -> list[str]:
    return [*fold.train, *fold.dev, *fold.test]


@given(n=st.integers(12, 120), folds=st.integers(2, 6), kind=st.sampled_from(["kfold", "holdout"]), seed=st.integers(0))
def test_every_query_has_exactly_one_part_in_every_fold(n: int, folds: int, kind: str, seed: int) -> None:
    data = dataset([f"s{number % 3}" for number in range(n)])
    split = Split(kind=kind, folds=folds, seed=seed % 2**31)  # type: ignore[arg-type]
    found = folds_of(data, plan(split))
    for fold in found:
        assert sorted(everything(fold)) == sorted(data.queries["query_id"])
        assert min(len(fold.train), len(fold.dev), len(fold.test)) > 0
    if kind == "kfold":
        tested = [query for fold in found for query in fold.test]
        assert sorted(tested) == sorted(data.queries["query_id"]), "every query is tested once"
        sizes = [len(fold.test) for fold in found]
        assert max(sizes) - min(sizes) <= 1


def test_queries_of_the_same_text_are_never_on_two_sides() -> None:
    data = dataset(["a"] * 40)
    texts = [f"Query  {number % 20}" if number < 20 else f"query {number % 20} " for number in range(40)]
    data = replace(data, queries=data.queries.assign(text=texts))
    for split in (KFOLD, HOLDOUT):
        found = folds_of(data, plan(split))
        for fold in found:
            assert sorted(everything(fold)) == sorted(data.queries["query_id"])
            for part in (fold.train, fold.dev, fold.test):
                numbers = Counter(int(query[1:]) % 20 for query in part)
                assert set(numbers.values()) == {2}


def test_nearly_equal_queries_are_never_on_two_sides() -> None:
    """Twenty questions, each asked again with a question mark, and twenty asked once."""
    topics = "apple bridge candle dragon engine forest garden harbor island jacket".split()
    asked = [
        f"where can I buy a {one} with {two}s" for one, two in zip(topics, [*topics[3:], *topics[:3]], strict=True)
    ]
    asked += [
        f"how do I repair the {one} of my {two}" for one, two in zip(topics, [*topics[5:], *topics[:5]], strict=True)
    ]
    texts = [*asked, *(f"{text.upper()} ?" for text in asked), *(f"{one} {one[::-1]}" for one in topics * 2)]
    data = dataset(["a"] * len(texts))
    data = replace(data, queries=data.queries.assign(text=texts))
    for split in (KFOLD, HOLDOUT):
        for fold in folds_of(data, plan(split)):
            for part in (fold.train, fold.dev, fold.test):
                assert {q for q in part if int(q[1:]) < 20} == {
                    f"q{int(q[1:]) - 20}" for q in part if 20 <= int(q[1:]) < 40
                }


@given(
    sizes=st.lists(st.integers(12, 60), min_size=1, max_size=6),
    folds=st.integers(2, 6),
    kind=st.sampled_from(["kfold", "holdout"]),
    seed=st.integers(0, 1000),
)
def test_every_part_holds_its_share_of_every_segment(sizes: list[int], folds: int, kind: str, seed: int) -> None:
    """Four equal segments in four folds once put a whole segment into one fold."""
    segments = [f"s{place}" for place, size in enumerate(sizes) for _ in range(size)]
    data = dataset(segments)
    split = Split(kind=kind, folds=folds, seed=seed)  # type: ignore[arg-type]
    segment_of = dict(zip(data.queries["query_id"], segments, strict=True))
    for fold in folds_of(data, plan(split)):
        in_test = Counter(segment_of[query] for query in fold.test)
        for segment, size in Counter(segments).items():
            assert abs(in_test[segment] - size * len(fold.test) / len(segments)) < 2


@pytest.mark.parametrize("split", [KFOLD, HOLDOUT], ids=["kfold", "holdout"])
def test_the_same_plan_gives_the_same_split_and_another_seed_another(split: Split) -> None:
    data = dataset(["a", "b"] * 20)
    assert folds_of(data, plan(split)) == folds_of(data, plan(split))
    assert folds_of(data, plan(split)) != folds_of(data, plan(replace(split, seed=14)))


def test_what_does_not_belong_to_the_split_does_not_move_it() -> None:
    data = dataset(["a", "b"] * 20)
    other = plan(KFOLD, seeds=(9,), margin=0.1, strategies=("first-stage", "C"))
    assert folds_of(data, plan(KFOLD)) == folds_of(data, other)


def test_shares_are_of_what_they_say() -> None:
    (fold,) = folds_of(dataset([""] * 100), plan(Split(kind="holdout", test_share=0.3, dev_share=0.2)))
    assert (len(fold.test), len(fold.dev), len(fold.train)) == (30, 14, 56)


def test_queries_without_a_relevant_document_are_left_out() -> None:
    data = dataset([""] * 4, [0, 1, 2, 3])
    assert evaluable_queries(data, plan(KFOLD)) == ["q1", "q2", "q3"]
    assert evaluable_queries(data, plan(KFOLD, relevant_grade=3)) == ["q3"]


def test_max_queries_draws_the_same_sample_in_the_datasets_order() -> None:
    data = dataset([""] * 50)
    found = evaluable_queries(data, plan(KFOLD, max_queries=20))
    assert found == evaluable_queries(data, plan(KFOLD, max_queries=20))
    assert len(found) == 20
    assert found == [query for query in data.queries["query_id"] if query in set(found)]
    assert evaluable_queries(data, plan(KFOLD, max_queries=1000)) == list(data.queries["query_id"])


@pytest.mark.parametrize(("n", "split"), [(3, KFOLD), (3, HOLDOUT), (0, HOLDOUT)])
def test_too_few_queries_are_refused_with_their_number(n: int, split: Split) -> None:
    with pytest.raises(RerankError) as caught:
        folds_of(dataset([""] * n), plan(split))
    assert (caught.value.code, caught.value.facts["n_queries"]) == ("too_few_queries_to_split", n)


def test_spread_takes_items_at_even_distances() -> None:
    assert spread(list("abcdef"), 3) == ["a", "c", "e"]
    assert spread(list("ab"), 5) == ["a", "b"]
    assert spread([], 2) == []
