"""Windows: every way of asking makes a complete ordering, with as many questions as it says."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank.teacher.windows import MODES, WINDOW, Unordered, expected_windows


class Judge:
    """Orders windows by fixed gains, and counts what it is asked and how often it must be waited for."""

    def __init__(self, gains: Sequence[float]) -> None:
        self.gains = gains
        self.sizes: list[int] = []
        self.n_rounds = 0

    def __call__(self, windows: Sequence[Sequence[int]]) -> list[list[int]]:
        self.n_rounds += 1
        self.sizes += [len(window) for window in windows]
        return [sorted(window, key=lambda document: -self.gains[document]) for window in windows]


@pytest.mark.parametrize(("n", "n_calls"), [(1, 0), (2, 1), (20, 1), (21, 2), (30, 2), (50, 4), (100, 9)])
def test_windows_of_20_with_step_10(n: int, n_calls: int) -> None:
    """Published counts: 1 call for 20 candidates, 4 for 50, 9 for 100."""
    judge = Judge(np.random.default_rng(n).permutation(n).tolist())
    MODES["windows"](n, judge)
    assert len(judge.sizes) == n_calls
    assert judge.n_rounds == n_calls  # each waits for the one before
    assert judge.sizes == [len(window) for window in expected_windows("windows", n)]


@pytest.mark.parametrize("mode", MODES)
@given(st.integers(1, 120), st.integers(0, 99))
def test_a_perfect_teacher_puts_the_ten_best_first(mode: str, n: int, seed: int) -> None:
    gains = np.random.default_rng(seed).permutation(n).tolist()
    judge = Judge(gains)
    order = MODES[mode](n, judge)
    assert sorted(order) == list(range(n))
    best = sorted(range(n), key=lambda document: -gains[document])
    assert order[:9] == best[:9]
    if mode == "windows":
        assert order[:10] == best[:10]
    if mode != "single":
        assert max(judge.sizes, default=0) <= WINDOW


@pytest.mark.parametrize("mode", MODES)
@given(st.integers(1, 90), st.integers(0, 99))
def test_a_random_teacher_makes_a_complete_ordering_and_comes_to_an_end(mode: str, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = MODES[mode](n, lambda windows: [[window[i] for i in rng.permutation(len(window))] for window in windows])
    assert sorted(order) == list(range(n))


def test_partitions_ask_less_when_the_first_stage_is_good_and_wait_less_often() -> None:
    """Parry et al. 2024: about a third fewer questions for 100 candidates; those of one round go out together."""
    judge = Judge([-document for document in range(100)])
    MODES["partitions"](100, judge)
    assert len(judge.sizes) == 6  # 1 + ceil(80 / 19); nothing beat the pivot
    assert judge.n_rounds == 2


def test_a_window_without_an_ordering_leaves_the_list_without_one() -> None:
    for order in MODES.values():
        with pytest.raises(Unordered):
            order(30, lambda windows: [None for _ in windows])
