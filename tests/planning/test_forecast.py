"""The forecast's arithmetic, by hand."""

import pytest

from rerank.planning.forecast import (
    HIGH,
    LANE_SECONDS,
    LOW,
    START_SECONDS,
    Speed,
    Training,
    Work,
    forecast,
    saved_side_by_side,
    seconds_side_by_side,
)


def speed_of(kind: str) -> Speed:
    return Speed(
        kind,
        "a",
        score_tokens_per_second=1000,
        train_tokens_per_second=200,
        tokens_per_scored_pair=150,
        tokens_per_trained_pair=100,
    )


def test_time_is_tokens_over_speed_with_a_range_around_it() -> None:
    found = forecast(speed_of("cpu"), Work(trained_pairs=50, scored_pairs=60, encoded_texts=40))
    # 50 pairs of 100 tokens at 200 a second, then 60 pairs of 150 and 40 texts of 100 at 1,000
    assert found.seconds == pytest.approx(START_SECONDS + 25 + 9 + 4)
    assert (found.seconds_low, found.seconds_high) == pytest.approx((LOW * found.seconds, HIGH * found.seconds))
    assert (found.trained_pairs, found.scored_pairs) == (50, 60)


def test_lanes_take_the_first_stage_that_can_begin() -> None:
    # C 4 s and D 2 s begin; D→C 3 s follows D in the second lane (2 to 5), C→D 3 s follows C (4 to 7)
    assert seconds_side_by_side([4, 2, 3, 3], [None, None, 1, 0], 2) == pytest.approx(7)
    assert seconds_side_by_side([4, 2, 3, 3], [None, None, 1, 0], 1) == pytest.approx(12)
    assert seconds_side_by_side([1, 1], [None, 0], 4) == pytest.approx(2), "a child waits for its parent"
    assert seconds_side_by_side([], [], 2) == 0


def test_trainings_side_by_side_save_time_where_one_does_not_fill_the_device() -> None:
    two = [Training(200, 20), Training(200, 20)]  # each 100 s, and 3 s of development tests
    # CPU: each lane needs 100 s, and twice as long for its tests, with half of the threads
    assert saved_side_by_side(speed_of("cpu"), two, 2) == pytest.approx(2 * 103 - (100 + 6) - LANE_SECONDS)
    # GPU: at best 103 s less; half of it is expected, and the range begins where all of it is saved
    saved = saved_side_by_side(speed_of("cuda"), two, 2)
    assert saved == pytest.approx(103 - LANE_SECONDS)
    alone = forecast(speed_of("cuda"), Work(400, 40, 0))
    beside = forecast(speed_of("cuda"), Work(400, 40, 0), saved)
    assert beside.seconds == pytest.approx(alone.seconds - saved / 2)
    assert beside.seconds_low == pytest.approx(LOW * (alone.seconds - saved))
    assert beside.seconds_high == pytest.approx(HIGH * beside.seconds)
    on_cpu = forecast(speed_of("cpu"), Work(400, 40, 0), 50.0)
    assert (on_cpu.seconds, on_cpu.seconds_low) == pytest.approx((alone.seconds - 50, LOW * (alone.seconds - 50)))
    assert saved_side_by_side(speed_of("cpu"), two, 1) == 0
    assert saved_side_by_side(speed_of("cpu"), [Training(2, 0)], 2) == 0, "never more time"
