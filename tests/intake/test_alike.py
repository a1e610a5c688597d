"""Near-duplicate queries: found exactly, grouped whole, and never a group that swallows the log."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from rerank.intake.alike import NearIndex, groups_of
from rerank.intake.near_duplicates import near_pairs


def shingles(text: str) -> set[str]:
    plain = "".join(text.split())
    return {plain[place : place + 3] for place in range(max(1, len(plain) - 2))}


def similarity(one: str, two: str) -> float:
    return len(shingles(one) & shingles(two)) / len(shingles(one) | shingles(two))


WORDS = st.lists(
    st.sampled_from("red reds blue shoe shoes for kids kid cheap hat hats".split()), min_size=1, max_size=6
)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=25)


@given(texts=TEXTS)
def test_every_pair_is_found_and_no_other(texts: list[str]) -> None:
    """Against all pairs counted out."""
    expected = {}
    for one, two in combinations(range(len(texts)), 2):
        if similarity(texts[one], texts[two]) >= 0.8:
            expected.setdefault(two, one)
    assert NearIndex(texts).pairs() == [(one, two) for two, one in sorted(expected.items())]


@given(texts=TEXTS)
def test_groups_hold_every_text_once_and_do_not_depend_on_chance(texts: list[str]) -> None:
    found = groups_of(texts)
    assert sorted(place for group in found.places for place in group) == list(range(len(texts)))
    assert [group[0] for group in found.places] == sorted(min(group) for group in found.places)
    if not found.n_divided:
        group_of = {place: group for group in found.places for place in group}
        for one, two in combinations(range(len(texts)), 2):
            assert similarity(texts[one], texts[two]) < 0.8 or group_of[one] == group_of[two]


def test_it_finds_what_minhash_finds() -> None:
    texts = ["how do I reset my password", "How do I  reset my password?", "weather in Rome", "パスワードの再設定方法"]
    texts += ["パスワードの再設定方法は", "iphone 13 leather case black", "iphone 14 leather case black"]
    assert NearIndex(texts).pairs() == near_pairs(texts, shingle=3) == [(0, 1), (3, 4)]


def test_two_that_are_alike_through_a_third_are_one_group() -> None:
    """Of 10, 12 and 15 runs, each set in the next: 10/12 and 12/15 are alike, 10/15 is not."""
    chain = ["abcdefghijkl", "abcdefghijklmn", "abcdefghijklmnopq"]
    assert [similarity(one, two) for one, two in combinations(chain, 2)] == [10 / 12, 10 / 15, 12 / 15]
    assert groups_of([*chain, "something else"]).places == ((0, 1, 2), (3,))


def test_a_chain_that_would_swallow_the_log_is_divided_and_said() -> None:
    """Windows of 30 letters, each moved by one: neighbours share nearly all their runs, far ones nothing."""
    letters = "thequickbrownfoxjumpsoverlazydogswhilesevenwizardsbakeplumcakesnearoldharbourwalls"
    chain = [letters[place : place + 30] for place in range(40)]
    assert all(0.9 < similarity(one, two) < 0.97 for one, two in pairwise(chain))
    others = [f"{a}{b}{a}{b}{b}" for a, b in combinations("qwertyuiopasd", 2)]
    found = groups_of([*chain, *others])
    assert found.n_divided == 40
    assert found.largest <= max(5, len(chain + others) // 10)
    assert groups_of(chain[:5]).places == ((0, 1, 2, 3, 4),)


def test_equal_texts_stay_together_however_many() -> None:
    found = groups_of(["Red shoes", "red  SHOES", "ｒｅｄ shoes"] * 10 + ["hat"])
    assert [len(group) for group in found.places] == [30, 1]
