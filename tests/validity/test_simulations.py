"""Simulated experiments: what they are drawn from, what is counted, and that a broken rule would be seen."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.stats.comparison import Comparison
from rerank.stats.family import adjust_family
from rerank.store.home import bundled
from rerank.validity import document as module_of_page
from rerank.validity import experiments, no_difference
from rerank.validity.experiments import Rate, compared
from rerank.validity.further_queries import Sequel, any_truth, sequel_of, settled_of, typical_ratio, unrealistic_of
from rerank.validity.luck import Seeds, luck_alarms
from rerank.validity.margins import WIDE, at_margin
from rerank.validity.no_difference import alarms_of, family_alarms
from rerank.validity.planned_power import difference_power, margin_power
from rerank.validity.populations import Family, Population, families_of, populations_of, read_scores, recentred
from rerank.validity.study import SIZES, Effort, Study, figures_of, run_study
from rerank.validity.targets import Target, targets_of

SETTINGS = {"margin": 0.02, "alpha": 0.05}
TINY = Effort(
    alarms_each=30,
    other_measures_each=10,
    bca=40,
    families_each=15,
    margins_each=12,
    further_any=8,
    further_own=5,
    further_fixed_each=2,
    power_each=4,
    powers=(0.5, 0.8),
    luck=60,
)


@pytest.fixture(scope="module")
def recorded() -> pd.DataFrame:
    return read_scores(bundled("validity") / "trained.csv")


@pytest.fixture(scope="module")
def study(recorded: pd.DataFrame) -> Study:
    return run_study(recorded, TINY, 1, lambda _: None)


def skewed(n: int = 120) -> Population:
    """Return differences of which a third are ties, with a long upper tail."""
    gaps = np.random.default_rng(5).exponential(0.1, n) - 0.06
    gaps[::3] = 0.0
    return Population("made up", "first-stage", "C", gaps)


def test_recentring_keeps_ties_shape_and_skew_and_never_flips_a_sign() -> None:
    population = skewed()
    moved = population.differences != 0
    assert population.centred.mean() == pytest.approx(0, abs=1e-12)
    assert (population.centred[~moved] == 0).all()
    steps = population.centred[moved] - population.differences[moved]
    assert steps == pytest.approx(np.full(moved.sum(), steps[0]))  # one step for all: order, spread and skew stay
    assert population.with_mean(0.03) == pytest.approx(population.centred + 0.03)


def test_nothing_is_drawn_from_strategies_that_tie_differ_alike_or_are_right_or_wrong() -> None:
    assert recentred(np.zeros(60)) == pytest.approx(np.zeros(60))
    base = np.linspace(0, 1, 60)
    assert recentred(np.array([0.0, 1.0, 1.0])) == pytest.approx(np.zeros(3))
    values = {"first-stage": base, "same": base, "shifted": base + 0.1, "other": base[::-1]}
    rows = [("k", name, str(q), "nDCG@10", v) for name, column in values.items() for q, v in enumerate(column)]
    scores = pd.DataFrame(rows, columns=["collection", "strategy", "query_id", "measure", "value"])
    found = [(item.reference, item.challenger) for item in populations_of(scores, "nDCG@10")]
    assert found == [("first-stage", "other"), ("shifted", "other")]
    assert populations_of(scores.assign(value=scores["value"].round()), "nDCG@10") == []  # as Success@1: 0 or 1


def test_the_first_stage_is_the_reference_and_followers_form_families(recorded: pd.DataFrame) -> None:
    populations = populations_of(recorded, "nDCG@10")
    assert {(item.reference, item.challenger) for item in populations if item.collection == "epqa_dev, trained"} == {
        ("first-stage", "embedding"),
        ("first-stage", "C"),
        ("embedding", "C"),
    }
    families = [item for item in families_of(recorded, "nDCG@10") if item.collection == "epqa_dev, trained"]
    assert [item.strategies for item in families] == [("first-stage", "embedding", "C")]
    by_pair = {(item.collection, item.reference, item.challenger): item.differences for item in populations}
    for place, pair in enumerate((("first-stage", "embedding"), ("embedding", "C"))):
        assert families[0].differences[place] == pytest.approx(by_pair["epqa_dev, trained", *pair])


def test_collections_of_few_queries_are_no_population(recorded: pd.DataFrame) -> None:
    few = recorded[recorded["query_id"].isin([str(n) for n in range(1, 50)])]
    assert populations_of(few, "nDCG@10") == []
    with pytest.raises(RerankError, match="scores_too_few"):
        run_study(few, TINY, 1, lambda _: None)


def test_seeds_of_a_file_are_averaged_and_its_name_is_the_collection(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("strategy,seed,query_id,measure,value\nC,1,007,nDCG@10,0.2\nC,2,007,nDCG@10,0.4\n")
    found = read_scores(path).iloc[0]
    assert (found["collection"], found["query_id"], found["value"]) == ("mine", "007", pytest.approx(0.3))


def test_an_experiment_is_judged_by_compare() -> None:
    gaps = np.random.default_rng(0).normal(0.05, 0.1, 40)
    found = compared(gaps, **SETTINGS)
    assert (found.delta, found.n_queries) == (pytest.approx(gaps.mean()), 40)
    assert found.reasons == ()  # one row of differences: nothing was trained, so no luck is unknown
    assert "luck_unknown" in compared(gaps[None, :], **SETTINGS).reasons
    assert compared(gaps + np.zeros((3, 1)), **SETTINGS).p_seed_aware is not None


def test_a_skewed_population_without_a_difference_alarms_in_about_a_twentieth() -> None:
    found = alarms_of(skewed(), 100, 600, rng=np.random.default_rng(2), **SETTINGS)
    assert found.different.share == pytest.approx(0.05, abs=0.03)
    assert found.covered.share + found.different.share == pytest.approx(1)  # the interval is the test's own
    assert 0 < found.better.count < found.different.count


def test_a_rule_that_alarms_too_often_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation can fail: with α doubled the alarms double, and the promise does not hold."""
    honest = compared

    def careless(values: NDArray[np.float64], *, margin: float, alpha: float) -> Comparison:
        return honest(values, margin=margin, alpha=2 * alpha)

    monkeypatch.setattr(no_difference, "compared", careless)
    found = alarms_of(skewed(), 100, 600, rng=np.random.default_rng(2), **SETTINGS).different
    assert not Target("false_better", 100, found.share, found.error, 0.0, 0.05).holds


def test_a_family_without_holm_would_be_seen(recorded: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    independent = Family("made up", ("a", "b", "c"), rng.normal(0, 0.1, (2, 400)))
    held = family_alarms(independent, 50, 600, first_is_true=False, alpha=0.05, rng=np.random.default_rng(1))
    monkeypatch.setattr(no_difference, "adjust_family", lambda found, **_: found)
    loose = family_alarms(independent, 50, 600, first_is_true=False, alpha=0.05, rng=np.random.default_rng(1))
    assert held.share == pytest.approx(0.05, abs=0.027)
    assert loose.share == pytest.approx(1 - 0.95**2, abs=0.036)


def test_after_a_true_gain_only_the_other_question_can_be_wrong() -> None:
    family = Family("made up", ("a", "b", "c"), np.random.default_rng(3).normal(0, 0.1, (2, 400)))
    found = family_alarms(family, 50, 300, first_is_true=True, alpha=0.05, rng=np.random.default_rng(1))
    assert found.share == pytest.approx(0.05, abs=0.04)


def test_at_the_margin_negligible_counts_as_a_claim_of_equivalence() -> None:
    """Where the truth is 4 standard errors, nearly all verdicts are "better": the error hides in `negligible`."""
    population = Population("normal", "a", "b", np.random.default_rng(1).normal(0, 0.1, 500))
    margin = WIDE * population.sd / 10
    found = at_margin(population, 100, 800, margin=margin, alpha=0.05, rng=np.random.default_rng(4))
    assert found.equivalent.share == pytest.approx(0.05, abs=0.024)
    assert found.not_worse.share == pytest.approx(0.05, abs=0.033)
    assert (found.equivalent.n, found.not_worse.n) == (800, 400)


def test_a_sequel_asks_for_queries_and_judges_both_samples_together() -> None:
    population = skewed()
    rng = np.random.default_rng(6)
    found = [sequel_of(population, 0.0, 25, rng=rng, **SETTINGS) for _ in range(40)]
    sequels = [item for item in found if item is not None]
    assert 0 < len(sequels) < 40
    assert all((item.n_more is None) == (item.settled is None) for item in sequels)
    assert [item.true_delta for item in sequels] == pytest.approx([0.0] * len(sequels), abs=1e-12)
    certain = Population("large gain", "a", "b", population.centred + 1.0)
    assert sequel_of(certain, None, 25, rng=rng, **SETTINGS) is None  # better at once: nothing to ask for


def test_what_is_counted_of_sequels() -> None:
    population = skewed()

    def sequel(n_more: int | None, settled: bool | None) -> Sequel:
        return Sequel(population, 0.0, 0.01, 25, n_more, settled)

    sequels = [sequel(10, True), sequel(40, False), sequel(20, True), sequel(None, None)]
    assert settled_of(sequels) == Rate(2, 3)
    assert unrealistic_of(sequels) == Rate(1, 4)
    assert typical_ratio(sequels) == 2.0  # 40/10, 20/10, 40/20
    assert typical_ratio(sequels[:1]) is None


def test_any_truth_reaches_four_standard_errors_either_way() -> None:
    population, rng = skewed(), np.random.default_rng(0)
    drawn = np.array([any_truth(population, 25, rng) for _ in range(2000)]) / (population.sd / 5)
    assert drawn.min() == pytest.approx(-4, abs=0.05)
    assert drawn.max() == pytest.approx(4, abs=0.05)


def test_the_planner_keeps_its_word_on_normal_differences() -> None:
    normal = [Population("normal", "a", "b", np.random.default_rng(1).normal(0, 0.1, 4000))]
    rng = np.random.default_rng(9)
    for comparisons in (1, 2):
        found = difference_power(normal, 25, 500, power=0.8, comparisons=comparisons, alpha=0.05, rng=rng)
        assert found.gap == pytest.approx(0, abs=0.04)
    for question, margin in (("not_worse", 0.25), ("equivalence", 0.3)):
        shown = margin_power(normal, question, margin, 600, power=0.8, alpha=0.05, rng=rng)  # type: ignore[arg-type]
        assert shown.gap == pytest.approx(0, abs=0.05)


def test_luck_alarms_the_naive_test_and_not_the_verdict() -> None:
    found = luck_alarms(
        [Population("normal", "a", "b", np.random.default_rng(1).normal(0, 0.09, 500))],
        Seeds(3, 3, 0.015, 0.05),
        100,
        500,
        rng=np.random.default_rng(2),
        **SETTINGS,
    )
    assert found.naive.share > 0.12
    assert found.verdict.share < 0.08


def test_one_study_gives_every_figure_that_is_promised(study: Study) -> None:
    figures = figures_of(study)
    promised = ["false_better", "family_error", "false_equivalent", "coverage", "settled_with_n_more", "power_error"]
    assert list(figures)[:6] == promised
    assert list(figures["false_better"]) == [str(n) for n in SIZES] == ["25", "50", "100", "200"]
    assert all(0 <= share <= 1 for share in figures["false_better"].values())
    assert all(0 <= figures[name] <= 1 for name in promised[1:])
    pooled = sum((item.different for item in study.alarms if item.n_queries == 25), Rate(0, 0))
    assert figures["false_better"]["25"] == pooled.count / pooled.n
    assert figures["power_error"] == max(abs(item["simulated"] - item["predicted"]) for item in figures["power"])
    assert {target.name for target in targets_of(figures)} == set(promised)


def test_a_small_study_of_real_scores_keeps_the_error_rates(study: Study) -> None:
    """Some 700 experiments a size: far too many alarms would show, a tenth of a point would not."""
    figures = figures_of(study)
    for share in figures["false_better"].values():
        assert 0.02 < share < 0.08
    assert figures["family_error"] < 0.08
    assert figures["false_equivalent"] < 0.09
    assert 0.93 < figures["coverage"] < 0.97


def test_equal_scores_effort_and_seed_give_equal_figures(recorded: pd.DataFrame) -> None:
    least = dataclasses.replace(TINY, **{field.name: 2 for field in dataclasses.fields(TINY) if field.name != "powers"})
    part = recorded[recorded["collection"] == "epqa_dev, trained"]
    first, again = (figures_of(run_study(part, least, seed, lambda _: None)) for seed in (4, 4))
    assert first == again
    assert first != figures_of(run_study(part, least, 5, lambda _: None))


def test_a_rate_knows_its_error() -> None:
    assert Rate(0, 0).share == 0
    assert Rate(50, 1000).share == 0.05
    assert Rate(50, 1000).error == pytest.approx(np.sqrt(0.05 * 0.95 / 1000), rel=0.01)
    assert Rate(0, 1000).error > 0  # nothing seen is not nothing known
    assert Rate(1, 10) + Rate(2, 20) == Rate(3, 30)


@pytest.mark.parametrize(
    ("figure", "error", "low", "high", "holds"),
    [
        (0.049, 0.0, 0.0, 0.05, True),
        (0.053, 0.002, 0.0, 0.05, True),
        (0.055, 0.002, 0.0, 0.05, False),
        (0.939, 0.0, 0.94, 0.96, False),
        (0.95, 0.0, 0.94, 0.96, True),
    ],
)
def test_a_promise_holds_within_two_monte_carlo_errors(
    figure: float, error: float, low: float, high: float, holds: bool
) -> None:
    assert Target("coverage", None, figure, error, low, high).holds is holds


def test_the_family_and_the_comparison_are_the_products_own() -> None:
    from rerank.stats import compare as product

    assert experiments.compare is product.compare
    assert no_difference.adjust_family is adjust_family


def test_every_figure_is_explained_on_the_page(study: Study) -> None:
    page = (Path(module_of_page.__file__).parent / "validity.md.jinja").read_text(encoding="utf-8")
    for key in figures_of(study):
        assert f"`{key}`" in page or (key.endswith("_error") and f"`{key.removesuffix('_error')}`" in page), key
