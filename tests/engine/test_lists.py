import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.training.lists import (
    Judged,
    TrainingList,
    contrastive_lists,
    distillation_lists,
    is_graded,
    joint_lists,
    judged_material,
)

RNG = np.random.default_rng


def test_every_list_has_a_positive_and_the_asked_size() -> None:
    material = [Judged("q", (("p1", 3), ("p2", 1)), (("n1", 0), ("n2", 0)), tuple(f"u{i}" for i in range(9)))]
    for seed in range(20):
        listwise = contrastive_lists(material, 6, "listwise", RNG(seed))[0]
        lce = contrastive_lists(material, 6, "lce", RNG(seed))[0]
        assert len(listwise.doc_ids) == len(lce.doc_ids) == 6
        assert sum(gain > 0 for gain in lce.targets) == 1
        assert sum(gain > 0 for gain in listwise.targets) == 2
        assert len(set(listwise.doc_ids)) == 6


def test_a_list_without_a_positive_is_refused_by_name() -> None:
    with pytest.raises(RerankError, match="list_without_positive"):
        contrastive_lists([Judged("q", (("p", 0),), (("n", 0),), ())], 4, "lce", RNG(0))


def test_queries_that_teach_nothing_are_left_out() -> None:
    judgments = pd.DataFrame({"query_id": ["a", "b", "c"], "doc_id": ["1", "1", "1"], "grade": [1, 0, 1]})
    candidates = pd.DataFrame({"query_id": ["a"], "doc_id": ["2"]})
    assert [item.query_id for item in judged_material(["a", "b", "c"], judgments, candidates, 1)] == ["a"]


def test_grades_are_noticed() -> None:
    assert is_graded(pd.DataFrame({"grade": [0, 1, 2]}))
    assert not is_graded(pd.DataFrame({"grade": [0, 2, 2]}))


def test_a_grade_below_what_is_called_relevant_still_counts_as_the_measures_gain() -> None:
    """nDCG tells a 1 from a 0 whatever the threshold: so must the loss that has gains."""
    judgments = pd.DataFrame({"query_id": ["q"] * 4, "doc_id": list("abcd"), "grade": [2, 1, 1, 0]})
    candidates = pd.DataFrame({"query_id": ["q"], "doc_id": ["e"]})
    material = judged_material(["q"], judgments, candidates, 2)
    (listwise,) = contrastive_lists(material, 8, "listwise", RNG(0))
    golden = {"a": 2.0, "b": 1.0, "c": 1.0, "d": 0.0, "e": 0.0}
    assert dict(zip(listwise.doc_ids, listwise.targets, strict=True)) == golden
    (lce,) = contrastive_lists(material, 8, "lce", RNG(0))
    assert sorted(lce.targets) == [0.0, 0.0, 0.0, 0.0, 2.0]


def test_distillation_standardises_the_teacher_and_skips_what_it_ties() -> None:
    candidates = pd.DataFrame({"query_id": ["a"] * 3 + ["b"] * 2, "doc_id": list("12312")})
    teacher = {("a", "1"): 10.0, ("a", "2"): 20.0, ("a", "3"): 30.0, ("b", "1"): 5.0, ("b", "2"): 5.0}
    found = distillation_lists(["a", "b"], candidates, teacher, 8, RNG(0))
    assert [item.query_id for item in found] == ["a"]
    golden = dict(zip("123", [-1.224744871, 0.0, 1.224744871], strict=True))  # (x - 20) / sqrt(200 / 3)
    assert dict(zip(found[0].doc_ids, found[0].targets, strict=True)) == pytest.approx(golden)


def test_unjudged_candidates_that_look_like_the_positive_are_no_negatives() -> None:
    judgments = pd.DataFrame({"query_id": ["q"], "doc_id": ["p"], "grade": [1]})
    candidates = pd.DataFrame({"query_id": ["q"] * 5, "doc_id": ["p", "a", "b", "c", "d"]})
    near = {("q", "p"): 0.8, ("q", "a"): 0.77, ("q", "b"): 0.75, ("q", "c"): 0.2, ("q", "d"): 0.1}
    assert judged_material(["q"], judgments, candidates, 1)[0].unjudged == ("a", "b", "c", "d")
    # 0.95 * 0.8 = 0.76: only `a` reaches it.
    assert judged_material(["q"], judgments, candidates, 1, near, 0.95)[0].unjudged == ("b", "c", "d")
    assert judged_material(["q"], judgments, candidates, 1, near, 0.0)[0].unjudged == ("a", "b", "c", "d")


def test_a_similarity_that_suspects_everything_drops_half_at_most() -> None:
    judgments = pd.DataFrame({"query_id": ["q"], "doc_id": ["p"], "grade": [1]})
    candidates = pd.DataFrame({"query_id": ["q"] * 4, "doc_id": list("abcd")})
    near = {("q", "p"): 0.1, ("q", "a"): 0.5, ("q", "b"): 0.9, ("q", "c"): 0.7, ("q", "d"): 0.6}
    assert judged_material(["q"], judgments, candidates, 1, near, 0.95)[0].unjudged == ("a", "d")


def test_joint_lists_carry_their_own_loss_and_all_of_them_are_there() -> None:
    judged = [TrainingList(str(i), ("a", "b"), (1.0, 0.0)) for i in range(5)]
    taught = [TrainingList(str(i), ("a", "b"), (0.3, -0.3)) for i in range(3)]
    both = joint_lists(judged, ("lce", "kl"), taught, RNG(0))
    assert sorted((item.query_id, item.loss) for item in both) == sorted(
        [(str(i), "lce") for i in range(5)] + [(str(i), "kl") for i in range(3)]
    )
    assert both != joint_lists(judged, ("lce", "kl"), taught, RNG(1))
