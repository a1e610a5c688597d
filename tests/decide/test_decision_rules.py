"""The decision over every combination of what may be found, and the reasons of single cases."""

import dataclasses
from collections.abc import Iterator
from functools import cache

import pytest

from rerank.decide.decision import decide, gate_one
from rerank.decide.evidence import DECISIONS, REASONS, WOULD_CHANGE, Evidence
from rerank.stats.comparison import Comparison, Verdict
from rerank.stats.more_queries import queries_to_settle
from tests.decide.cases import FREE, SECOND, every_evidence, evidence, found


@pytest.fixture(scope="module", autouse=True)
def _simulated_once() -> Iterator[None]:
    """The same few comparisons come up thousands of times: how many queries they need is simulated once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rerank.decide.decision.queries_to_settle", cache(queries_to_settle))
        yield


@pytest.fixture(scope="module")
def decided(_simulated_once: None) -> list[tuple[Evidence, object]]:
    return [(case, decide(case)) for case in every_evidence()]


def test_every_code_and_every_reason_can_come_up_and_no_other(decided: list[tuple[Evidence, object]]) -> None:
    decisions = [item for _, item in decided]
    assert {item.code for item in decisions} == set(DECISIONS)  # type: ignore[attr-defined]
    assert {reason for item in decisions for reason in item.reasons} == set(REASONS)  # type: ignore[attr-defined]
    assert {code for item in decisions for code in item.would_change} == set(WOULD_CHANGE)  # type: ignore[attr-defined]


def test_every_decision_has_reasons_and_what_would_change_it_each_once(
    decided: list[tuple[Evidence, object]],
) -> None:
    for case, item in decided:
        for codes in (item.reasons, item.would_change):  # type: ignore[attr-defined]
            assert codes, (case, item)
            assert len(set(codes)) == len(codes), (case, item)


def test_the_numbers_that_a_headline_names_are_there(decided: list[tuple[Evidence, object]]) -> None:
    needed = {
        "adopt_free_baseline": "strategy",
        "collect_judgments": "n_more_to_judge",
        "train_more_seeds": "n_more_seeds",
    }
    for case, item in decided:
        name = needed.get(item.code)  # type: ignore[attr-defined]
        assert name is None or name in item.next_numbers, (case, item)  # type: ignore[attr-defined]


def test_a_second_stage_is_only_added_on_a_real_gain(decided: list[tuple[Evidence, object]]) -> None:
    added = [case for case, item in decided if item.code == "add_second_stage"]  # type: ignore[attr-defined]
    assert added
    for case in added:
        assert case.second is not None
        assert (case.second.verdict, case.second.negligible) == ("better", False)
        assert case.single is not None
        carried = {item.reference for item in case.second_against_untrained if item.verdict == "better"}
        assert (case.single.verdict, case.single.negligible) == ("better", False) or "first-stage" in carried
        longer = case.second_against_longer
        assert longer is None or (longer.verdict not in ("worse", "identical", "equivalent") and not longer.negligible)


def test_nothing_that_breaks_a_guardrail_is_recommended(decided: list[tuple[Evidence, object]]) -> None:
    for case, item in decided:
        named = {
            "adopt_free_baseline": item.next_numbers.get("strategy"),  # type: ignore[attr-defined]
            "adopt_single_stage": case.single and case.single.challenger,
            "repair_teacher": case.single and case.single.challenger,
            "train_more_seeds": case.single and case.single.challenger,
            "collect_judgments": case.single and case.single.challenger,
            "add_second_stage": case.second and case.second.challenger,
        }
        assert named.get(item.code) not in case.broken, (case, item)  # type: ignore[attr-defined]


def test_gate_one_says_the_same_before_and_after_gate_two(decided: list[tuple[Evidence, object]]) -> None:
    for case, _ in decided[::7]:
        assert gate_one(case) == gate_one(dataclasses.replace(case, second=None))


def test_broken_data_come_before_everything_and_the_ceiling_before_verdicts() -> None:
    everything = {"oracle_delta": 0.01, "single": found("worse"), "teacher_audit": "red"}
    assert decide(evidence(blocking_findings=("no_judgments",), **everything)).code == "repair_data"
    assert decide(evidence(**everything)).code == "repair_first_stage"
    assert decide(evidence(oracle_delta=0.04, single=found("worse"))).code == "stop"  # exactly twice the margin


def test_a_plan_without_a_single_stage_says_so() -> None:
    item = decide(evidence(single=None))
    assert (item.code, item.reasons, item.would_change) == ("stop", ("no_single_stage",), ("single_stage_run",))


def test_a_real_but_negligible_gain_is_no_gain() -> None:
    item = decide(evidence(single=found("better", negligible=True, delta=0.01), free_baselines=(FREE,)))
    assert item.code == "adopt_free_baseline"
    assert "single_gain_negligible" in item.reasons
    assert item.next_numbers["strategy"] == "embedding"


def test_a_free_gain_that_is_negligible_or_unproven_is_not_adopted() -> None:
    for weak in (dataclasses.replace(FREE, negligible=True), found("not_worse", challenger="embedding")):
        assert decide(evidence(single=found("worse"), free_baselines=(weak,))).code == "stop"


def test_the_best_of_several_free_gains_is_adopted() -> None:
    better = found("better", challenger="base", delta=0.06)
    item = decide(evidence(single=found("worse"), free_baselines=(FREE, better)))
    assert item.next_numbers["strategy"] == "base"


def test_a_single_stage_that_trails_what_is_free_is_not_paid_for() -> None:
    trails = found("inconclusive", "embedding", delta=-0.01)
    item = decide(evidence(free_baselines=(FREE,), free_against_single=(trails,)))
    assert (item.code, item.reasons[1]) == ("adopt_free_baseline", "free_baseline_not_beaten")


def test_not_worse_is_open_while_a_gain_can_be_shown() -> None:
    promising = found("not_worse", delta=0.03)  # t = 1.94
    assert decide(evidence(single=promising)).code == "collect_judgments"
    assert decide(evidence(single=found("not_worse", delta=0.0))).code == "stop"
    # Luck of the same size as the whole error cannot be outnumbered.
    lucky = found("not_worse", delta=0.03, se=0.022, df=4.0)
    assert decide(evidence(single=lucky)).code == "stop"


def test_a_stricter_alpha_asks_for_more_judgments() -> None:
    promising = found("not_worse", delta=0.035)
    loose, strict = (decide(evidence(single=promising, alpha=alpha)).next_numbers for alpha in (0.10, 0.05))
    assert loose["n_more_queries"] < strict["n_more_queries"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("net", "code"),
    [
        (None, "add_second_stage"),  # nobody said what it is worth
        (0.0, "add_second_stage"),  # it brings exactly what it costs
        (-0.01, "adopt_single_stage"),
    ],
)
def test_the_second_stage_must_be_worth_its_cost(net: float | None, code: str) -> None:
    item = decide(evidence(second=SECOND, net_usd={} if net is None else {("C", "C-then-D"): net}))
    assert item.code == code
    assert ("second_too_dear" in item.reasons) == (code == "adopt_single_stage")


def test_a_single_stage_that_does_not_pay_is_not_shipped() -> None:
    dear = {("first-stage", "C"): -0.01}
    item = decide(evidence(second=SECOND, net_usd=dear))
    assert (item.code, item.reasons) == ("stop", ("single_better", "single_too_dear"))
    assert item.would_change == ("other_prices",)
    assert gate_one(evidence(net_usd=dear))["recommended"] == "no_go"


def test_a_free_baseline_that_does_not_pay_is_not_used_either() -> None:
    dear = {("first-stage", "C"): -0.01, ("first-stage", "embedding"): -0.01}
    item = decide(evidence(free_baselines=(FREE,), net_usd=dear))
    assert (item.code, item.reasons) == ("stop", ("single_better", "single_too_dear", "free_baseline_too_dear"))


def test_what_training_adds_to_a_free_baseline_must_be_worth_it() -> None:
    ahead = found("better", "embedding", "C", delta=0.03)
    facts = {"free_baselines": (FREE,), "free_against_single": (ahead,)}
    assert decide(evidence(**facts)).code == "adopt_single_stage"
    item = decide(evidence(**facts, net_usd={("embedding", "C"): -1.0, ("first-stage", "C"): 5.0}))
    assert (item.code, item.reasons) == ("adopt_free_baseline", ("single_better", "single_too_dear"))


def test_a_red_teacher_is_said_even_when_the_second_stage_gains() -> None:
    item = decide(evidence(second=SECOND, teacher_audit="red"))
    assert item.code == "add_second_stage"
    assert "teacher_red" in item.reasons


def test_a_red_teacher_matters_only_where_distillation_is_wanted() -> None:
    assert decide(evidence(teacher_audit="red")).code == "repair_teacher"
    item = decide(evidence(teacher_audit="red", distillation_wanted=False))
    assert item.code == "adopt_single_stage"
    assert not {"teacher_red", "teacher_amber"} & set(item.reasons)


def test_a_second_stage_that_a_red_teacher_was_not_allowed_to_teach_is_not_called_not_run() -> None:
    item = decide(evidence(teacher_audit="red", distillation_blocked=True))
    assert (item.code, item.reasons) == ("repair_teacher", ("single_better", "second_blocked", "teacher_red"))
    assert item.would_change == ("better_teacher",)


def test_where_only_a_red_teacher_would_have_taught_that_is_the_first_reason() -> None:
    item = decide(evidence(single=None, teacher_audit="red", distillation_blocked=True, free_baselines=(FREE,)))
    assert item.code == "adopt_free_baseline"
    assert item.reasons[0] == "teacher_red"
    assert item.would_change[0] == "better_teacher"


def test_luck_of_the_second_stage_is_said_too() -> None:
    item = decide(evidence(second=dataclasses.replace(SECOND, reasons=("luck_unknown",))))
    assert "luck_unknown" in item.reasons
    assert "several_seeds" in item.would_change


def test_gate_one_names_a_red_teacher_once() -> None:
    gate = gate_one(evidence(teacher_audit="red"))
    assert gate["recommended"] == "no_go"
    assert gate["reasons"] == ["single_better", "teacher_red"]


def test_gate_one_goes_on_while_the_single_stage_is_open() -> None:
    assert gate_one(evidence(single=found("inconclusive", n_more_queries=50)))["recommended"] == "go"
    assert gate_one(evidence(single=found("inconclusive")))["recommended"] == "no_go"
    assert gate_one(evidence(single=None))["recommended"] == "no_go"


def test_gate_one_recommends_nothing_where_there_is_nothing_to_go_on_to() -> None:
    for single in (found("better"), found("worse"), None):
        gate = gate_one(evidence(single=single, second_planned=False))
        assert gate == {"recommended": None, "reasons": ["second_not_planned"]}


TOGETHER = found("better", challenger="C-then-D")
OVER_FREE = found("better", "embedding", "C-then-D")


@pytest.mark.parametrize("verdict", ["worse", "identical", "equivalent", "not_worse", "inconclusive"])
def test_two_stages_that_beat_all_that_is_cheaper_are_added_whatever_the_first_alone_shows(verdict: Verdict) -> None:
    case = evidence(single=found(verdict), second=SECOND, second_against_untrained=(TOGETHER,))
    item = decide(case)
    assert (item.code, item.reasons[1:3]) == ("add_second_stage", ("second_better", "second_beats_all"))
    for left in (
        dataclasses.replace(case, second_against_untrained=()),
        dataclasses.replace(case, second_against_untrained=(found("inconclusive", challenger="C-then-D"),)),
        dataclasses.replace(case, second_against_untrained=(found("better", challenger="C-then-D", negligible=True),)),
        dataclasses.replace(case, free_baselines=(FREE,)),  # not shown to beat what is free
        dataclasses.replace(case, broken={"C-then-D": ("min_recall",)}),
        dataclasses.replace(case, net_usd={("first-stage", "C-then-D"): -1.0}),
    ):
        assert decide(left).code != "add_second_stage"
    assert decide(
        dataclasses.replace(case, free_baselines=(FREE,), second_against_untrained=(TOGETHER, OVER_FREE))
    ).code == ("add_second_stage")


def test_where_a_perfect_order_has_nothing_left_no_better_model_is_named() -> None:
    """The free strategy gains .04 over the first stage: of a room of .055 a perfect order leaves less than δ = .02."""
    case = evidence(single=found("worse"), free_baselines=(FREE,), oracle_delta=0.055)
    assert decide(case).code == "adopt_free_baseline"
    assert "better_retrieval" in decide(case).would_change
    assert "better_base_model" not in decide(case).would_change
    roomy = dataclasses.replace(case, oracle_delta=0.061)
    assert "better_base_model" in decide(roomy).would_change
    assert "better_retrieval" not in decide(roomy).would_change


LONGER = found("better", "C-long", "C-then-D", delta=0.03)


@pytest.mark.parametrize(
    ("against_longer", "reason", "would"),
    [
        (None, "second_not_controlled", "controls_trained"),
        (found("not_comparable", "C-long", "C-then-D"), "second_not_controlled", "controls_trained"),
        (LONGER, "second_beats_longer", None),
        (found("not_worse", "C-long", "C-then-D", delta=0.01), "second_longer_not_beaten", "more_judged_queries"),
        (found("inconclusive", "C-long", "C-then-D", delta=0.04), "second_longer_not_beaten", "more_judged_queries"),
    ],
)
@pytest.mark.parametrize("single", ["better", "inconclusive"])
def test_a_second_stage_is_added_and_it_is_said_what_longer_training_alone_does(
    single: Verdict, against_longer: Comparison | None, reason: str, would: str | None
) -> None:
    item = decide(
        evidence(
            single=found(single),
            second=SECOND,
            second_against_longer=against_longer,
            second_against_untrained=(TOGETHER,),
        )
    )
    assert item.code == "add_second_stage"
    assert [code for code in item.reasons if "longer" in code or "controlled" in code] == [reason]
    assert set(item.would_change) & {"controls_trained", "more_judged_queries"} == ({would} if would else set())


@pytest.mark.parametrize(
    "against_longer",
    [
        found("worse", "C-long", "C-then-D"),
        found("identical", "C-long", "C-then-D", delta=0.0),
        found("equivalent", "C-long", "C-then-D", delta=0.005),
        found("better", "C-long", "C-then-D", delta=0.01, negligible=True),
        found("inconclusive", "C-long", "C-then-D", delta=-0.01),
        found("not_worse", "C-long", "C-then-D", delta=0.0),
    ],
)
def test_what_longer_training_does_as_well_is_not_credited_to_a_second_stage(against_longer: Comparison) -> None:
    case = evidence(second=SECOND, second_against_longer=against_longer, second_against_untrained=(TOGETHER,))
    item = decide(case)
    assert (item.code, item.reasons) == ("adopt_single_stage", ("single_better", "second_only_longer"))
    assert item.would_change == ("longer_single_stage",)
    # Nor do two stages carry a single stage that gains nothing.
    assert decide(dataclasses.replace(case, single=found("worse"))).code == "stop"
    # What is not better than the single stage has nothing to be credited.
    open_ = dataclasses.replace(case, second=found("inconclusive", "C", "C-then-D"))
    assert "second_only_longer" not in decide(open_).reasons


def test_a_tie_of_the_single_stage_with_what_is_free_does_not_hide_a_second_stage_that_beats_both() -> None:
    tie = evidence(
        second=SECOND, free_baselines=(FREE,), free_against_single=(found("equivalent", "embedding", delta=0.0),)
    )
    assert decide(tie).code == "adopt_free_baseline"
    beats = dataclasses.replace(tie, second_against_untrained=(TOGETHER, OVER_FREE))
    assert decide(beats).code == "add_second_stage"


def test_no_more_judgments_are_asked_for_where_a_gain_would_not_beat_what_is_free() -> None:
    case = evidence(single=found("inconclusive", n_more_queries=40), free_baselines=(FREE,))
    assert decide(case).code == "collect_judgments"
    tied = dataclasses.replace(case, free_against_single=(found("worse", "embedding", delta=-0.05),))
    assert decide(tied).code == "adopt_free_baseline"
    assert "free_baseline_ties" in decide(tied).reasons


def test_a_split_that_tests_a_third_needs_three_times_as_many_judged_queries() -> None:
    case = evidence(single=found("inconclusive", n_more_queries=40))
    assert decide(case).next_numbers["n_more_to_judge"] == 40
    third = decide(dataclasses.replace(case, tested_share=0.3))
    assert (third.next_numbers["n_more_queries"], third.next_numbers["n_more_to_judge"]) == (40, 134)
