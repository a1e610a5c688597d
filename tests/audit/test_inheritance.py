"""What a student took over from its teacher: hand calculations, scipy, and students of known character."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rerank.audit.biases import preference, preference_difference, preferences_of
from rerank.audit.inheritance import (
    contradictions,
    difference_of,
    finding_of,
    inheritance_of,
    shares_with_teacher,
)
from rerank.audit.intervals import Measured


def made(n_queries: int = 40, n_documents: int = 8, seed: int = 0) -> pd.DataFrame:
    """Judged pairs and a teacher that likes long documents and sees the grades through noise."""
    rng = np.random.default_rng(seed)
    n = n_queries * n_documents
    grade, length = rng.integers(0, 3, n), rng.integers(20, 2000, n)
    return pd.DataFrame(
        {
            "query_id": np.repeat([f"q{number}" for number in range(n_queries)], n_documents),
            "doc_id": [f"d{number}" for number in range(n)],
            "rank": np.tile(np.arange(1, n_documents + 1), n_queries),
            "grade": grade,
            "teacher": grade + length / 500 + rng.standard_normal(n),
            "length": length,
            "overlap": rng.random(n),
        }
    )


# The human: w 2, x 1, y 0, z nobody judged. The teacher: y, z, x, w. All of the three judged pairs are turned round.
ALL_WRONG = pd.DataFrame(
    {"query_id": "a", "doc_id": list("wxyz"), "grade": [2, 1, 0, -1], "teacher": [1.0, 2.0, 4.0, 3.0]}
)
# The human: w 1, x 0, y 0. The teacher: x, w, y: one of two pairs is turned round.
ONE_WRONG = pd.DataFrame({"query_id": "b", "doc_id": list("wxy"), "grade": [1, 0, 0], "teacher": [2.0, 3.0, 1.0]})
AGREES = pd.DataFrame({"query_id": "c", "doc_id": list("wx"), "grade": [1, 0], "teacher": [2.0, 1.0]})
TIED = pd.DataFrame({"query_id": "d", "doc_id": list("wx"), "grade": [1, 0], "teacher": [1.0, 1.0]})
BY_HAND = pd.concat([ALL_WRONG, ONE_WRONG, AGREES, TIED], ignore_index=True)


def test_contradicted_pairs_are_judged_ones_that_the_teacher_turns_round() -> None:
    found = contradictions(BY_HAND)
    assert found.query_ids == ("a", "b")
    pairs = {
        (BY_HAND["doc_id"][one], BY_HAND["doc_id"][other])
        for one, other, query in zip(found.preferred, found.deserving, found.query, strict=True)
        if query == 0
    }
    assert pairs == {("y", "w"), ("y", "x"), ("x", "w")}
    assert found.error_share.tolist() == [1.0, 0.5, 0.0, 0.0]


def test_a_students_share_is_that_of_a_hand_calculation() -> None:
    # In a: y before x before w by the first training (3 of 3), w before y before x by the second (1 of 3).
    # In b: w before x (0 of 1), then the two tied (half).
    first = [1.0, 2, 3, 0] + [2.0, 1, 0] + [0.0, 0] * 2
    second = [3.0, 1, 2, 0] + [1.0, 1, 0] + [0.0, 0] * 2
    found = shares_with_teacher(contradictions(BY_HAND), np.array([first, second]))
    assert found == pytest.approx(np.array([[1.0, 0.0], [1 / 3, 0.5]]))


def test_who_copies_the_teacher_has_one_and_who_copies_the_labels_has_zero() -> None:
    rows = made()
    scores = {"C": rows["grade"].to_numpy(dtype=float)[None], "D": rows["teacher"].to_numpy()[None]}
    found = inheritance_of(rows, scores, {"D": "C"}, 1)
    assert (found["strategies"]["C"]["sides"]["value"], found["strategies"]["D"]["sides"]["value"]) == (0.0, 1.0)
    assert found["strategies"]["D"]["difference"]["value"] == 1.0
    assert (found["strategies"]["D"]["finding"], found["strategies"]["C"]["finding"]) == ("inherited", None)
    assert found["strategies"]["D"]["length"] == found["teacher"]["length"]


def test_the_difference_of_single_trainings_has_the_paired_t_interval() -> None:
    rng = np.random.default_rng(3)
    control, student = rng.random((1, 30)), rng.random((1, 30)) * 0.5 + 0.3
    found = difference_of(control, student)
    golden = stats.ttest_rel(student[0], control[0])
    interval = golden.confidence_interval(0.95)
    assert found.value == pytest.approx((student - control).mean())
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


def test_trainings_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    control, student = rng.random((3, 30)), rng.random((3, 30))
    lucky = student + np.array([[-0.2], [0.0], [0.2]])
    found = difference_of(control, student), difference_of(control, lucky)
    widths = [item.ci_high - item.ci_low for item in found if item.ci_high is not None and item.ci_low is not None]
    assert widths[1] > 1.5 * widths[0]
    assert found[0].value == pytest.approx(found[1].value)


@pytest.mark.parametrize(
    ("difference", "finding"),
    [
        (Measured(0.2, 0.1, 0.3, 40), "inherited"),
        (Measured(0.2, -0.1, 0.5, 40), "not_shown"),
        (Measured(-0.2, -0.3, -0.1, 40), "fewer"),
        (Measured(0.9, None, None, 14), "too_few_queries"),
        (Measured(), "too_few_queries"),
        (None, "no_control"),
    ],
)
def test_errors_are_inherited_only_where_the_interval_lies_above_zero(
    difference: Measured | None, finding: str
) -> None:
    assert finding_of(difference) == finding


def test_a_student_unrelated_to_its_teacher_is_not_said_to_have_inherited() -> None:
    rows = made(60)
    rng = np.random.default_rng(7)
    scores = {name: rows["grade"].to_numpy() + rng.standard_normal((2, len(rows))) for name in ("C", "D")}
    found = inheritance_of(rows, scores, {"D": "C"}, 1)["strategies"]["D"]
    assert found["finding"] == "not_shown"
    assert found["difference"]["ci_low"] < 0 < found["difference"]["ci_high"]
    assert abs(found["length_difference"]["value"]) < 0.1


def test_a_student_that_learned_to_like_long_documents_shows_it_against_its_control() -> None:
    rows = made(60)
    rng = np.random.default_rng(8)
    honest = rows["grade"].to_numpy() + 0.5 * rng.standard_normal((2, len(rows)))
    found = inheritance_of(rows, {"C": honest, "D": honest + rows["length"].to_numpy() / 500}, {"D": "C"}, 1)
    student = found["strategies"]["D"]
    assert student["finding"] == "inherited"
    assert student["length_difference"]["ci_low"] > 0.3
    assert student["lexical_difference"]["ci_low"] < 0 < student["lexical_difference"]["ci_high"]


def test_a_difference_of_preferences_within_one_group_is_that_of_two_spearman_correlations() -> None:
    rows = made(1, 30).assign(grade=1)
    rows["C"] = np.random.default_rng(5).standard_normal(len(rows))
    golden = [stats.spearmanr(rows[name], rows["length"]).statistic for name in ("C", "teacher")]
    without, with_teacher = (preferences_of(rows, "length", [name]) for name in ("C", "teacher"))
    found = preference_difference(without, with_teacher, 1)
    assert found == Measured(pytest.approx(golden[1] - golden[0]), None, None, 1)


def test_a_difference_of_preferences_is_paired() -> None:
    rows = made(60)
    rows["D"] = rows["teacher"] + 0.01 * np.random.default_rng(6).standard_normal(len(rows))
    of_teacher, of_student = (preferences_of(rows, "length", [name]) for name in ("teacher", "D"))
    alone = preference(of_teacher, 1)
    found = preference_difference(of_teacher, of_student, 1)
    assert found.value == pytest.approx(preference(of_student, 1).value - alone.value)  # type: ignore[operator]
    assert found.ci_high - found.ci_low < 0.2 * (alone.ci_high - alone.ci_low)  # type: ignore[operator]


def test_several_trainings_of_a_strategy_count_together() -> None:
    rows = made(30).assign(again=lambda frame: -frame["teacher"])
    assert preference(preferences_of(rows, "length", ["teacher", "again"]), 1).value == pytest.approx(0)
    assert preference(preferences_of(rows, "length", ["teacher", "teacher"]), 1) == preference(
        preferences_of(rows, "length"), 1
    )


def test_without_a_contradicted_pair_nothing_is_measured() -> None:
    rows = made(20).assign(teacher=lambda frame: frame["grade"].astype(float))
    found = inheritance_of(rows, {"C": np.ones((1, len(rows))), "D": np.ones((1, len(rows)))}, {"D": "C"}, 1)
    assert (found["n_pairs"], found["teacher"]["error"]["value"]) == (0, 0.0)
    assert found["strategies"]["D"]["sides"]["value"] is None
    assert found["strategies"]["D"]["finding"] == "too_few_queries"
