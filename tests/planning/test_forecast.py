"""The forecast's arithmetic, by hand."""

import pytest

from rerank.planning.forecast import HIGH, LOW, START_SECONDS, Speed, Work, forecast


def test_time_is_tokens_over_speed_with_a_range_around_it() -> None:
    speed = Speed(
        "cpu",
        "a",
        score_tokens_per_second=1000,
        train_tokens_per_second=200,
        tokens_per_scored_pair=150,
        tokens_per_trained_pair=100,
    )
    found = forecast(speed, Work(trained_pairs=50, scored_pairs=60, encoded_texts=40))
    # 50 pairs of 100 tokens at 200 a second, then 60 pairs of 150 and 40 texts of 100 at 1,000
    assert found.seconds == pytest.approx(START_SECONDS + 25 + 9 + 4)
    assert (found.seconds_low, found.seconds_high) == pytest.approx((LOW * found.seconds, HIGH * found.seconds))
    assert (found.trained_pairs, found.scored_pairs) == (50, 60)
