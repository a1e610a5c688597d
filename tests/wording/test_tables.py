"""The result's tables: what they count and what they leave out."""

from typing import Any

from rerank.report.comparisons import all_comparisons
from rerank.report.per_query import seed_scores
from rerank.report.result import comparison_record
from rerank.wording.decisions import decision_in_numbers
from rerank.wording.language import speaker
from rerank.wording.tables import comparisons_of_quality, deciding_comparisons, free_recipe, mixture_table
from tests.executed import executed


def test_fused_strategies_say_what_they_mix_on_average_and_how_far_fits_differ() -> None:
    fits = [
        {"model": 0.2, "embedding": 0.64, "first_stage": 0.16},
        {"model": 0.6, "embedding": 0.32, "first_stage": 0.08},
    ]
    free = [{"embedding": 0.8, "first_stage": 0.2}]
    strategies = {"C": None, "embedding+fusion": free, "C+fusion": fits}
    result = {"strategies": {name: {"fusion_weights": weights} for name, weights in strategies.items()}}
    table = mixture_table(speaker("en"), result)
    assert list(table.columns) == [
        "Strategy",
        "Re-ranker",
        "Encoder",
        "First stage",
        "Fits",
        "Re-ranker, lowest to highest",
    ]
    assert table.to_numpy().tolist() == [
        ["Embedding + fusion", "0.00", "0.80", "0.20", 1, "–"],
        ["C + fusion", "0.40", "0.48", "0.12", 2, "0.20 – 0.60"],
    ]
    assert mixture_table(speaker("ja"), {"strategies": {"C": {"fusion_weights": None}}}).empty


def test_what_is_free_is_taken_along_as_a_recipe_and_a_trained_mixture_is_not() -> None:
    fits = [{"embedding": 0.8, "first_stage": 0.2}, {"embedding": 0.6, "first_stage": 0.4}]
    trained = [{"model": 0.2, "embedding": 0.64, "first_stage": 0.16}]
    strategies = {"embedding": None, "embedding+fusion": fits, "C+fusion": trained}
    records = {name: {"fusion_weights": weights} for name, weights in strategies.items()}

    def recipe(recommended: str | None, language: str) -> str | None:
        result = {"strategies": records, "decision": {"recommended_strategy": recommended}}
        return free_recipe(speaker(language), result)

    english, japanese = recipe("embedding+fusion", "en"), recipe("embedding+fusion", "ja")
    assert english is not None
    assert japanese is not None
    assert "0.70 × the encoder's similarity + 0.30 × your search's score" in english
    assert "0.70" in japanese
    assert [recipe(name, "en") for name in ("embedding", "C+fusion", None)] == [None] * 3


def test_what_decides_is_found_beside_the_locked_questions() -> None:
    pairs = [("embedding+fusion", "C+fusion"), ("embedding", "C+fusion"), ("C-long", "C-then-D"), ("C", "C-then-D")]
    comparisons = [
        {"reference": reference, "challenger": challenger, "measure": measure}
        for reference, challenger in pairs
        for measure in ("nDCG@10", "Judged@10")
    ]

    def found(code: str, *reasons: str) -> list[tuple[str, str]]:
        decision = {
            "code": code,
            "reasons": reasons,
            "single_strategy": "C+fusion",
            "second_strategy": "C-then-D",
            "longer_strategy": "C-long",
            "recommended_strategy": "embedding+fusion",
        }
        result = {"decision": decision, "plan": {"primary_measure": "nDCG@10"}, "comparisons": comparisons}
        return [(item["reference"], item["challenger"]) for item in deciding_comparisons(result)]

    assert found("adopt_free_baseline", "single_no_gain") == pairs[:1]
    assert found("add_second_stage", "second_better", "second_beats_longer") == [pairs[2]]
    assert found("adopt_single_stage", "second_only_longer") == [pairs[2]]
    assert found("collect_judgments", "single_inconclusive") == []
    assert {item["measure"] for item in comparisons_of_quality({"comparisons": comparisons})} == {"nDCG@10"}


def test_a_decision_names_its_numbers_and_says_which_nobody_asked_for_before() -> None:
    ran = executed(n_queries=20)
    compared = all_comparisons(ran, seed_scores(ran))
    result: dict[str, Any] = {
        "plan": {"primary_measure": "nDCG@10"},
        "comparisons": [comparison_record(item) for item in compared],
    }
    result["decision"] = {
        "code": "adopt_free_baseline",
        "reasons": ["free_baseline_gains"],
        "recommended_strategy": "embedding",
        "single_strategy": "C",
        "second_strategy": None,
        "longer_strategy": None,
    }
    said = decision_in_numbers(speaker("en"), result, with_locked=False)
    assert len(said) == 2
    assert [name in said[0] for name in ("Embedding", "First stage")] == [True, True]
    assert [name in said[1] for name in ("Embedding", "C ")] == [True, True]
    assert all(line.endswith("Exploratory: not corrected for several comparisons.") for line in said)
    single = result["decision"] | {"code": "adopt_single_stage", "recommended_strategy": "C"}
    assert len(decision_in_numbers(speaker("ja"), result | {"decision": single}, with_locked=True)) == 1
    assert decision_in_numbers(speaker("ja"), result | {"decision": single}, with_locked=False) == []
    stopped = result["decision"] | {"code": "stop", "recommended_strategy": None}
    (why,) = decision_in_numbers(speaker("en"), result | {"decision": stopped}, with_locked=True)
    assert why.startswith("C ")
    assert decision_in_numbers(speaker("en"), result | {"decision": stopped}, with_locked=False) == []
    broken = result["decision"] | {"code": "repair_data", "recommended_strategy": None}
    assert decision_in_numbers(speaker("en"), result | {"decision": broken}, with_locked=True) == []
