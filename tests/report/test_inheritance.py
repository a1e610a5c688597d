"""What students took over from their teacher, from an execution's rankings and its teacher's scores."""

import dataclasses
from typing import Any

import pytest

from rerank.planning.plan import Split
from rerank.report.inheritance import inheritance_record, scope_of
from rerank.report.ran import Ran
from rerank.wording.inheritance import BIASES, FINDINGS, SCOPES, inheritance_sentences, inheritance_table
from rerank.wording.language import speaker
from tests.executed import executed

QUALITY = {"first-stage": 0.4, "embedding": 0.6, "C": 1.2, "D": 1.2, "C-then-D": 1.2}


def taught(*, copies: bool = True, **changes: Any) -> Ran:
    """An execution whose D ranks as the teacher does, or as C; the encoder teaches and scored every candidate."""
    ran = executed(judged=0.6, quality=QUALITY, **changes)
    known = {run.name: run for run in ran.runs}
    own, control = known["embedding"].rankings[0], known["C"]
    said = {(str(row.query_id), str(row.doc_id)): float(str(row.score)) for row in own.itertuples()}
    runs = []
    for run in ran.runs:
        if run.name == "D":
            rankings = dict.fromkeys(control.rankings, own) if copies else control.rankings
            runs.append(dataclasses.replace(run, rankings=rankings, stages=("s",)))
        else:
            runs.append(run)
    return dataclasses.replace(ran, runs=tuple(runs), teacher_scores=said)


def record_of(ran: Ran) -> dict[str, Any]:
    found = inheritance_record(ran)
    assert found is not None
    return found


def test_a_student_with_its_teachers_order_has_inherited_every_error() -> None:
    found = record_of(taught())
    assert found["scope"] == "test"
    assert set(found["strategies"]) == {"C", "D", "C-then-D"}
    student = found["strategies"]["D"]
    assert (student["control"], student["sides"]["value"], student["finding"]) == ("C", 1.0, "inherited")
    assert student["difference"]["value"] == pytest.approx(1 - found["strategies"]["C"]["sides"]["value"])
    assert student["n_seeds"] == 2


def test_a_student_that_ranks_as_its_control_has_inherited_nothing() -> None:
    student = record_of(taught(copies=False))["strategies"]["D"]
    assert (student["difference"]["value"], student["length_difference"]["value"]) == (0.0, 0.0)
    assert student["finding"] == "not_shown"


def test_a_teacher_that_was_kept_from_the_test_set_is_met_on_development_queries() -> None:
    ran = taught(split=Split(kind="holdout"))
    tested, development = ran.test_queries[:40], ran.test_queries[40:]
    untold = {pair: score for pair, score in ran.teacher_scores.items() if pair[0] in development}
    assert scope_of(ran.plan, tested, untold, ["C", "D"]) == "development"
    runs = tuple(dataclasses.replace(run, dev_rankings=run.rankings) for run in ran.runs)
    held = dataclasses.replace(ran, test_queries=tested, dev_queries=development, teacher_scores=untold, runs=runs)
    found = record_of(held)
    assert (found["scope"], found["strategies"]["D"]["sides"]["value"]) == ("development", 1.0)
    assert 0 < found["n_queries"] <= 20


def test_the_scope_is_the_test_queries_wherever_the_teacher_answered_about_them() -> None:
    ran = taught()
    holdout = dataclasses.replace(ran.plan, split=Split(kind="holdout"))
    asked = {pair: score for pair, score in ran.teacher_scores.items() if pair[0] in ran.test_queries[:15]}
    fewer = {pair: score for pair, score in asked.items() if pair[0] != ran.test_queries[0]}
    names = ["C", "D"]
    assert scope_of(holdout, ran.test_queries, asked, names) == "test"
    assert scope_of(holdout, ran.test_queries, fewer, names) == "development"
    assert scope_of(holdout, ran.test_queries[:3], asked, names) == "test"  # a tiny test set, and all of it answered
    assert scope_of(ran.plan, ran.test_queries, fewer, names) == "test"  # with folds every query is tested once
    assert scope_of(holdout, ran.test_queries, asked, ["first-stage", "C"]) is None
    assert scope_of(holdout, ran.test_queries, {}, names) is None


def test_nothing_is_said_where_nothing_distils() -> None:
    quality = {"first-stage": 0.4, "embedding": 0.6, "C": 1.2}
    ran = dataclasses.replace(executed(quality=quality), teacher_scores=taught().teacher_scores)
    assert inheritance_record(ran) is None
    for result in ({"inheritance": None}, {}):
        assert inheritance_sentences(speaker("en"), result) == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_sentence_for_managers_has_the_numbers_of_the_record(language: str) -> None:
    say = speaker(language)
    ran = taught()
    result = {"inheritance": record_of(ran), "decision": {"recommended_strategy": "D"}}
    finding, sentence, *rest = inheritance_sentences(say, result)
    found = result["inheritance"]
    assert f"{found['n_pairs']:,}" in sentence
    assert f"{found['strategies']['C']['sides']['value']:.0%}" in sentence
    assert "100%" in sentence
    assert finding == say(FINDINGS["inherited"], strategy="D")
    assert rest[-1] == say(SCOPES["test"])
    table = inheritance_table(say, result)
    assert len(table) == 4  # the teacher, the control and two students
    assert table.notna().all().all()


def test_the_strategy_that_is_recommended_is_the_one_that_is_spoken_of() -> None:
    result = {"inheritance": record_of(taught()), "decision": {"recommended_strategy": "C-then-D"}}
    assert "C→D" in inheritance_sentences(speaker("en"), result)[0]
    result["decision"]["recommended_strategy"] = "C"
    assert "D sides with" in inheritance_sentences(speaker("en"), result)[1]


def test_too_few_contradicted_queries_are_said_to_be_too_few() -> None:
    ran = taught()
    few = {pair: score for pair, score in ran.teacher_scores.items() if pair[0] in ran.test_queries[:10]}
    result = {"inheritance": record_of(dataclasses.replace(ran, teacher_scores=few)), "decision": {}}
    sentence = inheritance_sentences(speaker("en"), result)[0]
    assert sentence == FINDINGS["too_few_queries"].format(strategy="D")
    assert result["inheritance"]["strategies"]["D"]["difference"]["ci_low"] is None


@pytest.mark.parametrize(
    ("taught_low", "taught_high", "said"), [(0.2, 0.4, True), (-0.4, -0.2, False), (-0.1, 0.1, False)]
)
def test_a_bias_counts_as_taken_over_only_in_the_teachers_own_direction(
    taught_low: float, taught_high: float, said: bool
) -> None:
    found = record_of(taught())
    found["teacher"]["length"] = {"value": 0.0, "ci_low": taught_low, "ci_high": taught_high, "n": 40}
    found["strategies"]["D"]["length_difference"] = {"value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "n": 40}
    lines = inheritance_sentences(speaker("en"), {"inheritance": found, "decision": {}})
    assert any(BIASES["length"] in line for line in lines) == said


def test_a_teacher_that_contradicts_nobody_leaves_nothing_to_inherit() -> None:
    ran = taught()
    grades = {(row.query_id, row.doc_id): float(row.grade) for row in ran.dataset.judgments.itertuples()}
    obedient = {pair: grades.get(pair, 0.0) for pair in ran.teacher_scores}  # type: ignore[call-overload]
    result = {"inheritance": record_of(dataclasses.replace(ran, teacher_scores=obedient)), "decision": {}}
    assert "no error to inherit" in inheritance_sentences(speaker("en"), result)[0]
    assert len(inheritance_table(speaker("en"), result)) == 4
