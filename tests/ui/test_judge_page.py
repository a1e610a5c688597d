"""The judging page without a browser: make a task, judge, undo, use the judgments; every view in both languages."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from rerank.intake.storage import list_datasets, load_dataset
from rerank.judging.order import desk_of, order_of
from rerank.judging.pace import measured_pace
from rerank.judging.tasks import Task, load_task, tasks_of
from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.store import judging
from rerank.store.artefacts import write_json, write_parquet
from rerank.ui import judge_desk
from rerank.ui.judge_view import VIEWS
from rerank.wording.language import LANGUAGES, speaker
from tests.judging.tasks import stored_dataset, tiny_task
from tests.tiny import tiny_plan
from tests.ui.conftest import open_page


@pytest.fixture(autouse=True)
def _fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests press keys faster than anybody reads."""
    monkeypatch.setattr(judge_desk, "MIN_SECONDS", 0.0)


def press(page: AppTest, start: str) -> None:
    """Press the only button whose key starts so."""
    found = [button for button in page.button if str(button.key).startswith(start)]
    assert len(found) == 1
    found[0].click().run()
    assert not page.exception


def desk(task: Task, rater: str):
    return desk_of(task, judging.read_pairs(task.id), judging.read_marks(task.id), rater)


def begin(task: Task, rater: str) -> AppTest:
    page = open_page("judge", dataset=task.dataset, task=task.id)
    page.text_input(key=f"new_rater_{task.id}").set_value(rater).run()
    assert not page.exception
    return page


def test_a_task_is_made_from_what_bm25_finds_and_nobody_judged() -> None:
    dataset = stored_dataset()
    page = open_page("judge", dataset=dataset.digest)
    assert page.info[0].value.startswith("Nothing is being judged yet.")
    page.text_area(key="new_guideline").set_value("Be fair.")
    page.button(key="create_task").click().run()
    assert not page.exception
    assert not page.error
    task = tasks_of([dataset.digest])[0]
    assert task.guideline == "Be fair."
    assert task.settings.meanings == ("not relevant", "partly relevant", "relevant")  # the dataset goes up to 2
    assert task.settings.source == {"pool": ["bm25"], "depth": 10}
    assert page.query_params["task"] == task.id
    judged = set(zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True))
    assert not judged & {(query_id, doc_id) for query_id, doc_id, _ in judging.read_pairs(task.id)}


def test_keys_judge_skip_and_undo_and_a_new_visit_goes_on() -> None:
    task = tiny_task(stored_dataset())
    page = begin(task, " Ann ")
    order = order_of(task, judging.read_pairs(task.id), "Ann")
    dataset = load_dataset(task.dataset)
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    assert page.header[0].value == texts[order[0][0]]
    press(page, "grade_2_")
    press(page, "grade_0_")
    press(page, "skip_")
    assert [mark["grade"] for mark in judging.read_marks(task.id)] == [2, 0, None]
    assert all(mark["seconds"] is not None for mark in judging.read_marks(task.id))
    assert page.header[0].value == texts[order[3][0]]
    press(page, "undo_")
    press(page, "undo_")
    assert [mark["grade"] for mark in judging.read_marks(task.id)] == [2]
    assert page.header[0].value == texts[order[1][0]]
    again = open_page("judge", dataset=task.dataset, task=task.id, rater="Ann")
    assert again.header[0].value == texts[order[1][0]]
    assert {button.proto.shortcut for button in again.button} >= {"0", "1", "2", "s", "u"}


def test_raters_choose_their_name_and_do_not_see_each_other(home: Path) -> None:
    task = tiny_task(stored_dataset())
    press(begin(task, "Ann"), "grade_2_")
    page = begin(task, "Bob")
    assert [desk(task, rater).n_done for rater in ("Ann", "Bob")] == [1, 0]
    press(page, "other_rater")
    page.selectbox(key=f"known_rater_{task.id}").select("Ann").run()
    assert page.query_params["rater"] == "Ann"
    assert not page.exception


def test_an_address_that_names_nobody_asks_who_judges() -> None:
    task = tiny_task(stored_dataset())
    page = open_page("judge", dataset=task.dataset, task=task.id, rater="<b>Eve</b>")
    assert page.subheader[0].value == "Who judges?"
    assert judging.read_raters(task.id) == []


def test_a_key_that_is_held_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_desk, "MIN_SECONDS", 60.0)
    task = tiny_task(stored_dataset())
    press(begin(task, "Ann"), "grade_2_")
    assert judging.read_marks(task.id) == []


def test_the_end_is_said_and_can_be_undone() -> None:
    task = tiny_task(stored_dataset(), n=2)
    page = begin(task, "Ann")
    press(page, "grade_1_")
    press(page, "grade_1_")
    assert page.success[0].value.startswith("Everything is judged.")
    press(page, "undo_")
    assert desk(task, "Ann").n_left == 1


def judged_task(n: int = 24) -> Task:
    task = tiny_task(stored_dataset(), n=n)
    for rater, shift in (("Ann", 0), ("Bob", 1)):
        for place in range(n):
            pair = desk(task, rater).pair
            assert pair is not None
            judging.add_mark(task.id, rater, pair, (len(pair[0]) + int(pair[1][1]) + shift * (place % 2)) % 3, 6.0)
    return task


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_view_shows_without_an_exception(language: str) -> None:
    task = judged_task(12)
    say = speaker(language)
    for view in VIEWS:
        page = open_page("judge", dataset=task.dataset, task=task.id, view=view, lang=language)
        assert not page.exception
        assert not page.error
        if view == "progress":
            assert page.metric[0].value == "12"
            assert say("Where raters differ, the widest apart first") in [item.value for item in page.subheader]


def test_the_guideline_can_change_and_is_shown_beside_the_pair() -> None:
    task = tiny_task(stored_dataset())
    page = open_page("judge", dataset=task.dataset, task=task.id, view="guideline")
    page.text_area(key=f"guideline_{task.id}").set_value("New *rule*.").run()
    page.button(key="save_guideline").click().run()
    assert load_task(task.id).guideline == "New *rule*."
    page = begin(task, "Ann")
    assert "New *rule*." in [item.value for item in page.text]


def test_judgments_become_a_new_version_and_the_old_one_stays() -> None:
    task = judged_task()
    before = load_dataset(task.dataset)
    page = open_page("judge", dataset=task.dataset, task=task.id, view="use")
    page.radio(key="use_ties").set_value("down").run()
    page.button(key="use_judgments").click().run()
    assert not page.exception
    found = list_datasets()
    assert len(found) == 2
    version = next(item for item in found if item["digest"] != before.digest)
    assert version["judging"]["ties"] == "down"
    assert version["n_judgments"] == len(before.judgments) + 24
    assert page.title[0].value == "Data"
    assert any("24 judgments were added in the app" in item.value for item in page.caption)


def test_files_are_imported_into_the_task() -> None:
    task = tiny_task(stored_dataset(), n=12)
    query_id, doc_id, _ = judging.read_pairs(task.id)[0]
    page = open_page("judge", dataset=task.dataset, task=task.id, view="files")
    data = f"query_id,doc_id,rater,rating\n{query_id},{doc_id},Cy,2\nq0,nowhere,Cy,1\n".encode()
    page.file_uploader(key=f"judged_files_{task.id}").set_value([("r.csv", data, "text/csv")]).run()
    page.button(key="import_judgments").click().run()
    assert not page.exception
    assert page.success[0].value.startswith("1 ratings of 1 raters were imported")
    assert desk(task, "Cy").n_done == 1


def test_the_measured_time_is_offered_where_the_plan_asks_for_it() -> None:
    task = judged_task()
    pace = measured_pace(task.dataset)
    assert pace is not None
    assert pace.seconds == 6.0
    page = AppTest.from_function(capacity_alone, kwargs={"dataset": task.dataset}).run()
    key = f"capacity_{task.dataset[:8]}"
    assert page.number_input(key=f"{key}_minutes_False").value == pytest.approx(0.5)
    page.toggle(key=f"{key}_measured").set_value(True).run()
    assert not page.exception
    assert page.number_input(key=f"{key}_minutes_True").value == pytest.approx(0.1)


def capacity_alone(dataset: str) -> None:
    from rerank.planning.plan import Plan
    from rerank.ui.plan_capacity import capacity_panel
    from rerank.wording.language import speaker

    capacity_panel(speaker("en"), Plan(dataset_digest=dataset), 10, 20)


def experiment_on_disk() -> Path:
    """An experiment as far as judging reads it: rankings of two strategies, and one judgment that would settle it."""
    plan = tiny_plan(Path("model"))
    folder = experiment_folder(lock_plan(plan, name="tried", dataset_name="tiny"))
    rows = {
        "strategy": ["first-stage", "first-stage", "C"],
        "seed": [0, 0, 1],
        "query_id": ["q0", "q0", "q0"],
        "doc_id": ["d0_0", "d3_1", "d4_1"],
        "rank": [1, 2, 1],
        "score": [2.0, 1.0, 1.0],
    }
    write_parquet(folder / "rankings.parquet", pd.DataFrame(rows))
    (folder / "to_judge.csv").write_text("query_id,doc_id,grade,query,title,text,influence\nq0,d5_1,,a,b,c,0.5\n")
    write_json(folder / "result.json", {})
    return folder


def test_strategies_of_an_experiment_can_be_pooled() -> None:
    folder = experiment_on_disk()
    digest = list_datasets()[0]["digest"]
    page = open_page("judge", dataset=digest)
    sources = page.multiselect(key=f"judging_sources_{digest[:8]}")
    assert len(sources.options) == 2
    sources.set_value([folder.name]).run()
    page.button(key="create_task").click().run()
    assert not page.exception
    task = tasks_of([digest])[0]
    assert task.settings.source == {"pool": [folder.name], "depth": 10}
    assert {doc_id for _, doc_id, _ in judging.read_pairs(task.id)} == {"d3_1", "d4_1"}  # d0_0 is judged


def test_what_would_settle_a_verdict_is_judged_by_its_influence_and_said_to_be_a_further_look() -> None:
    folder = experiment_on_disk()
    digest = list_datasets()[0]["digest"]
    page = open_page("judge", dataset=digest, settle=folder.name, view="new")
    assert page.radio(key="what_to_judge").value == folder.name
    page.button(key="create_task").click().run()
    assert not page.exception
    task = tasks_of([digest])[0]
    assert judging.read_pairs(task.id) == [("q0", "d5_1", 0.5)]
    assert task.settings.order == "priority"
    page = open_page("judge", dataset=digest, task=task.id, view="use")
    assert any("further look" in item.value for item in page.info)
