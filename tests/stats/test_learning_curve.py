"""Learning curves projected: against curves whose law is known, and silent where nothing can be told."""

import itertools

import numpy as np
import pytest

from rerank.stats.learning_curve import (
    ASSUMED_LUCK,
    EXPONENTS,
    FAR,
    MIN_POINTS,
    NEAR,
    Curve,
    interval_of,
    project,
    status_of,
    why_not_fitted,
)

SIZES = (20, 50, 100, 200)
CEILING = 0.85
MARGIN = 0.02


def drawn(rng: np.random.Generator, means: np.ndarray, *, luck: float = 0.005, n_queries: int = 150) -> Curve:
    """Draw a curve around true means: hard and easy queries shared by all points, noise and luck of each point."""
    n_points = len(means)
    values = np.asarray(means)[:, None] + rng.normal(0, 0.25, n_queries) + rng.normal(0, 0.1, (n_points, n_queries))
    return Curve(SIZES[-n_points:], values + rng.normal(0, luck, (n_points, 1)), (1,) * n_points, luck**2, 4.0)


def law(level: float, rise: float, exponent: float, sizes: np.ndarray) -> np.ndarray:
    """The true KPI at sizes that are multiples of all training queries."""
    return level + rise * (1 - np.asarray(sizes) ** -exponent)


@pytest.mark.parametrize(
    ("limit", "scale", "exponent", "least"), [(0.6, 0.4, 0.4, 0.95), (0.6, 1.0, 0.8, 0.95), (0.7, 0.25, 0.15, 0.8)]
)
def test_the_interval_of_the_growth_holds_the_truth_of_known_power_laws(
    limit: float, scale: float, exponent: float, least: float
) -> None:
    """a - b n^-c is written out here: nothing of the fitted form is used to make the truth."""
    rng = np.random.default_rng(5)
    sizes = np.array(SIZES, dtype=float)
    truth = scale * 200**-exponent - scale * (NEAR * 200) ** -exponent
    found = [
        interval_of(project(drawn(rng, limit - scale * sizes**-exponent), CEILING).growth(NEAR)) for _ in range(60)
    ]
    assert np.mean([low <= truth <= high for _, low, high in found]) >= least
    assert np.mean([mean for mean, _, _ in found]) == pytest.approx(truth, abs=0.012)
    assert np.mean([high - low for _, low, high in found]) < 0.06  # not by being endlessly wide


def test_over_curves_drawn_from_its_own_prior_the_interval_holds_95_in_100() -> None:
    rng = np.random.default_rng(11)
    held = []
    for _ in range(250):
        exponent = np.exp(rng.uniform(*np.log(EXPONENTS)))
        rise = (CEILING - 0.55) * rng.beta(0.5, 2)
        means = law(0.55, rise, exponent, np.array(SIZES) / 200)
        if means[0] < 0.05:  # no KPI lies below 0
            continue
        curve = drawn(rng, means, luck=ASSUMED_LUCK)
        _, low, high = interval_of(project(curve, CEILING).growth(NEAR))
        held.append(low <= law(0, rise, exponent, np.array([NEAR]))[0] <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)  # 3 standard errors of 250 draws are .041


def test_more_queries_never_hurt_and_nothing_exceeds_the_ceiling() -> None:
    found = project(drawn(np.random.default_rng(2), np.array([0.4, 0.5, 0.55, 0.58])), 0.7)
    growths = [found.growth(factor) for factor in np.linspace(1, FAR, 12)]
    assert np.all(growths[0] == 0)
    assert all(np.all(later >= earlier) for earlier, later in itertools.pairwise(growths))
    means = [interval_of(growth)[0] for growth in growths]
    assert np.all(np.diff(np.diff(means) / np.diff(np.linspace(1, FAR, 12))) < 0)  # each further query brings less
    assert np.all(found.level + found.rise <= np.maximum(0.7, found.level))


def test_nothing_is_projected_beyond_ten_times_the_queries() -> None:
    found = project(drawn(np.random.default_rng(2), np.array([0.4, 0.5, 0.55])), CEILING)
    with pytest.raises(ValueError, match="beyond"):
        found.growth(FAR + 0.01)
    with pytest.raises(ValueError, match="beyond"):
        found.at(11)


def test_the_same_curve_gives_the_same_numbers() -> None:
    curve = drawn(np.random.default_rng(3), np.array([0.4, 0.5, 0.55, 0.56]))
    assert np.array_equal(project(curve, CEILING).growth(3), project(curve, CEILING).growth(3))


def test_few_points_and_few_queries_are_not_fitted() -> None:
    rng = np.random.default_rng(4)
    two = drawn(rng, np.array([0.4, 0.5]))
    few = drawn(rng, np.array([0.4, 0.5, 0.6]), n_queries=14)
    assert len(two.n_train) < MIN_POINTS
    assert (why_not_fitted(two), why_not_fitted(few)) == ("too_few_points", "too_few_queries")
    for curve in (two, few):
        with pytest.raises(ValueError, match="too_few"):
            project(curve, CEILING)


@pytest.mark.parametrize(
    ("means", "luck", "n_queries", "status"),
    [
        ([0.40, 0.48, 0.54, 0.60], 0.003, 150, "projected"),
        ([0.40, 0.599, 0.6, 0.6], 0.001, 150, "plateau"),
        ([0.56, 0.57, 0.58, 0.60], 0.03, 20, "rise_not_shown"),
        ([0.60, 0.64, 0.66, 0.55], 0.003, 150, "falls"),
    ],
)
def test_a_curve_says_what_it_can_tell(means: list[float], luck: float, n_queries: int, status: str) -> None:
    curve = drawn(np.random.default_rng(6), np.array(means), luck=luck, n_queries=n_queries)
    assert status_of(curve, project(curve, CEILING), MARGIN) == status


def test_luck_that_was_seen_widens_the_interval() -> None:
    curve = drawn(np.random.default_rng(7), np.array([0.4, 0.48, 0.54, 0.58]), luck=0.001)
    widths = []
    for luck in (0.001, 0.02):
        seen = Curve(curve.n_train, curve.values, curve.n_seeds, luck**2, 8.0)
        _, low, high = interval_of(project(seen, CEILING).growth(NEAR))
        widths.append(high - low)
    assert widths[1] > 1.2 * widths[0]
