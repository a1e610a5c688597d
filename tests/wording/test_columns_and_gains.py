"""Every statistic has a sentence about it, and a difference is said in its measure's own words."""

import pytest

from rerank.planning.plan import MEASURES
from rerank.wording.columns import column_help, measure_help
from rerank.wording.gains import GAINS, gain_in_words
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.tables import comparison_table, strategy_table

COMPARED = {
    "reference": "first-stage",
    "challenger": "C",
    "measure": "nDCG@10",
    "delta": 0.06,
    "ci_low": 0.02,
    "ci_high": 0.1,
    "verdict": "better",
    "p_adjusted": 0.01,
    "n_queries": 60,
    "confirmatory": True,
    "negligible": False,
    "reasons": [],
    "n_more_queries": None,
}
RESULT = {
    "plan": {"primary_measure": "nDCG@10", "teacher": "embedding"},
    "strategies": {
        "C": {
            "measures": {"nDCG@10": 0.5},
            "cost": {"train_usd": 1.0, "teacher_usd": 0.0, "serve_usd_per_1k_queries": 0.1},
            "latency_ms": {"p50": 1.0, "p95": 2.0},
            "judged_at_10": 0.9,
        }
    },
    "comparisons": [COMPARED],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_statistic_of_the_results_tables_is_explained(language: str) -> None:
    say = speaker(language)
    plain = {say(name) for name in ("Strategy", "Challenger", "Reference", "Measure", "Queries", "Reservations")}
    for frame in (strategy_table(say, RESULT), comparison_table(say, [COMPARED])):
        explained = {name for name in frame.columns if column_help(say, name)}
        assert set(frame.columns) - plain <= explained | {"Δ"}


def test_every_measure_has_an_explanation_and_words_for_a_gain() -> None:
    say = speaker("en")
    assert set(GAINS) == set(MEASURES)
    assert all(measure_help(say, measure) for measure in MEASURES)


def test_a_gain_is_said_in_searches_or_points_with_its_range() -> None:
    say = speaker("en")
    assert gain_in_words(say, COMPARED | {"measure": "Success@1"}) == (
        "Of 100 searches, 6 more have a relevant document first; plausible range 2 to 10."
    )
    assert gain_in_words(say, COMPARED | {"delta": -0.004, "ci_low": -0.05}) == (
        "Where 100 is the best possible order: −0.4 points to today's order; plausible range −5 to +10."
    )
    assert gain_in_words(say, COMPARED | {"ci_low": None}) == ""


def test_a_p_value_that_nobody_corrected_says_so() -> None:
    say = speaker("en")
    (locked,) = strategy_table(say, RESULT)["Significance"]
    besides = COMPARED | {"confirmatory": False, "p_adjusted": None, "p_seed_aware": None, "p_t": 0.009}
    (explored,) = strategy_table(say, RESULT | {"comparisons": [besides]})["Significance"]
    assert locked == "p = .010 (Holm)"
    assert explored == "p = .009 · exploratory, not corrected"
