"""Every answer about a sample is a sentence in every language, with its facts filled in."""

import re

import pytest

from rerank.adequacy.answer import CODES, REASONS, STEPS, answer_of
from rerank.adequacy.sample import Judged, Raters, Repeats, Sample, Segment
from rerank.adequacy.to_judge import WHY
from rerank.wording import adequacy
from rerank.wording.language import LANGUAGES, speaker
from tests.adequacy.test_answer import sample


def test_every_code_has_its_sentence() -> None:
    assert set(adequacy.ANSWERS) == set(CODES)
    assert set(adequacy.REASONS) == set(REASONS)
    assert set(adequacy.STEPS) == set(STEPS)
    assert set(adequacy.WHYS) == set(WHY)


WORST = {
    "n_queries": 400,
    "n_without_judgments": 9,
    "n_without_relevant": 8,
    "judged": (Judged("bm25", 0.2, 100, 10), Judged("run", 0.1, 100, 10), Judged("embedding", 0.1, 100, 10)),
    "raters": Raters(0.3, 3, 50),
    "implicit": True,
    "one_search": True,
    "relevant_share": 0.95,
    "segments": (Segment("", 5, 0.3), Segment("a", 40, 0.09), Segment("b", 400, 0.03), Segment("c", 20, 0.2)),
    "language": "japanese_text",
    "models": ("a/b",),
}
SAMPLES = [
    sample(20, repeats=Repeats(16, 3, 9), **WORST),
    sample(60, repeats=Repeats(30, 3, 9), **WORST),
    sample(9),
    sample(300),
    sample(0),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("found", SAMPLES, ids=["worst", "middle", "few", "good", "empty"])
def test_every_sentence_has_its_facts(language: str, found: Sample) -> None:
    say = speaker(language)
    answer = answer_of(found)
    lines = [*adequacy.answer_lines(say, answer, found), adequacy.basis_sentence(say, found)]
    for frame in (adequacy.figures_frame(say, found), adequacy.segments_frame(say, found)):
        lines += [str(cell) for row in frame.to_numpy().tolist() for cell in row]
    assert len(lines) > 5
    for line in lines:
        assert not re.search(r"[{}]|\bnan\b|\binf\b|_", line), line


def test_the_worst_sample_is_said_in_plain_words() -> None:
    say = speaker("en")
    found = SAMPLES[0]
    lines = adequacy.answer_lines(say, answer_of(found), found)
    assert lines[:3] == [
        "Is this sample good enough?",
        "  Not enough: with this sample a real gain would probably be missed.",
        "  - 20 queries show a gain over today's search of 0.140 nDCG@10 or more; smaller ones, which are the usual "
        "ones, would be missed. Whatever comes out will be uncertain by about ± 0.083.",
    ]
    assert "  - Of the first 10 results of BM25 (search by words) only 20% are judged." in "\n".join(lines)


def test_a_share_of_judged_results_says_of_how_many_queries() -> None:
    frame = adequacy.figures_frame(speaker("en"), SAMPLES[0]).set_index("Figure")["What it means"]
    said = {name: text for name, text in frame.items() if str(name).startswith("Judged of the first ten")}
    assert said["Judged of the first ten: the embedding"].startswith("100 results of 10 queries in the newest run;")
    assert said["Judged of the first ten: BM25 (search by words)"].startswith("100 results of 10 usable queries;")
