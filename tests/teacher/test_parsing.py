"""Answers of language models: a complete ordering with its repairs counted, or a named failure."""

import json
from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank.teacher.parsing import NoAnswer, Ordering, expected_grade, parse_grade, parse_ordering

REASONS = {"empty", "no_order", "too_few_named"}


def test_every_real_answer_is_a_complete_ordering_or_a_named_failure(collections: Path) -> None:
    """Of 800 published answers the 300 that are whole need no repair, and none of the 500 others passes as whole."""
    lines = (collections / "teacher_outputs" / "listwise_responses.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 800
    for row in rows:
        found = parse_ordering(row["response"], row["n_passages"])
        if isinstance(found, NoAnswer):
            assert found.reason in REASONS
            assert not row["valid_permutation"]
            continue
        assert sorted(found.order) == list(range(row["n_passages"]))
        assert row["valid_permutation"] == (not found.repairs), row["response"]


@pytest.mark.parametrize(
    ("answer", "order", "repairs"),
    [
        ("[3] > [1] > [2]", (2, 0, 1), {}),
        ("[3]>[1]>\n[2]\n", (2, 0, 1), {}),
        ("3] > [1] > [2]", (2, 0, 1), {"format": 1}),  # the answer goes on from a "[" that the prompt ended with
        ("3 > 1 > 2", (2, 0, 1), {"format": 1}),
        ("［３］＞【１】＞[2]", (2, 0, 1), {"format": 1}),
        ("1. [3]\n2. [1]\n3. [2]", (2, 0, 1), {"format": 1}),
        ("1. [3] > 2. [1] > 3. [2]", (2, 0, 1), {"format": 1}),
        ("[3, 1, 2]", (2, 0, 1), {"format": 1}),
        ('```json\n{"ranking": [3, 1, 2]}\n```', (2, 0, 1), {"format": 1}),
        ("Here it is:\n\n**[3] > [1] > [2]**\n\nI put [3] first.", (2, 0, 1), {"format": 1}),
        ("<think>[1] > [2] > [3], or not?</think>[3] > [1] > [2]", (2, 0, 1), {"format": 1}),
        ("One says “[1] > [2]”. My ranking: [3] > [1] > [2]", (2, 0, 1), {"format": 1}),
        ("One says “[1] > [2] > [3]”. My ranking: [3] > [1] > [2]", (2, 0, 1), {"format": 1}),
        ("[3] > [1] > [3] > [2]", (2, 0, 1), {"repeated": 1, "format": 0}),
        ("[3] > [9] > [1] > [2]", (2, 0, 1), {"unknown": 1}),
        ("[3] > [1]", (2, 0, 1), {"missing": 1}),
        ("[3] > [1] > [2", (2, 0, 1), {"missing": 1, "cut": 1, "format": 1}),  # [2, or the beginning of [20]
    ],
)
def test_an_answer_is_read(answer: str, order: tuple[int, ...], repairs: dict[str, int]) -> None:
    found = parse_ordering(answer, 3)
    assert isinstance(found, Ordering)
    assert found.order == order
    assert found.repairs == {name: count for name, count in repairs.items() if count}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "empty"),
        (" \n", "empty"),
        ("<think>[1] > [2] > [3]", "empty"),  # it never stopped thinking
        ("20 passages are provided.", "no_order"),
        ("I cannot rank these documents.", "no_order"),
        ("Home / News / Industry News / What", "no_order"),
        ("[7] > [8] > [9] > [10]", "no_order"),
        ("It costs >1 2> or so", "no_order"),  # numbers without a sign between them
        ("[1] > [2] >", "too_few_named"),
        ("The best ones are [1], [2] and nothing else.", "too_few_named"),
    ],
)
def test_an_answer_without_an_ordering_says_why(answer: str | None, reason: str) -> None:
    assert parse_ordering(answer, 6) == NoAnswer(reason)


@given(st.text(max_size=400), st.integers(1, 30))
def test_any_text_is_a_complete_ordering_or_a_named_failure(text: str, n: int) -> None:
    found = parse_ordering(text, n)
    if isinstance(found, NoAnswer):
        assert found.reason in REASONS
    else:
        assert sorted(found.order) == list(range(n))


@given(st.permutations(range(1, 21)), st.sampled_from([" > ", ">", " >\n", "\n", ", ", " "]), st.booleans())
def test_a_whole_ordering_is_read_as_it_stands(order: list[int], between: str, has_words: bool) -> None:
    text = between.join(f"[{number}]" for number in order)
    found = parse_ordering(f"The ranking is: {text}\nDone." if has_words else text, 20)
    assert isinstance(found, Ordering)
    assert found.order == tuple(number - 1 for number in order)
    assert not set(found.repairs) - {"format"}


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=6), st.integers(0, 5), st.data())
def test_repairs_are_counted_one_by_one(order: list[int], again: list[int], n_lost: int, data: st.DataObject) -> None:
    """Lost documents are missing, named again is repeated, and the first mention counts."""
    kept = order[: len(order) - n_lost]
    again = [number for number in again if number in kept]
    found = parse_ordering(" > ".join(f"[{number}]" for number in kept + again), 12)
    assert isinstance(found, Ordering)
    expected = {"repeated": len(again), "missing": n_lost}
    assert found.repairs == {name: count for name, count in expected.items() if count}
    assert found.order[: len(kept)] == tuple(number - 1 for number in kept)
    assert list(found.order[len(kept) :]) == sorted(number - 1 for number in order[len(kept) :])


@given(st.sampled_from(["[", "[ ", "<think>", "1 ", "1, ", "1. ", " ", "> ", "[1] ", "</think>", "9 > "]))
def test_a_long_answer_takes_no_long_time(part: str) -> None:
    parse_ordering(part * 20_000 + "x", 20)  # hypothesis fails a run of more than 200 ms


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ("2", 2.0),
        (" 3.", 3.0),
        ("Grade: 1", 1.0),
        ('{"grade": 0}', 0.0),
        ("２", 2.0),
        ("On a scale of 0-3 it is a 2", 2.0),
        ("<think>3?</think>1", 1.0),
        ("段階は2です", NoAnswer("no_grade")),
        ("7", NoAnswer("no_grade")),
        ("1.5", NoAnswer("no_grade")),
        ("no grade", NoAnswer("no_grade")),
        ("", NoAnswer("empty")),
    ],
)
def test_a_grade_is_read(answer: str, grade: float | NoAnswer) -> None:
    assert parse_grade(answer) == grade


def test_the_expected_grade_weighs_grades_by_their_probabilities() -> None:
    """0.5, 0.3 and 0.1 for 3, 2 and 0 of 0.9 in all: (1.5 + 0.6) / 0.9 = 2.3333."""
    answer = [{"3": log(0.5), "2": log(0.3), "0": log(0.1), "maybe": log(0.1)}]
    assert expected_grade(answer) == pytest.approx(2.1 / 0.9)
    prose = {"Grade": log(0.9), "2": log(0.1)}
    assert expected_grade([prose, *answer]) == pytest.approx(2.1 / 0.9)
    assert expected_grade([{" 3": log(0.6), "3": log(0.2), "１": log(0.2)}]) == pytest.approx(2.6)
    assert expected_grade([prose]) is None
    assert expected_grade([]) is None


@given(st.lists(st.dictionaries(st.text(max_size=4), st.floats(-100, 5)), max_size=4))
def test_the_expected_grade_lies_between_0_and_3(tokens: list[dict[str, float]]) -> None:
    found = expected_grade(tokens)
    assert found is None or 0.0 <= found <= 3.0
