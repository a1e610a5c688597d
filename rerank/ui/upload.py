"""Uploading: files, what they are, findings, and the user's decision."""

import hashlib

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.finish import finish
from rerank.intake.mapping import FIELDS, REQUIRED, ROLES
from rerank.intake.noting import count_errors, rejected_frame
from rerank.intake.reading import Draft, FileRead, read_files
from rerank.intake.sources import Source
from rerank.intake.storage import save_dataset
from rerank.ui.findings import findings_table
from rerank.ui.safe import markdown, plain
from rerank.ui.show import download, numbers, problem, user_rows
from rerank.wording.fields import FIELD_NAMES, ROLE_NAMES
from rerank.wording.language import Say
from rerank.wording.names import name_of

NAME_CHARS = 80


Key = tuple[str, str, str | None, tuple[tuple[str, str], ...]]  # name, SHA-256, role, mapping


@st.cache_resource(max_entries=2, show_spinner=False)
def _draft(key: tuple[Key, ...], _data: tuple[bytes, ...]) -> Draft:
    return read_files(
        [Source(name, data, role, dict(mapping)) for (name, _, role, mapping), data in zip(key, _data, strict=True)]
    )


def upload(say: Say) -> None:
    """Take files, show what was made of them, and save the dataset on the user's word."""
    st.write(
        say(
            "Queries, documents and judgments; optionally your own search's results and a teacher's scores. "
            "Any of: a BEIR folder's files, CSV, TSV, JSONL, TREC judgments and runs."
        )
    )
    files = st.file_uploader(
        say("Drop all files here"),
        accept_multiple_files=True,
        key="uploaded_files",
        help=say("Up to 400 MB. Files are recognised by their content, not by their name."),
    )
    if not files:
        return
    keys, data = [], []
    for file in files:
        content = file.getvalue()
        sha = hashlib.sha256(content).hexdigest()
        # A browser may send any path as a name: only its last part is used, and only as text.
        name = plain(file.name.replace("\\", "/").rsplit("/", 1)[-1], 200)
        role, mapping = _chosen(sha)
        keys.append((name, sha, role, mapping))
        data.append(content)
    with st.spinner(say("Reading …")):
        draft = _draft(tuple(keys), tuple(data))
    for read in draft.files:
        _file_card(say, read)
    _counts(say, draft)
    findings_table(say, draft.findings, "findings")
    if draft.rejected:
        download(
            say, rejected_frame(draft.rejected), "rows_left_out", label=say("Download the rows that are not usable")
        )
    _save(say, draft)


def _chosen(sha: str) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Return the role and columns that the user has set for a file in an earlier run of the page."""
    role = st.session_state.get(f"role_{sha[:12]}")
    if role is None:
        return None, ()
    columns = {name: st.session_state.get(f"column_{sha[:12]}_{role}_{name}") for name in FIELDS[role]}
    return role, tuple((name, column) for name, column in columns.items() if column)


def _file_card(say: Say, read: FileRead) -> None:
    known = read.role is not None and all(name in read.mapping for name in REQUIRED[read.role])
    title = f"{markdown(read.name, 60)} · {name_of(say, ROLE_NAMES, read.role or 'unknown')}"
    n_rows = say("{n} rows", n=f"{read.n_rows:,}")
    with st.expander(f"{title} · {n_rows}", expanded=not known):
        if not read.columns:
            st.write(say("Nothing in this file could be read; see the findings."))
            return
        st.selectbox(
            say("What is in this file?"),
            options=ROLES,
            index=ROLES.index(read.role) if read.role in ROLES else None,
            format_func=lambda role: name_of(say, ROLE_NAMES, role),
            key=f"role_{read.sha256[:12]}",
        )
        if read.role is not None:
            fields = FIELDS[read.role]
            for place, name in zip(st.columns(len(fields)), fields, strict=True):
                proposed = read.mapping.get(name)
                place.selectbox(
                    name_of(say, FIELD_NAMES, name) + ("" if name not in REQUIRED[read.role] else " *"),
                    options=read.columns,
                    index=read.columns.index(proposed) if proposed in read.columns else None,
                    format_func=lambda column: plain(column, 40),
                    key=f"column_{read.sha256[:12]}_{read.role}_{name}",
                )
        user_rows(read.preview)


def _counts(say: Say, draft: Draft) -> None:
    names = ("queries", "documents", "judgments", "candidates", "teacher_scores")
    shown = [name for name in names if name in draft.frames]
    numbers((name_of(say, ROLE_NAMES, name), f"{len(draft.frames[name]):,}") for name in shown)


def _save(say: Say, draft: Draft) -> None:
    n_errors = count_errors(draft.findings)
    keep = False
    if n_errors:
        st.warning(
            say(
                "Errors: {n}. Mend the files and drop them again, or leave out what is not usable (rows: {rows}).",
                n=n_errors,
                rows=len(draft.rejected),
            )
        )
        keep = st.toggle(say("Leave out the rows with errors and keep the good ones"), key="keep_good_rows")
    name = st.text_input(say("Name of the dataset"), value=say("my sample"), max_chars=NAME_CHARS, key="dataset_name")
    ready = (not n_errors or keep) and bool(name.strip())
    if st.button(say("Save the dataset"), type="primary", disabled=not ready, key="save_dataset"):
        try:
            dataset = finish(draft, plain(name.strip()), keep_good_rows=keep)
            save_dataset(dataset, draft.findings, draft.rejected)
        except RerankError as error:
            problem(say, error.code, error.facts)
        else:
            st.switch_page("pages/plan.py", query_params={"dataset": dataset.digest})
