"""The desk: one pair, the keys, and at once the next pair."""

import hashlib
import time

import streamlit as st

from rerank.intake.dataset import Dataset
from rerank.judging.order import Desk, desk_of
from rerank.judging.ratings import pace_of
from rerank.judging.tasks import Task
from rerank.store import judging
from rerank.store.judging import Pair
from rerank.ui.safe import plain, unlinked
from rerank.wording.language import Say
from rerank.wording.numbers import duration

TEXT_CHARS = 20_000
DOCUMENT_HEIGHT = 230  # pixels; the keys below stay where they are, whatever the document's length
MIN_SECONDS = 0.4  # nobody reads a pair faster: it is a key that was held, or struck twice
_SHOWN = "judging_shown"


@st.fragment
def desk_panel(say: Say, task: Task, dataset: Dataset, rater: str) -> None:
    """Show the next pair of a rater with its keys; a key writes at once and only this part of the page runs again."""
    marks = judging.read_marks(task.id)
    desk = desk_of(task, judging.read_pairs(task.id), marks, rater)
    _progress(say, desk, [mark for mark in marks if mark["rater"] == rater])
    if desk.pair is None:
        st.success(say("Everything is judged. Thank you! See “Progress and agreement”, or use the judgments."))
        _undo_button(say, task, rater, "end")
        return
    _start_clock(task, rater, desk.pair)
    key = hashlib.sha256("\0".join(desk.pair).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    pair, guideline = st.columns([3, 1])
    with pair:
        _pair(say, dataset, desk.pair, key)
        # A key is made for its pair: pressed twice in a hurry, the second press can never meet the next pair.
        with st.container(horizontal=True, gap="small"):
            for grade, meaning in enumerate(task.settings.meanings):
                st.button(
                    unlinked(meaning, 60),
                    key=f"grade_{grade}_{key}",
                    shortcut=str(grade),
                    on_click=_mark,
                    args=(task.id, rater, desk.pair, grade),
                )
            st.button(
                say("Skip"),
                key=f"skip_{key}",
                shortcut="S",
                type="tertiary",
                icon=":material/skip_next:",
                on_click=_mark,
                args=(task.id, rater, desk.pair, None),
            )
            _undo_button(say, task, rater, key)
    with guideline:
        st.markdown(f"**{say('Guideline')}**")
        st.text(_lines(task.guideline) or say("There is none yet."))


def _undo_button(say: Say, task: Task, rater: str, key: str) -> None:
    st.button(
        say("Undo"),
        key=f"undo_{key}",
        shortcut="U",
        type="tertiary",
        icon=":material/undo:",
        on_click=_undo,
        args=(task.id, rater),
    )


def _start_clock(task: Task, rater: str, pair: Pair) -> None:
    shown = [task.id, rater, *pair]
    if st.session_state.get(_SHOWN, [None])[0] != shown:
        st.session_state[_SHOWN] = [shown, time.monotonic()]


def _mark(task: str, rater: str, pair: Pair, grade: int | None) -> None:
    shown, since = st.session_state.get(_SHOWN, [None, 0.0])
    seconds = time.monotonic() - since if shown == [task, rater, *pair] else None
    if seconds is not None and seconds < MIN_SECONDS:
        return
    judging.add_mark(task, rater, pair, grade, seconds)


def _undo(task: str, rater: str) -> None:
    judging.undo_mark(task, rater)


def _progress(say: Say, desk: Desk, marks: list[dict[str, object]]) -> None:
    total = desk.n_done + desk.n_left
    text = say("{n} of {total} judged", n=f"{desk.n_done:,}", total=f"{total:,}")
    if desk.n_skipped:
        text += " · " + say("{n} skipped, to come again at the end", n=desk.n_skipped)
    pace = pace_of(marks)
    if pace is not None and desk.n_left:
        text += " · " + say("about {time} left at your pace", time=duration(pace.seconds * desk.n_left, say))
    st.progress(desk.n_done / total if total else 1.0, text=text)


def _pair(say: Say, dataset: Dataset, pair: Pair, key: str) -> None:
    query_id, doc_id = pair
    queries = dataset.queries.loc[dataset.queries["query_id"] == query_id, "text"]
    found = dataset.documents[dataset.documents["doc_id"] == doc_id]
    st.header(unlinked(queries.iloc[0] if len(queries) else query_id, 500), anchor=False)
    title, text = (found["title"].iloc[0], found["text"].iloc[0]) if len(found) else (doc_id, "")
    # A key of its own: a long document that was scrolled leaves the next one at its beginning.
    with st.container(border=True, height=DOCUMENT_HEIGHT, key=f"document_{key}"):
        if title:
            st.markdown(f"**{unlinked(title, 500)}**")
        st.text(_lines(text[:TEXT_CHARS]))
        if len(text) > TEXT_CHARS:
            st.caption(say("The first {n} characters of {total}.", n=f"{TEXT_CHARS:,}", total=f"{len(text):,}"))


def _lines(text: str) -> str:
    """Return a text with its lines, without what would disturb the text around it."""
    return "\n".join(plain(line) for line in text.splitlines()).strip()
