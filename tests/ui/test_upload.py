"""The upload: what was recognised is said, the user's word counts, and it is remembered."""

from pathlib import Path

import pytest

from rerank.intake.remembered import recall
from rerank.intake.sources import Source, key_of
from rerank.intake.storage import list_datasets, load_dataset
from rerank.wording.language import speaker
from tests.intake.layouts import DOCUMENTS, LAYOUTS, QUERIES, text
from tests.ui.conftest import open_page


def uploaded(*sources: Source):
    """The data page with files dropped on it."""
    page = open_page("data")
    page.file_uploader(key="uploaded_files").set_value(
        [(source.name, source.data, "application/octet-stream") for source in sources]
    ).run()
    assert not page.exception
    return page


def shown(page) -> str:
    return " ".join([item.value for item in page.caption] + [item.label for item in page.expander])


def test_a_workbook_is_recognised_sheet_by_sheet_and_saved(home: Path) -> None:
    page = uploaded(*LAYOUTS["workbook"].files)
    assert shown(page).count("Recognised as: Excel workbook") == 4
    page.button(key="save_dataset").click().run()
    assert not page.exception
    assert list_datasets()[0]["n_judgments"] == 2


def test_words_as_grades_are_asked_for_and_remembered(home: Path) -> None:
    judged = text("j.csv", "key,item,verdict\nq1,d1,super\nq2,d2,meh\n")
    page = uploaded(QUERIES, DOCUMENTS, judged)
    key = key_of(judged.sha256)
    page.selectbox(key=f"role_{key}").select("judgments").run()
    for field, column in (("query_id", "key"), ("doc_id", "item"), ("grade", "verdict")):
        page.selectbox(key=f"column_{key}_judgments_{field}").select(column).run()
    page.number_input(key=f"label_{key}_super").set_value(2)
    page.number_input(key=f"label_{key}_meh").set_value(0).run()
    page.button(key="save_dataset").click().run()
    assert not page.exception
    stored = load_dataset(list_datasets()[0]["digest"])
    assert list(stored.judgments["grade"]) == [2, 0]
    known = recall(("key", "item", "verdict"))
    assert known is not None
    assert known.labels == {"super": 2, "meh": 0}


def test_personal_data_can_be_masked_on_the_page(home: Path) -> None:
    queries = text("queries.csv", "query_id,query\nq1,mail jo@example.org\nq2,blue hat\n")
    page = uploaded(queries, DOCUMENTS, text("q.txt", "q1 0 d1 2\nq2 0 d2 0\n"))
    page.toggle(key="mask_personal_data").set_value(True).run()
    page.button(key="save_dataset").click().run()
    assert list(load_dataset(list_datasets()[0]["digest"]).queries["text"]) == ["mail [e-mail]", "blue hat"]


@pytest.mark.parametrize("name", ["quepid_book", "click_log", "training_pairs", "orderings"])
def test_other_kinds_are_named(name: str, home: Path) -> None:
    from rerank.wording.formats import FORMAT_NAMES

    assert speaker("en")(FORMAT_NAMES[name]) in shown(uploaded(*LAYOUTS[name].files))
