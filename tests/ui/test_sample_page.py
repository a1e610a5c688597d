"""Is this sample good enough? One look at the data page tells, and the plan page warns of a language."""

from pathlib import Path

from rerank.intake.document_duplicates import search_duplicates
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.sources import Source
from rerank.intake.storage import load_dataset, save_dataset
from tests.conftest import tiny_files
from tests.ui.conftest import open_page


def saved(files: list[Source]) -> str:
    draft = read_files(files)
    dataset = finish(draft, "x", keep_good_rows=True)
    save_dataset(dataset, draft.findings, draft.rejected)
    return dataset.digest


def said(page: object) -> str:
    parts = [*page.markdown, *page.success, *page.warning, *page.error]  # type: ignore[attr-defined]
    return "\n".join(item.value for item in parts).replace("\\", "")  # what Markdown escapes


def japanese() -> list[Source]:
    words = "靴 帽子 鞄 時計 眼鏡 財布 手袋 傘".split()
    queries = "query_id,query\n" + "".join(f"q{n},{word}はどこで買えますか\n" for n, word in enumerate(words))
    documents = "doc_id,text\n" + "".join(f"d{n},{word}の売り場は二階です。\n" for n, word in enumerate(words))
    judgments = "query_id,doc_id,grade\n" + "".join(f"q{n},d{n},1\n" for n in range(len(words)))
    named = {"queries.csv": queries, "documents.csv": documents, "judgments.csv": judgments}
    return [Source(name, text.encode()) for name, text in named.items()]


def test_the_data_page_answers_in_words_with_a_list_to_judge(home: Path) -> None:
    page = open_page("data", dataset=saved(tiny_files()), lang="en")
    assert not page.exception
    text = said(page)
    assert "**Enough for a large effect only.**" in text
    # statsmodels' TTestPower, SD .19, α .025 (two questions), power .8: .0957 with 40 queries, 139.8 queries for .05.
    assert "- 40 queries show a gain over today's search of 0.096 nDCG@10 or more" in text
    assert "1. Add 100 more queries from your search log" in text
    assert [tab.label for tab in page.tabs][1:3] == ["Is this sample good enough?", "What it holds"]


def test_eight_queries_are_not_enough_and_the_language_is_told(home: Path) -> None:
    page = open_page("data", dataset=saved(japanese()), lang="ja")
    assert not page.exception
    assert "hotchpotch/japanese-reranker-xsmall-v2" in said(page)
    assert len(page.error) == 1


def test_the_plan_page_warns_until_another_model_is_chosen(home: Path) -> None:
    page = open_page("plan", dataset=saved(japanese()), lang="en")
    warned = [item.value for item in page.warning if "The embedded model knows English only" in item.value]
    assert len(warned) == 1
    field = next(item for item in page.text_input if item.label == "Base model")
    field.set_value("hotchpotch/japanese-reranker-xsmall-v2").run()
    assert not [item for item in page.warning if "The embedded model knows English only" in item.value]
    english = open_page("plan", dataset=saved(tiny_files()), lang="en")
    assert not [item for item in english.warning if "The embedded model knows English only" in item.value]


def test_documents_that_repeat_each_other_stand_there_with_their_own_ids(home: Path) -> None:
    identity = "d" * 90  # longer than a page shows
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima"
    named = {
        "queries.csv": "query_id,query\nq1,alpha\nq2,other\n",
        "documents.csv": f"doc_id,text\nd1,{words}\n{identity},{words} mike\nd3,something else entirely\n",
        "judgments.csv": "query_id,doc_id,grade\nq1,d1,2\nq2,d3,1\n",
    }
    digest = saved([Source(name, text.encode()) for name, text in named.items()])
    page = open_page("data", dataset=digest, lang="en")
    assert [button.label for button in page.button].count("Search all documents") == 1
    search_duplicates(load_dataset(digest))
    page.run()
    assert not page.exception
    assert "1 of 3 documents nearly repeat one of 1 others." in said(page)
    assert "1 pairs of query and document are unjudged" in said(page)
    shown = [frame.value for frame in page.dataframe if "like" in frame.value.columns]
    assert shown[0].to_dict("records") == [{"query_id": "q1", "doc_id": identity, "like": "d1", "grade": 2}]
