"""Prose, tables and figures cannot disagree: all are read back and compared with the comparison they show."""

import dataclasses
import html
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank.figures.forest import forest
from rerank.figures.stability import stability_forest
from rerank.stats.compare import Scores, compare
from rerank.wording.firmness import (
    stability_sentence,
    stability_table,
    unjudged_questions_table,
    unjudged_sentence,
)
from rerank.wording.language import LANGUAGES, Say, speaker
from rerank.wording.tables import comparison_table
from rerank.wording.verdicts import comparison_sentence, verdict_name

# What a reader takes from a sentence, written down here and not taken from the code that makes the sentences.
SAID = {
    "en": {
        "better": r"C is better than First stage: ",
        "worse": r"C is worse than First stage: ",
        "equivalent": r"C and First stage are equivalent within ",
        "not_worse": r"C is not worse than First stage by more than ",
        "inconclusive": r"The data do not say whether C differs from First stage: ",
        "identical": r"C and First stage have the same ",
        "not_comparable": r"C and First stage cannot be compared",
    },
    "ja": {
        "better": "Cは第一段検索を上回ります",
        "worse": "Cは第一段検索を下回ります",
        "equivalent": "Cと第一段検索.*同等",
        "not_worse": "超えて下回ることはありません",
        "inconclusive": "差があるかどうか、このデータからは判断できません",
        "identical": "すべてのクエリで.*一致しました",
        "not_comparable": "比較できません",
    },
}
DIFFERENCE = re.compile(r"[+−]\d\.\d{3}")
INTERVAL = re.compile(r"\[([+−]\d\.\d{3}), ([+−]\d\.\d{3})\]")


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A comparison of random scores, as it stands in `result.json`."""
    n = draw(st.sampled_from([5, 20, 60]))
    n_seeds = draw(st.sampled_from([1, 3]))
    mean = draw(st.sampled_from([-0.2, -0.03, -0.004, 0.0, 0.004, 0.03, 0.2]))
    sd = draw(st.sampled_from([0.0, 0.004, 0.05, 0.3]))
    margin = draw(st.sampled_from([0.005, 0.02, 0.1]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    first = rng.uniform(0.3, 0.6, (1, n))
    ids = tuple(f"q{number}" for number in range(n))
    found = compare(
        Scores("first-stage", ids, first, "c", trained=False),
        Scores("C", ids, first + mean + sd * rng.standard_normal((n_seeds, n)), "c", trained=True),
        measure="nDCG@10",
        margin=margin,
        alpha=0.05,
        confirmatory=True,
        rng_seed=1,
        verdict_only=True,
    )
    return dataclasses.asdict(found)


def shown(value: float) -> str:
    """A difference as people read it: sign, three decimals."""
    return f"{value:+.3f}".replace("-", "−")


def verdict_of(sentence: str, language: str) -> str:
    """The verdict that a reader takes from a sentence; exactly one."""
    found = [verdict for verdict, words in SAID[language].items() if re.search(words, sentence)]
    assert len(found) == 1, (sentence, found)
    return found[0]


def points(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.x is not None and len(trace.x)]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(record=records())
def test_sentence_table_and_forest_say_the_same(language: str, record: dict[str, Any]) -> None:
    say = speaker(language)
    sentence = comparison_sentence(say, record)
    assert verdict_of(sentence, language) == record["verdict"]
    row = comparison_table(say, [record]).iloc[0]
    assert row[say("Verdict")] == verdict_name(say, record["verdict"])
    drawn = points(forest(say, [record], record["margin"]))
    if record["verdict"] == "not_comparable":
        assert drawn == []
        assert row["Δ"] == "–"
        return
    (point,) = drawn
    delta, low, high = record["delta"], record["ci_low"], record["ci_high"]
    # The point, its bar and its word.
    assert point.x == (delta,)
    assert delta - point.error_x.arrayminus[0] == pytest.approx(low)
    assert delta + point.error_x.array[0] == pytest.approx(high)
    assert verdict_name(say, record["verdict"]) in point.text[0]
    assert f"{shown(delta)} [{shown(low)}, {shown(high)}]" == point.hovertext
    # The numbers of the table and of the sentence.
    assert (row["Δ"], row[say("95 % interval")]) == (shown(delta), f"[{shown(low)}, {shown(high)}]")
    if record["verdict"] != "identical":
        assert INTERVAL.findall(sentence) == [(shown(low), shown(high))]
        assert DIFFERENCE.findall(INTERVAL.sub("", sentence)) == [shown(delta)]
    # What the words claim is where the point lies.
    if record["verdict"] in ("better", "worse"):
        assert (delta > 0) == (record["verdict"] == "better")
        assert ("▲" in point.text[0]) == (delta > 0)
        assert low > 0 or high < 0
    if record["verdict"] == "not_worse":
        assert high > -record["margin"]


def read_back(say: Say, card: dict[str, Any], record: dict[str, Any]) -> None:
    table = stability_table(say, card)
    figure = stability_forest(say, card, record)
    tested = [item for item in card["perturbations"] if item["survives"] is not None]
    labels = [html.unescape(label) for label in figure.layout.yaxis.ticktext]
    yes, no = (trace for trace in figure.data)
    assert [trace.marker.symbol for trace in (yes, no)] == ["circle", "x"]
    assert (len(yes.x), len(no.x)) == (card["n_survived"], card["n_perturbations"] - card["n_survived"])
    assert set(table[say("Survives")]) <= {say("yes"), say("no"), say("cannot be tested")}
    assert (table[say("Survives")] == say("yes")).sum() == len(yes.x)
    for trace, survives in ((yes, True), (no, False)):
        for place, x, hover in zip(trace.y, trace.x, trace.hovertext, strict=True):
            item = tested[place]
            row = table[table[say("What was chosen otherwise")].str.startswith(labels[place].rstrip("…"))].iloc[0]
            assert (item["survives"], item["delta"]) == (survives, x)
            assert row["Δ"] == shown(x)
            assert row[say("Verdict")] in hover
            assert verdict_name(say, item["verdict"]) in row[say("Verdict")]
    counted = re.findall(r"\d+", stability_sentence(say, card))
    assert sorted(map(int, counted)) == sorted([card["n_survived"], card["n_perturbations"]])
    assert verdict_name(say, card["verdict"]) in stability_sentence(say, card)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(main=records(), others=st.lists(records(), min_size=1, max_size=6))
def test_the_stability_card_counts_what_it_draws_and_lists(
    language: str, main: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    perturbations = []
    for place, other in enumerate(others):
        survives = None if other["verdict"] == "not_comparable" else other["verdict"] == main["verdict"]
        names = ("n_queries", "delta", "ci_low", "ci_high", "verdict")
        item = {name: other[name] for name in names} | {"survives": survives}
        perturbations.append(item | {"kind": "single_seed", "setting": str(place), "draw": None, "n_flipped": None})
    card = {
        "reference": main["reference"],
        "challenger": "D",  # a name without a digit: the sentence's digits are the two counts
        "verdict": main["verdict"],
        "n_perturbations": sum(item["survives"] is not None for item in perturbations),
        "n_survived": sum(item["survives"] is True for item in perturbations),
        "perturbations": perturbations,
    }
    if card["n_perturbations"]:
        read_back(speaker(language), card, main)
    else:
        assert not re.findall(r"\d", stability_sentence(speaker(language), card))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(views=st.lists(records(), min_size=3, max_size=3))
def test_unjudged_documents_are_said_to_matter_when_the_table_shows_other_verdicts(
    language: str, views: list[dict[str, Any]]
) -> None:
    say = speaker(language)
    names = ("delta", "ci_low", "ci_high", "verdict")
    item: dict[str, Any] = {"reference": "first-stage", "challenger": "C", "n_unjudged": 1234}
    for view, record in zip(("not_relevant", "left_out", "relevant"), views, strict=True):
        item[view] = {name: record[name] for name in names}
    item["flips"] = len({record["verdict"] for record in views}) > 1
    table = unjudged_questions_table(say, {"comparisons": [item]})
    sentence = unjudged_sentence(say, item)
    assert "1,234" in sentence
    assert (table[say("Verdict")].nunique() > 1) == item["flips"]
    assert ("does not depend" not in sentence and "左右されません" not in sentence) == item["flips"]
    assert table["Δ"].tolist() == [shown(r["delta"]) if r["delta"] is not None else "–" for r in views]
