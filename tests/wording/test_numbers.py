"""Numbers as people read them: the same in every language, and nothing that was not computed looks like a zero."""

import pytest

from rerank.wording import numbers
from rerank.wording.language import speaker

EN, JA = speaker("en"), speaker("ja")


def test_what_was_not_computed_is_a_dash_and_never_a_zero() -> None:
    shown = [
        numbers.score(None),
        numbers.delta(None),
        numbers.interval(None, 0.1),
        numbers.interval(0.1, None),
        numbers.p_value(None),
        numbers.usd(None),
        numbers.share(None),
        numbers.milliseconds(None),
        numbers.duration(None, JA),
    ]
    assert shown == [numbers.NOTHING] * len(shown)


@pytest.mark.parametrize(("value", "shown"), [(0.61249, "0.612"), (1.0, "1.000"), (0.0, "0.000")])
def test_a_score_has_three_decimals(value: float, shown: str) -> None:
    assert numbers.score(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.0417, "+0.042"), (-0.0082, "−0.008"), (0.0, "+0.000")])
def test_a_difference_has_its_sign(value: float, shown: str) -> None:
    assert numbers.delta(value) == shown


def test_an_interval_has_both_signs() -> None:
    assert numbers.interval(-0.0082, 0.0916) == "[−0.008, +0.092]"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.05, ".050"), (0.001, ".001"), (0.00099, "< .001"), (0.0, "< .001"), (1.0, "1.000")]
)
def test_a_p_value_is_never_zero(value: float, shown: str) -> None:
    assert numbers.p_value(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "$0"),
        (0.000001, "< $0.00001"),
        (0.000512, "$0.00051"),
        (0.0123, "$0.012"),
        (3.14159, "$3.14"),
        (12345.6, "$12,346"),
        (-0.4, "−$0.400"),
        (-0.000001, "> −$0.00001"),
    ],
)
def test_an_amount_has_as_many_digits_as_it_takes_to_see_it(value: float, shown: str) -> None:
    assert numbers.usd(value) == shown


def test_a_count_sets_thousands_apart() -> None:
    assert numbers.count(12345) == "12,345"


def test_a_share_is_in_per_cent() -> None:
    assert numbers.share(0.873) == "87%"


@pytest.mark.parametrize(("value", "shown"), [(3.21, "3.2 ms"), (42.4, "42 ms"), (1234.0, "1,234 ms")])
def test_a_latency_is_in_milliseconds(value: float, shown: str) -> None:
    assert numbers.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (42.4, "42 s", "42秒"),
        (90, "1.5 min", "1.5分"),
        (330, "5.5 min", "5.5分"),
        (597, "10 min", "10分"),
        (5399, "90 min", "90分"),
        (5400, "1.5 h", "1.5時間"),
    ],
)
def test_a_time_span_has_the_unit_that_fits(seconds: float, english: str, japanese: str) -> None:
    assert numbers.duration(seconds, EN) == english
    assert numbers.duration(seconds, JA) == japanese
