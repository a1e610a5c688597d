"""Every measure of the audit against an independent source, and the traps that a naive one falls into."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from rerank.audit.agreement import binned, kappa, kendall, top_one
from rerank.audit.biases import position_slope, preference, preferences_of, turned_pairs
from rerank.audit.disagreements import disagreements
from rerank.audit.pairs import scored_pairs
from rerank.audit.probes import fooled, probes_of
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files


def rows_of(n_queries: int, n_documents: int, seed: int = 0, noise: float = 1.0) -> pd.DataFrame:
    """Judged pairs with grades 0 to 3 and a teacher that sees them through noise."""
    rng = np.random.default_rng(seed)
    n = n_queries * n_documents
    grade = rng.integers(0, 4, n)
    return pd.DataFrame(
        {
            "query_id": np.repeat([f"q{number}" for number in range(n_queries)], n_documents),
            "doc_id": [f"d{number}" for number in range(n)],
            "rank": np.tile(np.arange(1, n_documents + 1), n_queries),
            "grade": grade,
            "teacher": grade + noise * rng.standard_normal(n),
            "length": rng.integers(20, 2000, n),
            "overlap": rng.random(n),
        }
    )


def test_tau_b_is_that_of_a_hand_calculation() -> None:
    # Grades 2 1 0 0 in the teacher's order: 5 pairs agree, none disagrees, 1 of 6 is tied in the grades.
    one = pd.DataFrame({"query_id": "a", "doc_id": list("wxyz"), "grade": [2, 1, 0, 0], "teacher": [4.0, 3, 2, 1]})
    # Grades 0 1 in the teacher's order: -1. A query with one grade has no order to agree with.
    two = pd.DataFrame({"query_id": "b", "doc_id": list("wx"), "grade": [0, 1], "teacher": [2.0, 1]})
    flat = pd.DataFrame({"query_id": "c", "doc_id": list("wx"), "grade": [1, 1], "teacher": [2.0, 1]})
    found = kendall(pd.concat([one, two, flat]))
    assert found.value == pytest.approx((5 / np.sqrt(5 * 6) - 1) / 2)
    assert (found.n, found.ci_low) == (2, None)


def test_the_interval_of_a_mean_is_the_t_interval() -> None:
    rows = rows_of(30, 6)
    found = kendall(rows)
    taus = [
        stats.kendalltau(part["teacher"], part["grade"]).statistic
        for _, part in rows.groupby("query_id")
        if part["grade"].nunique() > 1
    ]
    expected = stats.t.interval(0.95, len(taus) - 1, np.mean(taus), stats.sem(taus))
    assert (found.ci_low, found.ci_high) == pytest.approx(expected)


@pytest.mark.parametrize("binning", ["as_given", "per_query_marginals"])
def test_kappa_is_that_of_statsmodels_over_the_confusion_table(binning: str) -> None:
    found, confusion = kappa(rows_of(40, 8), binning, 1)  # type: ignore[arg-type]
    table = np.zeros((4, 4))
    for cell in confusion:
        table[cell["human"], cell["teacher"]] = cell["n"]
    golden = cohens_kappa(table, wt="quadratic")
    assert found.value == pytest.approx(golden.kappa)
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < found.value < found.ci_high  # type: ignore[operator]
    # Pairs are independent here, so the bootstrap over queries is near the large-sample interval.
    assert (found.ci_low, found.ci_high) == pytest.approx((golden.kappa_low, golden.kappa_upp), abs=0.05)


def test_binning_gives_each_grade_as_often_as_the_human_did() -> None:
    rows = pd.DataFrame(
        {
            "query_id": "a",
            "doc_id": list("wxyz"),
            "rank": [1, 2, 3, 4],
            "grade": [0, 3, 0, 1],
            "teacher": [9.0, 8, 8, 1],
        }
    )
    found = binned(rows, "per_query_marginals").set_index("doc_id")["said"]
    assert found.to_dict() == {"w": 3, "x": 1, "y": 0, "z": 0}  # x before y: the first stage breaks the tie
    graded = binned(rows.assign(teacher=[-1.0, 2.5, 0.49, 7.0]), "as_given").set_index("doc_id")["said"]
    assert graded.to_dict() == {"w": 0, "x": 3, "y": 0, "z": 3}


def test_top_one_has_wilsons_interval() -> None:
    rows = rows_of(40, 5)
    first = rows.loc[rows.groupby("query_id")["teacher"].idxmax()]
    hits = int((first["grade"] >= 2).sum())
    found = top_one(rows, 2)
    assert found.value == hits / 40
    assert (found.ci_low, found.ci_high) == pytest.approx(proportion_confint(hits, 40, method="wilson"))


def test_a_preference_within_one_group_is_spearmans_correlation() -> None:
    rows = rows_of(1, 30).assign(grade=1)
    golden = stats.spearmanr(rows["teacher"], rows["length"]).statistic
    assert preference(preferences_of(rows, "length"), 1).value == pytest.approx(golden)


def test_a_noisy_teacher_has_no_length_bias_where_relevant_documents_are_longer() -> None:
    """Teacher minus label falls with everything that the label rises with: plain Spearman calls noise a bias."""
    rows = rows_of(60, 10, noise=1.0)
    rows["length"] = 100 * rows["grade"] + np.random.default_rng(1).integers(0, 100, len(rows))
    error = stats.rankdata(rows["teacher"]) - stats.rankdata(rows["grade"])
    assert stats.spearmanr(error, rows["length"]).pvalue < 1e-6
    found = preference(preferences_of(rows, "length"), 1)
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < 0 < found.ci_high
    biased = preference(preferences_of(rows.assign(teacher=rows["teacher"] + rows["length"] / 100), "length"), 1)
    assert biased.ci_low is not None
    assert biased.ci_low > 0.1


def positions_of(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shuffled = rows.groupby("query_id", sort=False)["doc_id"].transform(lambda part: rng.permutation(len(part)) + 1)
    return rows[["query_id", "doc_id"]].assign(position=shuffled.astype(int))


def test_the_position_slope_is_that_of_a_regression_with_a_constant_per_query_and_grade() -> None:
    rows = rows_of(30, 8)
    positions = positions_of(rows, 3)
    rows["teacher"] -= 0.2 * positions["position"]
    found, counts = position_slope(rows, positions, None, 1)
    out = rows.groupby("query_id")["teacher"].rank(ascending=False).sub(1).div(7)
    groups = pd.get_dummies(rows["query_id"] + rows["grade"].astype(str)).astype(float)
    golden = OLS(out, groups.assign(put=(positions["position"] - 1) / 7)).fit()
    assert found.value == pytest.approx(golden.params["put"])
    assert counts
    assert found.ci_low is not None
    assert found.ci_low > 0.1


def test_an_input_in_the_first_stages_order_says_nothing_about_position_bias() -> None:
    rows = rows_of(30, 8)
    positions = rows[["query_id", "doc_id"]].assign(position=rows["rank"])
    rows["teacher"] = -rows["rank"].astype(float)
    found, counts = position_slope(rows, positions, None, 1)
    assert found.value == pytest.approx(1, abs=0.1)
    assert not counts
    shuffled = positions_of(rows, 5).assign(score=rows["teacher"], asked="shuffled", round=1)
    found, counts = position_slope(rows, positions, shuffled, 1)  # the shuffled answer tells the two apart
    assert counts
    assert found.value == pytest.approx(0, abs=0.15)


def test_turned_pairs_are_one_minus_tau_halved() -> None:
    rows = rows_of(20, 7)
    again = rows[["query_id", "doc_id"]].assign(asked="shuffled", round=1)
    again["score"] = rows["teacher"] + np.random.default_rng(2).standard_normal(len(rows))
    taus = [
        stats.kendalltau(rows["teacher"][part], again["score"][part]).statistic
        for part in rows.groupby("query_id").groups.values()
    ]
    assert turned_pairs(rows, again, "shuffled").value == pytest.approx((1 - np.mean(taus)) / 2)
    assert turned_pairs(rows, again, "repeated").value is None
    # Scores that were made of both answers agree with each of them by construction: the first answer is compared.
    first = again.assign(asked="first", round=0, score=rows["teacher"])
    made = rows.assign(teacher=rows["teacher"] + again["score"])
    both = pd.concat([first, again])
    assert turned_pairs(made, both, "shuffled").value == pytest.approx((1 - np.mean(taus)) / 2)
    assert turned_pairs(made, again, "shuffled").value < turned_pairs(made, both, "shuffled").value  # type: ignore[operator]


def sample(n_queries: int = 20) -> Dataset:
    """Queries with a relevant and two irrelevant documents each, and one that nobody judged."""
    queries, documents, judgments = ["query_id,query"], ["doc_id,title,text"], ["query_id,doc_id,grade"]
    for number in range(n_queries):
        queries.append(f"q{number},words of {number}")
        for place, grade in enumerate((2, 0, 0)):
            documents.append(f"d{number}_{place},,a document {place} about {number}")
            judgments.append(f"q{number},d{number}_{place},{grade}")
        documents.append(f"d{number}_u,,nobody judged {number}")
    parts = {"queries.csv": queries, "documents.csv": documents, "judgments.csv": judgments}
    return finish(read_files([Source(name, "\n".join(lines).encode()) for name, lines in parts.items()]), "made")


def pairs(dataset: Dataset, scores: tuple[float, ...]) -> pd.DataFrame:
    keys = [(f"q{number}", f"d{number}_{place}") for number in range(len(dataset.queries)) for place in "012u"]
    frame = pd.DataFrame(keys, columns=["query_id", "doc_id"])
    candidates = frame.assign(rank=np.tile([1, 2, 3, 4], len(dataset.queries)))
    return scored_pairs(dataset, candidates, frame.assign(score=np.tile(scores, len(dataset.queries))))


def test_the_probe_writes_the_query_into_irrelevant_documents_and_counts_who_falls_for_it() -> None:
    dataset = sample()
    rows = pairs(dataset, (3.0, 2.0, 1.0, 5.0))
    probes = probes_of(dataset, rows, 1)
    assert set(probes["doc_id"].str[-1]) == {"1", "2"}, "neither relevant nor unjudged documents"
    assert probes["text"].iloc[0] == "words of 0. a document 1 about 0"
    assert fooled(probes, lambda asked: np.full(len(asked), 2.9)).value == 0
    assert fooled(probes, lambda asked: np.full(len(asked), 3.1)).value == 1
    half = fooled(probes, lambda asked: np.where(asked["doc_id"].str.endswith("1"), 9.0, 0.0))
    assert (half.value, half.n) == (0.5, 20)
    assert fooled(probes, None).value is None


def test_the_strongest_disagreements_come_first_with_the_pair_that_speaks_loudest() -> None:
    dataset = sample(3)
    rows = pairs(dataset, (3.0, 2.0, 1.0, 5.0))
    rows.loc[rows["query_id"] == "q1", "teacher"] = [1.0, 2.0, 3.0, 5.0]
    rows.loc[rows["query_id"] == "q2", "teacher"] = [2.0, 3.0, 1.0, 5.0]
    found = disagreements(dataset, rows)
    assert [(item["query_id"], item["above"]["doc_id"], item["below"]["doc_id"]) for item in found[:2]] == [
        ("q1", "d1_2", "d1_0"),
        ("q2", "d2_1", "d2_0"),
    ]
    assert found[0]["above"]["grade"] == 0
    assert (found[0]["above"]["rank"], found[0]["below"]["rank"]) == (1, 3), "among the judged documents"
    assert len(found) == 2, "where they agree there is nothing to mark"


def test_a_documents_overlap_is_the_share_of_the_querys_words_in_it() -> None:
    rows = pairs(sample(1), (1.0, 2.0, 3.0, 4.0))
    # "words of 0" has the words "words" and "0" after stop words; every document says "0".
    assert rows["overlap"].tolist() == [0.5] * 4
    assert rows["grade"].tolist() == [2, 0, 0, -1]
