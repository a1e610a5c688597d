"""The result's tables: what they count and what they leave out."""

from rerank.wording.language import speaker
from rerank.wording.tables import mixture_table


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
