"""User text that is shown or exported can do nothing but be read."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank.report.spreadsheets import csv_bytes
from rerank.ui.safe import hover, markdown, plain, unlinked

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def cells_of(frame: pd.DataFrame) -> list[list[str]]:
    """A frame as a spreadsheet reads its CSV."""
    return list(csv.reader(io.StringIO(csv_bytes(frame).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("letter", [*TURNING, "\u200b", "\ufeff"])
def test_what_turns_or_hides_text_is_dropped(letter: str) -> None:
    assert plain(f"a{letter}b") == "ab"


@pytest.mark.parametrize("letter", ["\x00", "\t", "\n", "\r", "\x1b", "\x7f", "\x85"])
def test_a_control_character_becomes_a_space(letter: str) -> None:
    assert plain(f"a{letter}b") == "a b"


def test_letters_of_every_script_stay() -> None:
    text = "パスワード 再設定 – naïve Ωμέγα 👩‍💻 עברית"
    assert plain(text) == text


def test_text_is_cut_with_an_ellipsis_to_the_limit() -> None:
    assert plain("abcdef", 6) == "abcdef"
    assert plain("abcdefg", 6) == "abcde…"
    assert plain(12.5) == "12.5"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](https://evil.example/a.png)", r"\!\[x\]\(https\://evil\.example/a\.png\)"),
        ("<img src=x>", r"\<img src\=x\>"),
        (":red[hot] :material/bolt:", r"\:red\[hot\] \:material/bolt\:"),
        ("$x^2$ `code` **bold** ~~gone~~", r"\$x\^2\$ \`code\` \*\*bold\*\* \~\~gone\~\~"),
        ("# title", r"\# title"),
        ("a@b.example", r"a\@b\.example"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markdown_is_shown_as_it_was_written(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_an_address_is_taken_apart_where_nothing_may_be_a_link() -> None:
    assert unlinked("see https://evil.example") == "see https\\:\u2060//evil\\.example"
    assert unlinked("WWW.evil.example a@b.example") == "WWW\u2060\\.evil\\.example a\\@\u2060b\\.example"
    assert unlinked("plain *words*") == markdown("plain *words*")


def test_a_limit_counts_what_is_read_and_not_the_escapes() -> None:
    assert markdown("****", 4) == r"\*\*\*\*"
    assert markdown("*****", 4) == r"\*\*\*…"


def test_what_floats_over_a_figure_is_no_html() -> None:
    assert hover("<b>\u202ex</b>") == "&lt;b&gt;x&lt;/b&gt;"


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-"])
def test_a_cell_that_starts_a_formula_is_text(cell: str) -> None:
    assert cells_of(pd.DataFrame({"a": [cell]}))[1] == ["'" + cell]


@pytest.mark.parametrize("cell", ["-0.125", "+3", "-1e-05", "q=1", "a-b", "", "−0.125"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert cells_of(pd.DataFrame({"a": [cell], "b": ["x"]}))[1] == [cell, "x"]


def test_numbers_as_numbers_and_heads_are_exported_too() -> None:
    frame = pd.DataFrame({"=head": [-0.5, 2.0], "ok": [True, False], "クエリ": ["表", "b,c"]})
    assert cells_of(frame) == [["'=head", "ok", "クエリ"], ["-0.5", "True", "表"], ["2.0", "False", "b,c"]]


def test_a_frame_is_not_changed_by_its_export() -> None:
    frame = pd.DataFrame({"a": ["=1"]})
    csv_bytes(frame)
    assert frame["a"].tolist() == ["=1"]


@given(st.text())
def test_no_text_whatever_starts_a_formula(text: str) -> None:
    cell = cells_of(pd.DataFrame({"a": [text], "b": ["x"]}))[1][0]
    try:
        float(cell)
    except ValueError:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
