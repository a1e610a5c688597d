"""The stability card: every other choice is listed with what it makes of the verdict."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rerank.evaluation.measures import per_query_scores
from rerank.report.comparisons import all_comparisons
from rerank.report.per_query import seed_scores
from rerank.report.ran import Ran
from rerank.report.stability import stability
from tests.executed import QUALITY, executed


def cards_of(ran: Ran) -> list[dict[str, Any]]:
    by_seed = seed_scores(ran)
    return stability(ran, by_seed, all_comparisons(ran, by_seed))


@pytest.fixture(scope="module")
def ran() -> Ran:
    return executed()


@pytest.fixture(scope="module")
def cards(ran: Ran) -> list[dict[str, Any]]:
    return cards_of(ran)


def of_kind(card: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item for item in card["perturbations"] if item["kind"] == kind]


def test_every_locked_question_is_asked_under_every_choice(cards: list[dict[str, Any]]) -> None:
    assert [(card["reference"], card["challenger"]) for card in cards] == [("first-stage", "C"), ("C", "C-then-D")]
    for card in cards:
        kinds = Counter(item["kind"] for item in card["perturbations"])
        assert kinds == {
            "segment_left_out": 2, "measure": 5, "alpha": 2, "margin": 2, "label_noise": 10, "single_seed": 2
        }  # fmt: skip


def test_survivors_are_those_with_the_same_verdict(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        same = [item["verdict"] == card["verdict"] for item in card["perturbations"]]
        assert [item["survives"] for item in card["perturbations"]] == same
        assert (card["n_survived"], card["n_perturbations"]) == (sum(same), len(same))
    assert cards[0]["verdict"] == "better"
    assert cards[0]["n_survived"] > 15  # a large gain is still one with a few other grades


def mean_difference(ran: Ran, judgments: pd.DataFrame, measure: str, names: tuple[str, str], seeds: list[int]) -> float:
    """The difference from `per_query_scores`, ranking by ranking."""
    means = []
    for name in names:
        run = next(run for run in ran.runs if run.name == name)
        wanted = [seed for seed in run.rankings if seed in seeds or not run.is_trained]
        scores = [per_query_scores(run.rankings[s], judgments, ran.test_queries, [measure], 1) for s in wanted]
        means.append(np.mean([frame["value"].mean() for frame in scores]))
    return float(means[1] - means[0])


@pytest.mark.parametrize("measure", ["nDCG@5", "nDCG@20", "RR@10", "Success@1"])
def test_another_measure_is_that_of_ir_measures(ran: Ran, cards: list[dict[str, Any]], measure: str) -> None:
    found = next(item for item in of_kind(cards[1], "measure") if item["setting"] == measure)
    golden = mean_difference(ran, ran.dataset.judgments, measure, ("C", "C-then-D"), [1, 2])
    assert found["delta"] == pytest.approx(golden)


def test_exponential_gain_by_hand(ran: Ran, cards: list[dict[str, Any]]) -> None:
    grades = ran.dataset.judgments.set_index(["query_id", "doc_id"])["grade"].to_dict()

    def ndcg(ranking: pd.DataFrame, query: str) -> float:
        documents = ranking[ranking["query_id"] == query].sort_values("rank")["doc_id"][:10]
        gains = np.array([2.0 ** grades.get((query, doc), 0) - 1 for doc in documents])
        ideal = sorted((2.0**grade - 1 for (other, _), grade in grades.items() if other == query), reverse=True)[:10]
        weights = 1 / np.log2(np.arange(2, 12))
        return float((gains * weights).sum() / (np.array(ideal) * weights[: len(ideal)]).sum())

    runs = {run.name: run for run in ran.runs}
    means = [
        np.mean([[ndcg(ranking, query) for query in ran.test_queries] for ranking in runs[name].rankings.values()])
        for name in ("first-stage", "C")
    ]
    found = next(item for item in of_kind(cards[0], "measure") if item["setting"] == "nDCG@10 exp")
    assert found["delta"] == pytest.approx(means[1] - means[0])


def test_one_seed_alone_is_the_difference_of_that_seed(ran: Ran, cards: list[dict[str, Any]]) -> None:
    for item in of_kind(cards[1], "single_seed"):
        golden = mean_difference(ran, ran.dataset.judgments, "nDCG@10", ("C", "C-then-D"), [int(item["setting"])])
        assert item["delta"] == pytest.approx(golden)


def test_a_segment_is_left_out_with_its_queries(ran: Ran, cards: list[dict[str, Any]]) -> None:
    assert [(item["setting"], item["n_queries"]) for item in of_kind(cards[0], "segment_left_out")] == [
        ("a", 30),
        ("b", 30),
    ]


def test_other_rules_leave_the_difference_and_may_change_the_verdict(ran: Ran, cards: list[dict[str, Any]]) -> None:
    for card in cards:
        rules = of_kind(card, "alpha") + of_kind(card, "margin")
        assert [item["setting"] for item in rules] == ["0.01", "0.1", "0.01", "0.03"]
        assert len({(item["delta"], item["ci_low"]) for item in rules}) == 1
    # The same α in a plan of its own gives the same verdicts.
    strict = dataclasses.replace(ran, plan=dataclasses.replace(ran.plan, alpha=0.01))
    found = [item.verdict for item in all_comparisons(strict, seed_scores(strict)) if item.confirmatory]
    assert found == [of_kind(card, "alpha")[0]["verdict"] for card in cards]


def test_label_noise_says_how_many_grades_it_changed_and_can_be_repeated(ran: Ran, cards: list[dict[str, Any]]) -> None:
    n = len(ran.dataset.judgments)
    noise = of_kind(cards[0], "label_noise")
    assert [item["n_flipped"] for item in noise] == [round(0.05 * n)] * 5 + [round(0.1 * n)] * 5
    assert [item["draw"] for item in noise] == [1, 2, 3, 4, 5] * 2
    assert len({item["delta"] for item in noise}) == 10
    assert cards_of(ran) == cards


def test_too_few_queries_left_cannot_be_tested_and_are_not_counted() -> None:
    card = cards_of(executed(n_queries=20))[0]
    segments = of_kind(card, "segment_left_out")
    assert [(item["verdict"], item["survives"], item["delta"]) for item in segments] == [
        ("not_comparable", None, None)
    ] * 2
    assert card["n_perturbations"] == len(card["perturbations"]) - 2


def test_without_a_locked_question_there_is_no_card() -> None:
    assert cards_of(executed(quality={name: QUALITY[name] for name in ("first-stage", "embedding")})) == []


def test_one_seed_cannot_be_taken_alone() -> None:
    assert of_kind(cards_of(executed(seeds=(1,)))[0], "single_seed") == []
