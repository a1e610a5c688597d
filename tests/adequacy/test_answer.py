"""Is this sample good enough? The rule, what it rests on, and what to judge next."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from rerank.adequacy.answer import (
    BLOCKING,
    CODES,
    LIMITING,
    MATERIAL,
    NOTES,
    NOTICEABLE,
    STEPS,
    answer_of,
)
from rerank.adequacy.lists import first_ten
from rerank.adequacy.report import Adequacy, adequacy_of, record_of
from rerank.adequacy.sample import Judged, Raters, Repeats, Sample, Segment, sample_of
from rerank.adequacy.to_judge import COLUMNS, next_queries, to_judge
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.sources import Source
from rerank.planning.plan import Plan
from rerank.planning.power import minimum_detectable_effect
from rerank.report.spreadsheets import csv_bytes
from rerank.store.artefacts import write_json
from tests.conftest import tiny_files

PLAN = Plan(dataset_digest="d" * 64)


def sample(n: int, **changes: object) -> Sample:
    """A sample of n usable queries with nothing to complain about but perhaps their number."""
    found = Sample(
        measure="nDCG@10",
        n_queries=n,
        n_without_judgments=0,
        n_without_relevant=0,
        n_usable=n,
        n_train=round(n * 0.64),
        n_judgments=10 * n,
        sd_first=0.19,
        sd_between=0.10,
        from_pilot=False,
        alpha=0.05,
        margin=0.02,
        n_questions=2,
        detectable_first=minimum_detectable_effect(n, 0.19, comparisons=2),
        detectable_between=minimum_detectable_effect(n, 0.10, comparisons=2),
        half_width=1.96 * 0.19 / math.sqrt(max(1, n)),
        judged=(Judged("bm25", 0.9, 10 * n, n),),
        grades={"0": 5 * n, "1": 5 * n},
        relevant_share=0.5,
        n_one_grade=0,
        segments=(),
        repeats=Repeats(n, 1, 0),
        raters=None,
        implicit=False,
        one_search=False,
        language="",
        models=(),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def codes(said: object) -> list[str]:
    return [item.code for item in said]  # type: ignore[attr-defined]


def test_the_thresholds_need_the_queries_that_a_power_analysis_asks_for() -> None:
    """Two-sided paired t at α/2 = .025, power .8, SD .19, from statsmodels."""
    for gain, expected in ((NOTICEABLE, 140), (MATERIAL, 37)):
        exact = TTestPower().solve_power(effect_size=gain / 0.19, alpha=0.025, power=0.8, alternative="two-sided")
        assert math.ceil(exact) == expected


@pytest.mark.parametrize(
    ("n", "code", "reason"),
    [
        (1, "not_enough", "too_few_queries"),
        (14, "not_enough", "too_few_queries"),
        (36, "not_enough", "gain_must_be_material"),
        (37, "large_effects_only", "gain_must_be_large"),
        (139, "large_effects_only", "gain_must_be_large"),
        (140, "enough", None),
    ],
)
def test_the_number_of_queries_decides_first(n: int, code: str, reason: str | None) -> None:
    answer = answer_of(sample(n))
    assert answer.code == code
    assert [item for item in codes(answer.reasons) if item not in NOTES] == ([reason] if reason else [])
    assert answer.n_more == max(0, 140 - n)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"judged": (Judged("bm25", 0.49, 3000, 300), Judged("run", 0.3, 3000, 300))}, "few_judged_at_depth"),
        ({"raters": Raters(0.66, 3, 100)}, "raters_disagree"),
        ({"implicit": True}, "implicit_judgments"),
        ({"repeats": Repeats(137, 4, 0)}, "queries_repeat"),
    ],
)
def test_a_limit_leaves_large_effects_only(changes: dict[str, object], reason: str) -> None:
    answer = answer_of(sample(300, **changes))
    assert (answer.code, [item for item in codes(answer.reasons) if item in LIMITING]) == (
        "large_effects_only",
        [reason],
    )
    assert answer_of(sample(20, **changes)).code == "not_enough"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"judged": (Judged("bm25", 0.2, 3000, 300), Judged("run", 0.5, 3000, 300))}, None),
        ({"raters": Raters(0.67, 3, 100)}, None),
        ({"repeats": Repeats(290, 4, 0)}, None),
        ({"detectable_between": 0.021}, "strategies_hard_to_part"),
        ({"one_search": True}, "only_one_search_judged"),
        ({"relevant_share": 0.91}, "judgments_one_sided"),
        ({"segments": (Segment("a", 286, 0.03), Segment("b", 14, 0.2))}, "small_segments"),
        ({"repeats": Repeats(290, 30, 40)}, "chains_divided"),
        ({"language": "japanese_text", "models": ("a/b",)}, "language"),
    ],
)
def test_a_note_changes_nothing(changes: dict[str, object], reason: str | None) -> None:
    answer = answer_of(sample(300, **changes))
    assert answer.code == "enough"
    assert codes(answer.reasons) == ([reason] if reason else [])
    assert codes(answer.steps)[0] == "make_plan"


def test_what_to_do_begins_with_what_lies_in_the_sample() -> None:
    answer = answer_of(sample(100, n_queries=130, n_without_judgments=20, n_without_relevant=10))
    assert codes(answer.steps) == ["judge_log_queries", "judge_deeper", "find_new_queries"]
    assert [item.facts["n"] for item in answer.steps] == [20, 10, 10]
    assert answer.steps[0].facts["n_more"] == 40


def test_half_of_the_first_ten_is_what_is_asked_for() -> None:
    """.49 of 3,000 are judged: 30 more make half."""
    (step,) = [
        s
        for s in answer_of(sample(300, judged=(Judged("bm25", 0.49, 3000, 300),))).steps
        if s.code == "judge_first_ten"
    ]
    assert step.facts["n"] == 30


@given(n=st.integers(0, 2000), share=st.floats(0, 1), alpha=st.floats(-1, 1), groups=st.floats(0.1, 1))
def test_more_queries_never_make_the_answer_worse(n: int, share: float, alpha: float, groups: float) -> None:
    def of(size: int) -> int:
        found = answer_of(
            sample(
                size,
                judged=(Judged("bm25", share, 10 * size, size),),
                raters=Raters(alpha, 2, 50),
                repeats=Repeats(math.ceil(groups * size), 2, 0),
            )
        )
        assert set(codes(found.reasons)) <= {*BLOCKING, *LIMITING, *NOTES}
        assert set(codes(found.steps)) <= set(STEPS)
        return CODES.index(found.code)

    assert of(n + 50) <= of(n)


# --- from files


LOG = "".join(
    f"u{number},how to mend a {word} quickly,late\n" for number, word in enumerate(("kettle", "bridge", "jacket"))
)


MORE = f"\n{LOG}u9,how to mend a kettle quickly?,late\nu10,about candle 2 !,odd\n".encode()


def with_log() -> Dataset:
    """The tiny sample of 40 judged queries in two segments, with three queries that nobody judged, and one repeated."""
    queries, documents, judgments = tiny_files()
    return finish(read_files([replace(queries, data=queries.data + MORE), documents, judgments]), "log")


def report(dataset: Dataset, findings: object = ()) -> Adequacy:
    return adequacy_of(dataset, findings, PLAN, n_questions=2)  # type: ignore[arg-type]


def test_the_figures_are_those_of_the_sample() -> None:
    found = report(with_log()).sample
    assert (found.n_queries, found.n_usable, found.n_without_judgments, found.n_without_relevant) == (45, 40, 5, 0)
    assert (found.n_judgments, found.grades) == (200, {"0": 120, "1": 40, "2": 40})
    assert found.relevant_share == pytest.approx(80 / 200)
    assert [(item.name, item.n_queries) for item in found.segments] == [("even", 20), ("odd", 20)]
    assert found.n_train == round(40 * 0.8 * 0.8)
    assert found.half_width == pytest.approx(1.96 * 0.19 / math.sqrt(40), rel=1e-3)
    assert found.repeats == Repeats(40, 1, 0)


def test_the_judged_share_is_counted_at_ten() -> None:
    """One query, 12 documents with its word, of which the user's run ranks all; two of the first ten are judged."""
    documents = "doc_id,text\n" + "".join(f"d{n},kettle {'x ' * n}\n" for n in range(12))
    run = "".join(f"q1 Q0 d{n} {n + 1} {99 - n} mine\n" for n in range(12))
    files = {"queries.csv": "query_id,text\nq1,kettle\n", "documents.csv": documents, "run.txt": run}
    files["judgments.csv"] = "query_id,doc_id,grade\nq1,d0,2\nq1,d9,0\nq1,d10,0\n"
    dataset = finish(read_files([Source(name, text.encode()) for name, text in files.items()]), "one")
    found = {item.system: (item.share, item.n_pairs) for item in report(dataset).sample.judged}
    assert found == {"run": (0.2, 10), "bm25": (0.2, 10)}


def test_raters_are_named_when_two_have_judged_the_same() -> None:
    rows = "".join(f"q{n},d{n % 8}_0,{rater},{n % 3}\n" for n in range(12) for rater in ("a", "b"))
    queries, documents, _ = tiny_files()
    ratings = Source("ratings.csv", f"query_id,doc_id,rater,rating\n{rows}".encode())
    found = report(finish(read_files([queries, documents, ratings]), "rated")).sample
    assert found.raters == Raters(1.0, 2, 12)
    assert report(with_log()).sample.raters is None


def test_new_queries_come_from_the_thinnest_segment_and_say_something_new() -> None:
    """“late” has no usable query yet. u10 is q2 but for a sign, u9 is u0."""
    found = next_queries(with_log(), PLAN, 3)
    assert found == ["u0", "u1", "u2"]
    assert next_queries(with_log(), PLAN, 99) == found
    assert next_queries(with_log(), PLAN, 1) == ["u0"]


def test_the_list_begins_with_new_queries_and_holds_nothing_judged() -> None:
    dataset = with_log()
    rows = report(dataset).to_judge
    assert tuple(rows.columns) == COLUMNS
    kinds = rows["why"].drop_duplicates().tolist()
    assert kinds == ["new_query", "unjudged_on_top"]
    assert rows["query_id"].iloc[0] == "u0"
    judged = set(zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True))
    assert not judged & set(zip(rows["query_id"], rows["doc_id"], strict=True))
    assert not rows.duplicated(["query_id", "doc_id"]).any()


def test_the_weight_is_what_a_document_can_move_between_two_searches() -> None:
    """Discounts 1/log2(rank + 1): 1 at 1, .6309 at 2, .5 at 3. d2 stands at 2 and 3: .1309. d3 only at 1: 1."""
    one = pd.DataFrame({"query_id": "q0", "doc_id": ["d1_0", "d2_0"], "rank": [1, 2]})
    two = pd.DataFrame({"query_id": "q0", "doc_id": ["d3_0", "d1_0", "d2_0"], "rank": [1, 2, 3]})
    dataset = finish(read_files(tiny_files()), "tiny")
    rows = to_judge(dataset, PLAN, {"a": one, "b": two}, [])
    unjudged = {"d3_0": 1.0, "d2_0": 0.1309}  # d1_0 is judged for q0
    assert dict(zip(rows["doc_id"], rows["weight"], strict=True)) == unjudged
    alone = to_judge(dataset, PLAN, {"a": one}, [])
    assert dict(zip(alone["doc_id"], alone["weight"], strict=True)) == {"d2_0": 0.6309}


def test_the_filled_list_is_read_back_with_the_sample() -> None:
    """As somebody would: download, fill in, upload together with the old files."""
    queries, documents, judgments = tiny_files()
    dataset = with_log()
    rows = report(dataset).to_judge
    rows = rows.assign(grade=["2" if why == "new_query" else "" for why in rows["why"]])
    filled = Source("to-judge.csv", csv_bytes(rows))
    again = finish(read_files([replace(queries, data=queries.data + MORE), documents, judgments, filled]), "again")
    new = int((rows["why"] == "new_query").sum())
    assert len(again.judgments) == 200 + new
    assert len(again.documents) == len(dataset.documents)
    assert report(again).sample.n_usable == 43
    alone = read_files([filled])
    assert len(alone.frames["judgments"]) == new


def test_lists_that_were_computed_elsewhere_count_too(tiny: Dataset) -> None:
    computed = {"embedding": pd.DataFrame({"query_id": ["q0", "q0"], "doc_id": ["d0_0", "d5_0"], "rank": [1, 11]})}
    lists = first_ten(tiny, ["q0"], computed)
    assert list(lists) == ["bm25", "embedding"]
    found = sample_of(tiny, (), lists, PLAN, n_questions=2)
    assert next(item for item in found.judged if item.system == "embedding") == Judged("embedding", 1.0, 1, 1)


def test_nothing_judged_is_an_answer_too(tmp_path: Path) -> None:
    queries, documents, _ = tiny_files()
    draft = read_files([queries, documents])
    dataset = finish(draft, "none", keep_good_rows=True)
    found = report(dataset, draft.findings)
    assert (found.answer.code, codes(found.answer.reasons)) == ("not_enough", ["no_judgments"])
    assert codes(found.answer.steps)[0] == "judge_log_queries"
    assert set(found.to_judge["why"]) == {"new_query"}
    record = record_of(found)
    assert record["figures"]["detectable_first"] is None
    write_json(tmp_path / "record.json", record)


def test_a_spread_from_a_pilot_replaces_the_typical_one(tiny: Dataset) -> None:
    found = adequacy_of(tiny, (), PLAN, n_questions=2, pilot_sd=0.05).sample
    assert (found.from_pilot, found.sd_first) == (True, 0.05)
    assert found.detectable_first == pytest.approx(report(tiny).sample.detectable_first * 0.05 / 0.19)
