"""Every code has a sentence in every language, and the sentence asks for no fact that is not given."""

import ast
import dataclasses
import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from string import Formatter
from typing import Any, get_args

import pytest

from rerank.audit.agreement import Binning
from rerank.audit.audit import MEASURES as AUDIT_MEASURES
from rerank.audit.audit import Scope
from rerank.audit.disagreements import MARKS
from rerank.audit.gate import REASONS as AUDIT_REASONS
from rerank.audit.gate import WARNINGS as AUDIT_WARNINGS
from rerank.audit.gate import Colour
from rerank.cost.prices import Price, current_prices
from rerank.decide.decision import decide, gate_one
from rerank.decide.evidence import DECISIONS, REASONS, WOULD_CHANGE, Evidence
from rerank.errors import RerankError
from rerank.intake import codes
from rerank.intake.findings import Finding
from rerank.intake.mapping import ROLES
from rerank.stats.comparison import Comparison, Verdict
from rerank.stats.reasons import COMPARISON_REASONS
from rerank.wording import audits, decisions, errors, facts, findings, names, prices, verdicts
from rerank.wording.language import LANGUAGES, Say, speaker
from tests.catalogue import ROOT, extracted
from tests.seeded import compared as trained

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
TABLES: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "decisions": (decisions.HEADLINES, DECISIONS),
    "reasons of a decision": (decisions.REASONS, REASONS),
    "what would change a decision": (decisions.WOULD_CHANGE, WOULD_CHANGE),
    "gate": (decisions.GATE, ("go", "no_go")),
    "reservations of a comparison": (verdicts.REASONS, COMPARISON_REASONS),
    "verdicts in sentences": (verdicts.SENTENCES, VERDICTS),
    "verdicts in a word": (names.VERDICTS, VERDICTS),
    "findings": (findings.FINDINGS, tuple(codes.FINDINGS)),
    "colours of an audit": (audits.MEANINGS, get_args(Colour)),
    "reasons of an audit": (audits.REASONS, AUDIT_REASONS),
    "warnings of an audit": (audits.WARNINGS, AUDIT_WARNINGS),
    "measures of an audit": (audits.MEASURES, AUDIT_MEASURES),
    "queries of an audit": (audits.SCOPES, get_args(Scope)),
    "grades of an audit": (audits.BINNINGS, get_args(Binning)),
    "marks of disagreements": (audits.MARK_NAMES, MARKS),
    "errors of intake": (errors.ERRORS, tuple(codes.ERRORS)),
    "roles": (facts.WORDS["role"], tuple(ROLES)),
}
DECISION_FACTS = {"single", "second", "longer", "strategy", "n_more_to_judge", "n_more_seeds", "delta", "oracle_delta"}
COMPARISON_FACTS = {"challenger", "reference", "measure", "delta", "interval", "margin", "n"}


def asked(message: str) -> set[str]:
    """Return the facts that a sentence asks for."""
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Yield place and call of every RerankError that the library makes."""
    for path in sorted((ROOT / "rerank").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RerankError":
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node


def literal(node: ast.expr) -> str | None:
    """Return the text of a literal, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


RAISED = [(place, literal(call.args[0]), call) for place, call in raised()]
TRANSLATED = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_sentence_for_every_code_and_for_no_other(name: str) -> None:
    table, wanted = TABLES[name]
    assert set(wanted) - set(table) == set()
    if name not in ("errors of intake", "roles"):
        assert set(table) - set(wanted) == set(), "a sentence that nothing says"


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_translated(name: str, language: str) -> None:
    known = {message.id for message in extracted()}
    say = speaker(language)
    for message in TABLES[name][0].values():
        assert message in known
        assert say(message) != message


@pytest.mark.parametrize(("place", "code"), [(place, code) for place, code, _ in RAISED if code is not None])
def test_every_error_that_is_raised_has_a_sentence(place: str, code: str) -> None:
    assert code in errors.ERRORS
    for language in LANGUAGES:
        assert speaker(language)(errors.ERRORS[code])


def test_every_sentence_of_an_error_is_raised_somewhere() -> None:
    # `defect` is what the worker and the demo's process call an exception that is no RerankError.
    assert set(errors.ERRORS) - {code for _, code, _ in RAISED} <= {"defect", "experiment_is_running"}


@pytest.mark.parametrize(("place", "code", "call"), [item for item in RAISED if item[1] in errors.ERRORS])
def test_an_error_gives_the_facts_that_its_sentence_asks_for(place: str, code: str, call: ast.Call) -> None:
    given = {keyword.arg for keyword in call.keywords}
    if None not in given:  # **facts: what they are is not in the source
        assert asked(errors.ERRORS[code]) <= given


def test_an_error_without_a_literal_code_hands_on_another_ones_facts() -> None:
    assert [place for place, code, call in RAISED if code is None and None not in {k.arg for k in call.keywords}] == []


@pytest.mark.parametrize("code", codes.FINDINGS)
def test_a_finding_gives_the_facts_that_its_sentence_asks_for(code: str) -> None:
    assert asked(findings.FINDINGS[code]) <= set(codes.FINDINGS[code])


@pytest.mark.parametrize("code", codes.ERRORS)
def test_an_intake_error_gives_the_facts_that_its_sentence_asks_for(code: str) -> None:
    assert asked(errors.ERRORS[code]) <= set(codes.ERRORS[code])


def test_decisions_and_verdicts_ask_only_for_facts_that_are_given() -> None:
    for table in (decisions.HEADLINES, decisions.REASONS):
        assert set().union(*map(asked, table.values())) <= DECISION_FACTS
    for table in (decisions.WOULD_CHANGE, decisions.GATE, verdicts.REASONS, names.VERDICTS):
        assert set().union(*map(asked, table.values())) == set()
    assert set().union(*map(asked, verdicts.SENTENCES.values())) <= COMPARISON_FACTS


def test_coded_words_ask_only_for_facts_that_their_error_gives() -> None:
    for reason in facts.WORDS["reason"].values():
        assert asked(reason) <= set(codes.ERRORS["mapping_invalid"])
    for name, words in facts.WORDS.items():
        if name != "reason":
            assert set().union(*map(asked, words.values())) == set()


# --- sentences with their numbers


def comparison(verdict: Verdict, reference: str = "first-stage", challenger: str = "C", **changes: Any) -> Comparison:
    """A comparison as `result.json` holds it, with a number of its own for every fact."""
    values: dict[str, Any] = dict.fromkeys(item.name for item in dataclasses.fields(Comparison))
    values |= {"reference": reference, "challenger": challenger, "measure": "nDCG@10", "verdict": verdict}
    values |= {"confirmatory": True, "margin": 0.021, "n_queries": 63, "negligible": False, "reasons": ()}
    if verdict != "not_comparable":
        values |= {"delta": 0.0417, "ci_low": -0.0082, "ci_high": 0.0916, "p_t": 0.0312, "sd_queries": 0.12}
        values |= {"se": 0.0155, "df": 62.0, "p_tost": 0.6, "p_not_worse": 0.02}
    return Comparison(**(values | changes))


def record(found: Comparison) -> dict[str, Any]:
    """A comparison as JSON."""
    return dataclasses.asdict(found)


def numbers(sentence: str) -> Counter[str]:
    """Return every number of a sentence with its sign."""
    return Counter(re.findall(r"[+−±-]?\d+(?:,\d{3})*(?:\.\d+)?", sentence))


CASES: Mapping[str, Comparison] = {
    **{verdict: comparison(verdict) for verdict in VERDICTS},
    "better but negligible": comparison("better", negligible=True),
    "inconclusive with a number of queries": comparison("inconclusive", n_more_queries=1234),
    "two stages": comparison("worse", "C", "C-then-D", delta=-0.0312, ci_low=-0.06, ci_high=-0.0024),
}


@pytest.mark.parametrize("name", CASES)
def test_a_comparison_carries_the_same_numbers_in_every_language(name: str) -> None:
    english, *others = (
        numbers(verdicts.comparison_sentence(speaker(language), record(CASES[name])))
        for language in ("en", *TRANSLATED)
    )
    assert others == [english] * len(others)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comparison_names_difference_interval_and_queries(language: str) -> None:
    sentence = verdicts.comparison_sentence(speaker(language), record(comparison("better")))
    assert "+0.042" in sentence
    assert "[−0.008, +0.092]" in sentence
    assert numbers(sentence)["63"] == 1


def test_a_comparison_reads_as_english_and_as_japanese() -> None:
    found = record(comparison("inconclusive", n_more_queries=1200))
    assert verdicts.comparison_sentence(speaker("en"), found) == (
        "The data do not say whether C differs from First stage: +0.042 nDCG@10, 95 % interval [−0.008, +0.092], "
        "63 queries. About 1,200 more test queries would probably settle it."
    )
    assert verdicts.comparison_sentence(speaker("ja"), found) == (
        "Cと第一段検索に差があるかどうか、このデータからは判断できません（nDCG@10の差+0.042、95%信頼区間"
        "[−0.008, +0.092]、クエリ63件）。テストクエリをあと約1,200件追加すれば、結論が出る見込みです。"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_intervals_that_disagree_are_named_by_their_level_and_not_by_alpha(language: str) -> None:
    found = record(comparison("better", reasons=("bca_disagrees",)))
    (sentence,) = verdicts.reason_sentences(speaker(language), found)
    assert numbers(sentence) >= Counter(["95", "0"])
    assert "BCa" in sentence
    assert "α" not in sentence


@pytest.mark.parametrize(
    ("changes", "english"),
    [
        ({"p_adjusted": 0.0123, "p_t": 0.006}, "p = .012 (Holm)"),
        ({"p_adjusted": 0.0001, "p_t": 0.0001}, "p < .001 (Holm)"),
        ({"p_t": 0.2, "p_seed_aware": 0.345}, "p = .345"),
        ({"p_t": 0.0002}, "p < .001"),
        ({"p_t": None}, ""),
    ],
)
def test_the_p_value_that_decided_is_shown(changes: dict[str, float | None], english: str) -> None:
    found = record(comparison("inconclusive", **changes))
    assert verdicts.significance(speaker("en"), found) == english
    for language in TRANSLATED:
        assert re.findall(r"[\d.]+", verdicts.significance(speaker(language), found)) == re.findall(r"[\d.]+", english)


def situations() -> Iterator[dict[str, Any]]:
    """Yield results with every decision that the verdicts of the two questions and the free baseline lead to."""
    cases: list[tuple[Verdict | None, bool]] = [(None, False), ("better", True), *((v, False) for v in VERDICTS)]
    audits = (None, "amber", "red")
    longer = {
        "amber": comparison("equivalent", "C-long", "C-then-D"),
        "red": comparison("inconclusive", "C-long", "C-then-D"),
    }
    for (single, small), (second, tiny), (free, _), audit in product(cases, cases, cases[:4], audits):
        one = comparison(single, negligible=small, n_more_queries=45) if single else None
        if single == "inconclusive" and audit == "amber":
            one = trained((0.03, 0.08))  # training luck hides it
        two = comparison(second, "C", "C-then-D", negligible=tiny, reasons=("luck_unknown",)) if second else None
        evidence = Evidence(
            blocking_findings=(),
            oracle_delta=0.3,
            margin=0.021,
            single=one,
            free_baselines=(comparison(free, challenger="embedding"),) if free else (),
            free_against_single=(comparison("inconclusive", "embedding"),) if free else (),
            second=two,
            net_usd={} if audit else {("C", "C-then-D"): -1.0},
            distillation_wanted=True,
            teacher_audit=audit,
            second_against_longer=longer.get(audit or ""),
        )
        decision = dataclasses.asdict(decide(evidence))
        decision |= {"single_strategy": "C" if one else None, "second_strategy": "C-then-D" if two else None}
        decision["longer_strategy"] = "C-long" if audit else None
        compared = [record(found) for found in (one, two) if found is not None]
        yield {"decision": decision, "comparisons": compared, "gate_one": gate_one(evidence)}


def unfilled(lines: list[str]) -> list[str]:
    return [line for line in lines if re.search(r"[{}]|_", line) or not line.strip()]


def test_every_decision_is_said_with_the_same_numbers_in_every_language() -> None:
    seen = set()
    for result in situations():
        seen.add(result["decision"]["code"])
        english = decisions.decision_sentences(speaker("en"), result)
        assert unfilled(english) == []
        for language in TRANSLATED:
            other = decisions.decision_sentences(speaker(language), result)
            assert unfilled(other) == []
            assert [numbers(line) for line in other] == [numbers(line) for line in english]
            assert decisions.gate_sentence(speaker(language), result["gate_one"])
    assert seen == set(DECISIONS) - {"repair_first_stage"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_recommendation_of_gate_one_has_its_own_sentence(language: str) -> None:
    said = {decisions.gate_sentence(speaker(language), {"recommended": code}) for code in (*decisions.GATE, None)}
    assert len(said) == 3


def test_a_first_stage_that_leaves_no_room_is_said() -> None:
    decision = {"code": "repair_first_stage", "reasons": ["ceiling_small"], "would_change": list(WOULD_CHANGE)}
    decision |= {"next_numbers": {"oracle_delta": 0.01}, "single_strategy": None, "second_strategy": None}
    for language in LANGUAGES:
        said = []
        for oracle in (0.8, 0.97):
            result = {"decision": decision, "comparisons": [], "first_stage": {"oracle": oracle}}
            sentences = decisions.decision_sentences(speaker(language), result)
            assert unfilled(sentences) == []
            said.append(sentences[0])
        # Candidates that lack what is relevant are something to repair; a nearly perfect order is not.
        assert said[0] != said[1]


# --- errors and findings with their facts


def sample_of(name: str) -> object:
    return {"counts": {"0": 3, "2": 4}, "share": 0.87, "grades": [0, 2], "rows": [1, 2]}.get(name, f"<{name}>")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", codes.FINDINGS)
def test_a_finding_is_said_with_all_its_facts(code: str, language: str) -> None:
    given = {name: sample_of(name) for name in codes.FINDINGS[code]}
    sentence = findings.finding_sentence(speaker(language), Finding("error", code, facts=given))
    for name in asked(findings.FINDINGS[code]):
        assert f"({name})" not in sentence
    for name, value in given.items():
        if name in asked(findings.FINDINGS[code]) and isinstance(value, str):
            assert value in sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", errors.ERRORS)
def test_an_error_is_said_with_its_facts_and_survives_without_them(code: str, language: str) -> None:
    say = speaker(language)
    given = {name: f"<{name}>" for name in asked(errors.ERRORS[code])}
    sentence = errors.error_sentence(say, code, given)
    assert all(value in sentence for value in given.values())
    assert errors.error_sentence(say, code, {})


def test_an_unknown_code_is_shown_as_it_is() -> None:
    say = speaker("ja")
    assert errors.error_sentence(say, "brand_new", {"n": 3}) == str(RerankError("brand_new", n=3))
    assert findings.finding_sentence(say, Finding("error", "brand_new")) == "brand_new"


def test_braces_in_what_a_user_wrote_are_no_placeholders() -> None:
    for language in LANGUAGES:
        assert "{0} {field}" in errors.error_sentence(speaker(language), "input_not_found", {"path": "{0} {field}"})


@pytest.mark.parametrize(
    ("code", "given", "english", "japanese"),
    [
        ("budget_spent", {"limit": 30, "unit": "minutes"}, "(30 minutes)", "（30 分）"),
        (
            "mapping_invalid",
            {"path": "m.toml", "section": "queries", "reason": "unknown_field", "field": "colour"},
            "[queries]: there is no field “colour”.",
            "[queries]に問題があります（項目「colour」はありません）。",
        ),
        ("embedding_needed", {"kind": "rrf"}, "“Both, fused by rank”", "「両方（順位で統合）」"),
    ],
)
def test_codes_inside_an_error_are_said_in_words(
    code: str, given: dict[str, object], english: str, japanese: str
) -> None:
    assert english in errors.error_sentence(speaker("en"), code, given)
    assert japanese in errors.error_sentence(speaker("ja"), code, given)


def test_codes_inside_a_finding_are_said_in_words() -> None:
    orphan = Finding("error", "orphan_judgment", facts={"missing": "query and document"})
    assert findings.finding_sentence(speaker("ja"), orphan) == "判定のクエリと文書がサンプルにありません。"
    column = Finding("error", "column_missing", facts={"role": "judgments", "field": "grade", "columns": "a, b"})
    assert findings.finding_sentence(speaker("ja"), column).startswith("「判定」にはgradeの列が必要です")
    japanese = Finding("info", "japanese_text", facts={"share": 0.87})
    assert "87%" in findings.finding_sentence(speaker("en"), japanese)


def test_a_language_that_is_not_known_is_english() -> None:
    assert isinstance(speaker("xx"), Say)
    assert speaker("xx")("Queries") == "Queries"
    assert speaker("ja")("") == ""


def test_every_coded_word_is_given_somewhere() -> None:
    texts = {
        node.value
        for path in (ROOT / "rerank").rglob("*.py")
        if "wording" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    own = {word for words in facts.WORDS.values() for word in words} - {"unknown"}  # an upload's role before it is set
    assert own - texts == set()


# --- prices


def test_the_words_of_the_bundled_prices_are_in_the_bundled_table() -> None:
    bundled = current_prices()
    assert set(prices.ITEMS) <= {price.item for price in bundled}
    assert set(prices.UNITS) <= {price.unit for price in bundled}
    assert set(prices.SOURCES) <= {price.source for price in bundled}


def test_a_price_is_said_with_its_date_and_an_old_or_assumed_one_is_called_that() -> None:
    assumed = Price(
        "labour", "relevance judge (placeholder: set your own)", "hour", 30.0, "2020-01-02", "our wage list"
    )
    today = datetime.date(2024, 5, 6)
    assert prices.price_sentence(speaker("en"), assumed, today) == (
        "Price: relevance judge (placeholder: set your own), $30.00 per hour, 2020-01-02, our wage list. "
        "This price is more than a year old. An assumption: put in your own."
    )
    assert prices.price_sentence(speaker("ja"), assumed, today) == (
        "単価：関連度の判定者（仮の値）、1時間あたり$30.00（2020-01-02時点、出典：our wage list）。"
        "この単価は1年以上前のものです。これは仮の値です。自社の単価に置き換えてください。"
    )
    fresh = Price("gpu", "H100 80GB", "hour", 6.88, "2024-05-01", "AWS")
    assert prices.price_sentence(speaker("ja"), fresh, today) == (
        "単価：H100 80GB、1時間あたり$6.88（2024-05-01時点、出典：AWS）。"
    )
