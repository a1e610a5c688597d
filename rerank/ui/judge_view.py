"""The judging page: which task, what to do with it, and who judges."""

from collections.abc import Mapping

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.intake.storage import lineage_of
from rerank.judging.tasks import Task, tasks_of
from rerank.store import judging
from rerank.ui import cached
from rerank.ui.choose import choose_dataset, pick
from rerank.ui.judge_desk import desk_panel
from rerank.ui.judge_files import files_panel
from rerank.ui.judge_new import VIEW_KEY, new_task_form
from rerank.ui.judge_progress import progress_panel
from rerank.ui.judge_use import use_panel
from rerank.ui.safe import plain
from rerank.ui.session import asked_for
from rerank.ui.show import problem
from rerank.wording.language import Say, later
from rerank.wording.names import name_of

NAME_CHARS = 60
VIEWS: Mapping[str, str] = {
    "judge": later("Judge"),
    "progress": later("Progress and agreement"),
    "guideline": later("Guideline"),
    "files": later("Import and export"),
    "use": later("Use these judgments"),
    "new": later("New task"),
}


def judge_view(say: Say) -> None:
    """Show the tasks of the chosen dataset, and of those it was made from; without any, how to make one."""
    left, right = st.columns(2)
    with left:
        manifest = choose_dataset(say)
    if manifest is None:
        return
    digest = str(manifest["digest"])
    tasks = {task.id: task for task in tasks_of(lineage_of(digest))}
    try:
        dataset = cached.dataset(digest)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    if not tasks:
        st.info(say("Nothing is being judged yet. Choose what to judge; several people can then judge the same pairs."))
        new_task_form(say, dataset)
        return
    names = {
        identity: f"{plain(task.name, NAME_CHARS)} · " + say("{n} pairs", n=f"{task.n_pairs:,}")
        for identity, task in tasks.items()
    }
    with right:
        task = tasks[pick(say("Judging task"), "task", list(tasks), names)]
    start = asked_for("view", list(VIEWS)) or "judge"
    view = st.segmented_control(
        say("What to do"),
        list(VIEWS),
        default=start,
        required=True,
        format_func=lambda name: name_of(say, VIEWS, name),
        key=f"{VIEW_KEY}{start}",
        label_visibility="collapsed",
    )
    if view == "new":
        new_task_form(say, dataset)
        return
    try:
        own = cached.dataset(task.dataset)  # its texts and judgments, also where a newer version was chosen
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    if view == "progress":
        progress_panel(say, task, own)
    elif view == "guideline":
        _guideline(say, task)
    elif view == "files":
        files_panel(say, task, own)
    elif view == "use":
        use_panel(say, task, own)
    else:
        _judge(say, task, own)


def _judge(say: Say, task: Task, dataset: Dataset) -> None:
    raters = judging.read_raters(task.id)
    rater = asked_for("rater", raters)
    if rater is None:
        _who(say, task, raters)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(say("{rater} is judging.", rater=plain(rater, NAME_CHARS)))
        st.button(say("Somebody else"), key="other_rater", type="tertiary", on_click=_leave)
    desk_panel(say, task, dataset, rater)


def _leave() -> None:
    st.query_params.pop("rater", None)


def _enter(task: str, rater: str) -> None:
    name = plain(rater, NAME_CHARS).strip()
    if name:
        judging.add_rater(task, name)
        st.query_params["rater"] = name


def _who(say: Say, task: Task, raters: list[str]) -> None:
    st.subheader(say("Who judges?"), anchor=False)
    st.caption(
        say(
            "Everybody has an order and a progress of their own. A name is enough; it is stored with the judgments, "
            "and there is no password: whoever opens this page can judge under any name."
        )
    )
    if raters:
        options = [None, *raters]
        st.selectbox(
            say("Go on as"),
            options,
            format_func=lambda name: plain(name, NAME_CHARS) if name else say("choose a name"),
            key=f"known_rater_{task.id}",
            on_change=lambda: _enter(task.id, st.session_state.get(f"known_rater_{task.id}") or ""),
        )
    st.text_input(
        say("Your name") if not raters else say("Or a new name"),
        key=f"new_rater_{task.id}",
        max_chars=NAME_CHARS,
        on_change=lambda: _enter(task.id, st.session_state[f"new_rater_{task.id}"]),
        help=say("Press Enter to begin."),
    )
    st.button(say("Begin"), type="primary", key="begin_judging")


def _guideline(say: Say, task: Task) -> None:
    st.caption(say("Stored with this task and shown beside every pair. Earlier texts are kept with their time."))
    text = st.text_area(say("Guideline"), value=task.guideline, height=260, key=f"guideline_{task.id}")
    if st.button(say("Save the guideline"), type="primary", disabled=text == task.guideline, key="save_guideline"):
        judging.save_guideline(task.id, text)
        st.rerun()
    st.markdown(f"**{say('Grades')}**")
    for grade, meaning in enumerate(task.settings.meanings):
        st.text(f"{grade}  {plain(meaning, 200)}")
