"""What the checks find out about a sample as a whole."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rerank.errors import RerankError
from rerank.intake.agreement import agreement_of, judgments_from
from rerank.intake.clicks import coec
from rerank.intake.disk import read_folder
from rerank.intake.findings import Finding
from rerank.intake.finish import finish
from rerank.intake.formats.orderings import parse_ordering
from rerank.intake.near_duplicates import near_pairs
from rerank.intake.personal import mask
from rerank.intake.reading import Draft, read_files
from rerank.intake.remembered import recall, remember
from rerank.intake.sources import Choice
from rerank.intake.storage import load_dataset, load_findings, load_rejected, save_dataset
from tests.intake.layouts import DOCUMENTS, LAYOUTS, QUERIES, text


def found(draft: Draft, code: str) -> Finding:
    return next(finding for finding in draft.findings if finding.code == code)


def codes(draft: Draft) -> set[str]:
    return {finding.code for finding in draft.findings}


# --- raters


def test_agreement_is_krippendorffs_alpha() -> None:
    """The published example of three coders whose interval alpha is .811."""
    nan = np.nan
    table = [
        [nan, nan, nan, nan, nan, 3, 4, 1, 2, 1, 1, 3, 3, nan, 3],
        [1, nan, 2, 1, 3, 3, 4, 3, nan, nan, nan, nan, nan, nan, nan],
        [nan, nan, 2, 1, 3, 4, 4, nan, 2, 1, 1, 3, 3, nan, 4],
    ]
    rows = [
        {"query_id": "q", "doc_id": f"d{unit}", "rater": f"r{rater}", "grade": grade}
        for rater, grades in enumerate(table)
        for unit, grade in enumerate(grades)
        if not np.isnan(grade)
    ]
    assert agreement_of(pd.DataFrame(rows)) == pytest.approx(0.811, abs=0.0005)


def test_agreement_is_undefined_when_all_say_the_same() -> None:
    rows = [{"query_id": "q", "doc_id": "d", "rater": rater, "grade": 1} for rater in "ab"]
    assert agreement_of(pd.DataFrame(rows)) is None


def test_a_judgment_is_the_mean_of_its_ratings_with_halves_rounded_up() -> None:
    rows = [("d1", 1), ("d1", 2), ("d2", 0), ("d2", 0), ("d2", 1), ("d3", 3)]
    frame = pd.DataFrame([{"query_id": "q", "doc_id": d, "grade": g, "file": "f", "line": 1} for d, g in rows])
    assert dict(zip(*(judgments_from(frame)[name] for name in ("doc_id", "grade")), strict=True)) == {
        "d1": 2,
        "d2": 0,
        "d3": 3,
    }


def test_a_final_rating_wins_over_the_raters_and_both_are_stored() -> None:
    draft = read_files(LAYOUTS["raters_wide"].files)
    assert list(draft.frames["judgments"]["grade"]) == [2, 0]
    dataset = finish(draft, "x", keep_good_rows=True)
    save_dataset(dataset)
    stored = load_dataset(dataset.digest)
    assert stored.ratings is not None
    assert len(stored.ratings) == dataset.manifest["n_ratings"] == 6


def test_final_ratings_beside_a_file_of_judgments_are_not_used() -> None:
    judged = text("q.txt", "q1 0 d1 1\n")
    draft = read_files([QUERIES, judged, *LAYOUTS["raters_wide"].files])
    assert [(row.doc_id, row.grade) for row in draft.frames["judgments"].itertuples()] == [("d1", 1), ("d2", 0)]
    assert found(draft, "final_ratings_not_used").facts == {"n_rows": 2}


def test_the_rating_party_import_gives_the_published_judgments(collections: Path) -> None:
    """Its SOURCE.md says how they were made: the mean of the ratings, halves rounded up."""
    folder = collections / "quepid_rating_party"
    ratings = pd.read_csv(folder / "individual_ratings.tsv", sep="\t", dtype=str)
    long = pd.DataFrame(
        {
            "query_id": ratings["query-id"],
            "doc_id": ratings["corpus-id"],
            "grade": ratings["rating"].astype(float),
            "file": "f",
            "line": 1,
        }
    )
    made = judgments_from(long).set_index(["query_id", "doc_id"])["grade"].sort_index()
    draft = read_folder(folder)
    published = draft.frames["judgments"].set_index(["query_id", "doc_id"])["grade"].sort_index()
    pd.testing.assert_series_equal(made.reindex(published.index), published)
    assert {"raters_agree", "raters_disagree"} & codes(draft)


# --- clicks


def log(*rows: tuple[str, str, int, str, int]) -> pd.DataFrame:
    """query, document, position, event, how often."""
    made = [
        {"search": "", "query_id": q, "doc_id": d, "position": float(p), "event": event, "file": "f", "line": 2}
        for q, d, p, event, n in rows
        for _ in range(n)
    ]
    return pd.DataFrame(made)


def test_coec_is_clicks_over_expected_clicks() -> None:
    """By hand: at position 1 10 of 40 showings were clicked (.25), at position 2 5 of 40 (.125).

    q1 a: 8 clicks, 20 showings at 1: 8 / (20 x .25) = 1.6. q2 a: 2 / 5 = .4.
    q1 b: 5 clicks, 20 showings at 2: 5 / (20 x .125) = 2. q2 b: 0.
    """
    events = log(
        ("q1", "a", 1, "impression", 20),
        ("q1", "b", 2, "impression", 20),
        ("q2", "a", 1, "impression", 20),
        ("q2", "b", 2, "impression", 20),
        ("q1", "a", 1, "click", 8),
        ("q2", "a", 1, "click", 2),
        ("q1", "b", 2, "click", 5),
    )
    measured = coec(events).set_index(["query_id", "doc_id"])["coec"]
    assert measured.to_dict() == pytest.approx({("q1", "a"): 1.6, ("q1", "b"): 2.0, ("q2", "a"): 0.4, ("q2", "b"): 0.0})


def clicks(content: str) -> Draft:
    return read_files([QUERIES, DOCUMENTS, text("log.csv", content)])


def test_clicks_alone_are_refused() -> None:
    draft = clicks("query_id,doc_id,position,event\nq1,d1,1,click\n")
    assert "clicks_without_impressions" in codes(draft)
    assert draft.frames["judgments"].empty


def test_clicks_without_positions_are_refused() -> None:
    draft = clicks("query_id,doc_id,event\nq1,d1,impression\nq1,d1,click\n")
    assert "clicks_without_positions" in codes(draft)
    assert draft.frames["judgments"].empty


def test_judgments_from_clicks_are_marked_implicit() -> None:
    draft = read_files(LAYOUTS["click_log"].files)
    assert found(draft, "judgments_implicit").severity == "warning"
    assert finish(draft, "x").manifest["implicit"] is True
    assert finish(read_files(LAYOUTS["delimited"].files), "x").manifest["implicit"] is False


def test_clicks_are_never_mixed_with_judgments() -> None:
    draft = read_files([*LAYOUTS["click_log"].files, QUERIES, text("q.txt", "q1 0 d1 2\nq2 0 d2 0\n")])
    assert "clicks_not_used" in codes(draft)
    assert len(draft.frames["judgments"]) == 2
    assert finish(draft, "x").manifest["implicit"] is False


# --- texts


def test_near_duplicates_are_found_and_others_are_not() -> None:
    texts = ["how do I reset my password", "How do I  reset my password?", "weather in Rome", "パスワードの再設定方法"]
    texts.append("パスワードの再設定方法は")
    assert near_pairs(texts, shingle=3) == [(0, 1), (3, 4)]


def test_near_duplicate_queries_are_told_with_both_lines() -> None:
    queries = text(
        "queries.csv", "query_id,query\nq1,how do I reset my password\nq2,blue hat\nq3,how do I reset my password?\n"
    )
    told = found(read_files([queries, DOCUMENTS]), "near_duplicate_query")
    assert (told.line, told.facts["first_line"], told.facts["first"]) == (4, 2, "how do I reset my password")


def test_personal_data_is_found_and_masked_when_asked() -> None:
    queries = text(
        "queries.csv", "query_id,query\nq1,mail jo.doe@example.co.jp now\nq2,call 03-1234-5678\nq3,part 240337103\n"
    )
    draft = read_files([queries, DOCUMENTS, text("q.txt", "q1 0 d1 2\n")])
    told = found(draft, "personal_data")
    assert (told.line, told.facts["n_rows"]) == (2, 2)
    assert "jo.doe" not in str(told.value)
    masked = finish(draft, "x", mask_personal_data=True)
    assert list(masked.queries["text"]) == ["mail [e-mail] now", "call [phone]", "part 240337103"]
    assert masked.manifest["masked"] == {"queries": 2, "documents": 0}
    assert finish(draft, "x").queries["text"][0] == "mail jo.doe@example.co.jp now"


def test_a_masked_dataset_holds_the_addresses_nowhere(home: Path) -> None:
    ratings = text("r.csv", "query,docid,rating\njo@example.org,d1,2\nkim@example.org,d2,1\nkim@example.org,d9,1\n")
    draft = read_files([DOCUMENTS, ratings])
    dataset = finish(draft, "x", keep_good_rows=True, mask_personal_data=True)
    assert list(dataset.judgments["query_id"]) == ["[e-mail]", "[e-mail] #2"] == list(dataset.queries["query_id"])
    save_dataset(dataset, draft.findings, draft.rejected)
    said = [str(finding.value) for finding in load_findings(dataset.digest)] + list(
        load_rejected(dataset.digest)["row"]
    )
    assert not [value for value in said if "@example.org" in value]
    assert "@example.org" not in json.dumps(dict(dataset.manifest))


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("a.b+c@mail.example.com!", "[e-mail]!"),
        ("tel 090-1234-5678", "tel [phone]"),
        ("+81 3 1234 5678", "[phone]"),
        ("(212) 555-1234", "[phone]"),
        ("HP 60-inch 1920-1080", "HP 60-inch 1920-1080"),
        ("ISBN 978-4-00-310101-8", "ISBN 978-4-00-310101-8"),
        ("2024-01-02", "2024-01-02"),
    ],
)
def test_only_what_is_written_as_a_telephone_number_is_one(written: str, masked: str) -> None:
    assert mask(written) == masked


def test_japanese_meets_an_english_model_with_a_recommendation() -> None:
    queries = text("queries.csv", "query_id,query\nq1,赤い靴はどこですか\nq2,青い帽子のサイズ\n")
    draft = read_files([queries, DOCUMENTS])
    assert found(draft, "japanese_text").severity == "warning"
    assert found(draft, "japanese_text").facts["models"]
    assert "languages_differ" in codes(draft)
    assert not {"japanese_text", "other_script", "languages_differ"} & codes(read_files([QUERIES, DOCUMENTS]))


def test_another_script_is_told() -> None:
    queries = text("queries.csv", "query_id,query\nq1,красные туфли\nq2,синяя шляпа\n")
    assert "other_script" in codes(read_files([queries, DOCUMENTS]))


def test_markup_and_direction_characters_are_told() -> None:
    documents = text("d.csv", "doc_id,title,text\nd1,a,<p>one</p>\nd2,b,[x](http://y)\nd3,c\u202egnp.exe,two\n")
    draft = read_files([QUERIES, documents])
    assert [f.facts["markup"] for f in draft.findings if f.code == "markup_in_texts"] == ["HTML", "Markdown"]
    assert (found(draft, "direction_characters").line, found(draft, "direction_characters").value) == (
        4,
        "c\ufffdgnp.exe",
    )


# --- candidates, segments, memory


def test_the_judged_share_and_a_pool_of_one_search_are_told() -> None:
    run = text("a.run", "q1 Q0 d1 1 2 a\nq1 Q0 d2 2 1 a\nq2 Q0 d2 1 1 a\n")
    draft = read_files([QUERIES, DOCUMENTS, text("q.txt", "q1 0 d1 2\nq2 0 d2 0\n"), run])
    assert found(draft, "judged_share").facts == {"share": 0.667, "depth": 10}
    assert found(draft, "pool_of_one_search").facts == {"share": 1.0}
    wide = read_files([QUERIES, DOCUMENTS, text("q.txt", "q1 0 d1 2\nq2 0 d2 0\nq2 0 d1 1\n"), run])
    assert "pool_of_one_search" not in codes(wide)


def test_segments_are_proposed_and_taken_on_the_users_word() -> None:
    rows = "".join(f"q{n},{'what is word' if n % 3 == 0 else 'word'} {n}\n" for n in range(60))
    draft = read_files([text("queries.csv", f"query_id,query\n{rows}"), DOCUMENTS])
    counts = {f.facts["proposal"]: f.facts["counts"] for f in draft.findings if f.code == "segments_proposed"}
    assert counts == {"length": {"short": 40, "long": 20}, "form": {"keywords": 40, "question": 20}}
    dataset = finish(draft, "x", keep_good_rows=True, segments="form")
    assert dataset.queries["segment"].value_counts().to_dict() == {"keywords": 40, "question": 20}
    assert dataset.manifest["segments"] == "form"
    with pytest.raises(RerankError, match="unknown_segments"):
        finish(draft, "x", keep_good_rows=True, segments="colour")


def test_what_a_user_said_is_remembered_for_the_same_header(home: Path) -> None:
    columns = ("a", "b", "c")
    assert recall(columns) is None
    remember(columns, Choice("judgments", {"query_id": "a", "doc_id": "b", "grade": "c"}, {"super": 2}))
    source = text("j.csv", "a,b,c\nq1,d1,super\n")
    draft = read_files([QUERIES, DOCUMENTS, source], recall=recall)
    assert list(draft.frames["judgments"]["grade"]) == [2]
    assert "mapping_remembered" in codes(draft)
    (home / "mappings").joinpath(next((home / "mappings").iterdir()).name).write_text("[]")
    assert recall(columns) is None


# --- orderings


@pytest.mark.parametrize(
    ("answer", "n", "order", "whole"),
    [
        ("[2] > [3] > [1]", 3, (2, 3, 1), True),
        ("1. [2] > [1]", 2, (2, 1), True),
        ("[3] > [3] > [9]", 3, (3, 1, 2), False),
        ("3 > 1 > 2", 3, (3, 1, 2), True),
    ],
)
def test_an_ordering_is_completed_in_the_given_order(answer: str, n: int, order: tuple[int, ...], whole: bool) -> None:
    parsed = parse_ordering(answer, n)
    assert parsed is not None
    assert (parsed.order, parsed.is_whole) == (order, whole)


def test_every_real_answer_becomes_a_whole_order_or_is_refused(collections: Path) -> None:
    lines = (collections / "teacher_outputs" / "listwise_responses.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    for answer in answers:
        parsed = parse_ordering(answer["response"], answer["n_passages"])
        if answer["valid_permutation"]:
            assert parsed is not None
            assert parsed.is_whole
        if parsed is not None:
            assert sorted(parsed.order) == list(range(1, answer["n_passages"] + 1))
