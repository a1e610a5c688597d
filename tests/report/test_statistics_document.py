"""docs/statistics.md explains every code that a result can hold, with the constants of the code."""

import re
from pathlib import Path
from typing import get_args

import pytest

from rerank.adequacy.answer import CODES as ADEQUACY
from rerank.adequacy.answer import MATERIAL, NOTICEABLE, ONE_SIDED_SHARE, STEPS
from rerank.adequacy.answer import REASONS as SAMPLE_REASONS
from rerank.adequacy.lists import MAX_DOCUMENTS
from rerank.adequacy.to_judge import MAX_ROWS
from rerank.audit.audit import MEASURES
from rerank.audit.gate import MARK, MAX_MALFORMED_SHARE, WARNINGS
from rerank.audit.gate import REASONS as AUDIT_REASONS
from rerank.audit.inheritance import FINDINGS
from rerank.audit.intervals import N_BOOTSTRAPS as N_AUDIT_BOOTSTRAPS
from rerank.audit.probes import MAX_QUERIES
from rerank.decide.decision import CEILING_FACTOR
from rerank.decide.evidence import DECISIONS, REASONS, WOULD_CHANGE
from rerank.decide.next_money import OPTION_STATUSES, SURER
from rerank.intake.agreement import TENTATIVE_ALPHA
from rerank.intake.pool import LOW_SHARE, POOL_SHARE
from rerank.planning.power import POWER, SD_BETWEEN_RERANKERS, SD_FIRST_STAGE
from rerank.report.decision import MAX_LEFT_OUT_SHARE
from rerank.report.next_money import ASSUMPTIONS, FACTORS
from rerank.stats.compare import MIN_QUERIES
from rerank.stats.comparison import Verdict
from rerank.stats.learning_curve import ASSUMED_DF, ASSUMED_LUCK, EXPONENTS, FAR, MIN_POINTS, NEAR, CurveStatus
from rerank.stats.more_queries import MAX_FACTOR, N_DRAWS, PROBABILITY
from rerank.stats.reasons import COMPARISON_REASONS
from rerank.stats.sensitivity import N_BOOTSTRAPS, N_PERMUTATIONS
from rerank.wording.inheritance import FINDINGS as SPOKEN

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")


def explained(section: str, table: int = -1) -> set[str]:
    """The codes in the first column of a table, by default the last one of a section."""
    text = DOCUMENT.split(f"\n## {section}")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    firsts = [line.split("|")[1] for line in blocks[table].splitlines()[2:]]
    return set(re.findall(r"`(\w+)`", " ".join(firsts)))


def test_every_verdict_has_its_rule() -> None:
    assert explained("Verdict") == set(get_args(Verdict))


def test_every_reason_of_a_comparison_is_explained() -> None:
    assert explained("Reasons of a comparison") == set(COMPARISON_REASONS)


def test_every_reason_of_a_decision_and_what_would_change_it_are_explained() -> None:
    assert explained("Decision", 1) == set(REASONS)
    assert explained("Decision", 2) == set(WOULD_CHANGE)


def test_every_code_about_the_next_money_is_explained() -> None:
    section = "Where the next money goes"
    assert explained(section, 0) == set(get_args(CurveStatus))
    assert explained(section, 1) == set(OPTION_STATUSES)
    assert explained(section, 2) == set(ASSUMPTIONS)


def test_every_code_about_a_sample_is_explained() -> None:
    section = "Is the sample good enough?"
    assert explained(section, 0) == set(ADEQUACY)
    assert explained(section, 1) == set(SAMPLE_REASONS)
    assert explained(section, 2) == set(STEPS)
    text = DOCUMENT.split(f"\n## {section}")[1].split("\n## ")[0]
    assert f"first stage is above {MATERIAL:.2f}" in text
    assert f"It is above {NOTICEABLE:.2f}" in text
    assert f"of the ratings is below {TENTATIVE_ALPHA}" in text
    assert f"At least {POOL_SHARE:.0%}".replace("%", " %") in text
    assert f"More than {ONE_SIDED_SHARE:.0%}".replace("%", " %") in text
    assert f"up to {MAX_DOCUMENTS:,} documents" in text
    assert f"At most {MAX_ROWS:,} rows" in text
    assert LOW_SHARE == 0.5  # "half"


def test_every_measure_reason_and_warning_of_an_audit_is_explained() -> None:
    assert explained("Teacher audit", 0) == set(MEASURES)
    assert explained("Teacher audit", 1) == set(AUDIT_REASONS)
    assert explained("Teacher audit", 2) == set(WARNINGS)


def test_every_finding_about_a_student_is_explained() -> None:
    assert explained("After distillation") == set(FINDINGS) == set(SPOKEN)


@pytest.mark.parametrize("code", DECISIONS)
def test_every_decision_has_a_rule(code: str) -> None:
    assert f"`{code}`" in DOCUMENT.split("\n## Decision")[1]


def test_the_constants_are_those_of_the_code() -> None:
    assert f"Fewer than {MIN_QUERIES} common queries" in DOCUMENT
    assert f"If {MAX_FACTOR} times the sample" in DOCUMENT
    assert f"{PROBABILITY}, found by simulation (`rerank/stats/more_queries.py`), {N_DRAWS:,} draws" in DOCUMENT
    assert f"{N_PERMUTATIONS:,} resamples" in DOCUMENT
    assert f"{N_BOOTSTRAPS:,} resamples" in DOCUMENT
    assert f"Bootstrap: {N_AUDIT_BOOTSTRAPS:,} samples" in DOCUMENT
    assert f"beyond {MARK} (one pair" in DOCUMENT
    assert f"`malformed` is above {MAX_MALFORMED_SHARE}" in DOCUMENT
    assert f"of up to {MAX_QUERIES} queries" in DOCUMENT
    assert f"Less than {CEILING_FACTOR:.0f} δ" in DOCUMENT
    assert f"left out / (left out + kept) > {MAX_LEFT_OUT_SHARE}" in DOCUMENT
    assert f"power {POWER}" in DOCUMENT
    assert f"{SD_BETWEEN_RERANKERS:.2f} between two re-rankers and {SD_FIRST_STAGE:.2f}" in DOCUMENT
    assert f"Fewer than {MIN_POINTS} sizes" in DOCUMENT
    assert f"Offers go up to {FACTORS[-1]:.0f} times the queries; beyond {NEAR:.0f} times" in DOCUMENT
    assert FACTORS[-1] == FAR
    assert "c is log-uniform from {} to {:.0f}".format(*EXPONENTS) in DOCUMENT
    assert f"{ASSUMED_DF:.0f} assumed ones with SD {ASSUMED_LUCK}" in DOCUMENT
    assert f"becomes likelier by {SURER}" in DOCUMENT
