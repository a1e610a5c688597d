"""A teacher's audit in words: a free teacher is named as one."""

import pytest

from rerank.wording.audits import FREE_TEACHERS, evidence_sentence, free_sentence
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.names import TEACHERS

AUDIT = {
    "teacher": "embedding",
    "baseline": "first-stage",
    "n_queries": 30,
    "delta": 0.05,
    "measure": "nDCG@10",
    "ci_low": 0.01,
    "ci_high": 0.09,
}


def test_what_the_colour_rests_on_has_no_brackets_in_brackets() -> None:
    assert evidence_sentence(speaker("en"), AUDIT) == (
        "Teacher: The embedded encoder (free). Against First stage on 30 queries: +0.050 nDCG@10, 95 % interval "
        "[+0.010, +0.090]."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("teacher", TEACHERS)
def test_only_a_free_teacher_is_said_to_be_one(language: str, teacher: str) -> None:
    assert bool(free_sentence(speaker(language), AUDIT | {"teacher": teacher})) == (teacher in FREE_TEACHERS)
