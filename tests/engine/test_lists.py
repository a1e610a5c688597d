import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.training.lists import Judged, contrastive_lists, distillation_lists, is_graded, judged_material

RNG = np.random.default_rng


def test_every_list_has_a_positive_and_the_asked_size() -> None:
    material = [Judged("q", (("p1", 3), ("p2", 1)), ("n1", "n2"), tuple(f"u{i}" for i in range(9)))]
    for seed in range(20):
        listwise = contrastive_lists(material, 6, "listwise", RNG(seed))[0]
        lce = contrastive_lists(material, 6, "lce", RNG(seed))[0]
        assert len(listwise.doc_ids) == len(lce.doc_ids) == 6
        assert sum(gain > 0 for gain in lce.targets) == 1
        assert sum(gain > 0 for gain in listwise.targets) == 2
        assert len(set(listwise.doc_ids)) == 6


def test_a_list_without_a_positive_is_refused_by_name() -> None:
    with pytest.raises(RerankError, match="list_without_positive"):
        contrastive_lists([Judged("q", (("p", 0),), ("n",), ())], 4, "lce", RNG(0))


def test_queries_that_teach_nothing_are_left_out() -> None:
    judgments = pd.DataFrame({"query_id": ["a", "b", "c"], "doc_id": ["1", "1", "1"], "grade": [1, 0, 1]})
    candidates = pd.DataFrame({"query_id": ["a"], "doc_id": ["2"]})
    assert [item.query_id for item in judged_material(["a", "b", "c"], judgments, candidates, 1)] == ["a"]


def test_grades_are_noticed() -> None:
    frame = pd.DataFrame({"grade": [0, 1, 2]})
    assert is_graded(frame, 1)
    assert not is_graded(frame, 2)


def test_distillation_standardises_the_teacher_and_skips_what_it_ties() -> None:
    candidates = pd.DataFrame({"query_id": ["a"] * 3 + ["b"] * 2, "doc_id": list("12312")})
    teacher = {("a", "1"): 10.0, ("a", "2"): 20.0, ("a", "3"): 30.0, ("b", "1"): 5.0, ("b", "2"): 5.0}
    found = distillation_lists(["a", "b"], candidates, teacher, 8, RNG(0))
    assert [item.query_id for item in found] == ["a"]
    golden = dict(zip("123", [-1.224744871, 0.0, 1.224744871], strict=True))  # (x - 20) / sqrt(200 / 3)
    assert dict(zip(found[0].doc_ids, found[0].targets, strict=True)) == pytest.approx(golden)
