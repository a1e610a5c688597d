"""Uploading: files, what they are, findings, and the user's decision."""

import hashlib

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.dataset import TABLES
from rerank.intake.finish import finish
from rerank.intake.mapping import FIELDS, REQUIRED, ROLES, propose
from rerank.intake.noting import count_errors, rejected_frame
from rerank.intake.reading import Draft, FileRead, read_files
from rerank.intake.remembered import recall, remember
from rerank.intake.sources import LEAVE_OUT, Choice, Source
from rerank.intake.storage import save_dataset
from rerank.ui.findings import findings_table
from rerank.ui.safe import markdown, plain
from rerank.ui.show import download, numbers, problem, user_rows
from rerank.wording.facts import WORDS
from rerank.wording.fields import FIELD_NAMES, ROLE_NAMES
from rerank.wording.formats import CONFIDENCE, FORMAT_NAMES
from rerank.wording.language import Say
from rerank.wording.names import name_of

NAME_CHARS = 80


Key = tuple[str, str]  # name, SHA-256
Said = tuple[tuple[str, str | None, tuple[tuple[str, str], ...], tuple[tuple[str, int], ...]], ...]
AS_RECOGNISED = "as_recognised"
LABELS_IN_A_ROW = 6


@st.cache_resource(max_entries=2, show_spinner=False)
def _draft(key: tuple[Key, ...], said: Said, _data: tuple[bytes, ...]) -> Draft:
    sources = [Source(name, data) for (name, _), data in zip(key, _data, strict=True)]
    choices = {table: Choice(role, dict(mapping), dict(labels)) for table, role, mapping, labels in said}
    return read_files(sources, choices=choices, recall=recall)


def upload(say: Say) -> None:
    """Take files, show what was made of them, and save the dataset on the user's word."""
    st.write(
        say(
            "Queries, documents and judgments; optionally your own search's results, a teacher's scores, the ratings "
            "of several people or a click log. Excel, CSV, TSV, JSON, JSONL, Parquet, TREC, BEIR, Quepid, OpenSearch, "
            "Elasticsearch and more; also as one zip file."
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
        # A browser may send any path as a name: only its last part is used, and only as text.
        name = plain(file.name.replace("\\", "/").rsplit("/", 1)[-1], 200)
        keys.append((name, hashlib.sha256(content).hexdigest()))
        data.append(content)
    with st.spinner(say("Reading …")):
        draft = _draft(tuple(keys), _said(), tuple(data))
    for read in draft.files:
        _file_card(say, read)
    _counts(say, draft)
    findings_table(say, draft.findings, "findings")
    if draft.rejected:
        download(
            say, rejected_frame(draft.rejected), "rows_left_out", label=say("Download the rows that are not usable")
        )
    _save(say, draft)


def _said() -> Said:
    """Return what the user has set for each table in an earlier run of the page."""
    found = []
    for name, role in st.session_state.items():
        if not isinstance(name, str) or not name.startswith("role_") or role is None:
            continue
        key = name.removeprefix("role_")
        known = FIELDS.get(role, ())
        columns = {field: st.session_state.get(f"column_{key}_{role}_{field}") for field in known}
        prefix = f"label_{key}_"
        labels = {
            str(label).removeprefix(prefix): int(grade)
            for label, grade in st.session_state.items()
            if str(label).startswith(prefix) and grade is not None
        }
        if role == AS_RECOGNISED and not labels:
            continue
        mapping = tuple((field, column) for field, column in columns.items() if column)
        found.append((key, None if role == AS_RECOGNISED else role, mapping, tuple(sorted(labels.items()))))
    return tuple(sorted(found, key=lambda said: said[0]))


def _file_card(say: Say, read: FileRead) -> None:
    known = read.left_out or (
        read.role is not None and (read.is_fixed or set(REQUIRED[read.role]) <= set(read.mapping))
    )
    roles = [name_of(say, ROLE_NAMES, role) for role in read.outputs] or [
        say("left out") if read.left_out else name_of(say, ROLE_NAMES, read.role or "unknown")
    ]
    title = f"{markdown(read.name, 60)} · {', '.join(roles)}"
    n_rows = say("{n} rows", n=f"{read.n_rows:,}")
    with st.expander(f"{title} · {n_rows}", expanded=not known or read.confidence == "low"):
        if not read.columns:
            st.write(say("Nothing in this file could be read; see the findings."))
            return
        if read.layout is not None:
            recognised = say("Recognised as: {format}", format=name_of(say, FORMAT_NAMES, read.layout))
            sure = f" · {name_of(say, CONFIDENCE, read.confidence)}" if read.confidence else ""
            st.caption(f"{recognised}{sure}")
        options = [AS_RECOGNISED, *ROLES, LEAVE_OUT]
        st.selectbox(
            say("What is in this file?"),
            options=options,
            index=0 if read.is_fixed or read.role not in ROLES else options.index(read.role),
            format_func=lambda role: _role_name(say, role, is_known=read.role is not None),
            key=f"role_{read.key}",
        )
        if read.role is not None and not read.is_fixed:
            fields = FIELDS[read.role]
            for place, name in zip(st.columns(len(fields)), fields, strict=True):
                proposed = read.mapping.get(name)
                place.selectbox(
                    name_of(say, FIELD_NAMES, name) + ("" if name not in REQUIRED[read.role] else " *"),
                    options=read.columns,
                    index=read.columns.index(proposed) if proposed in read.columns else None,
                    format_func=lambda column: plain(column, 40),
                    key=f"column_{read.key}_{read.role}_{name}",
                )
        if read.labels:
            _labels(say, read)
        user_rows(read.preview)


def _role_name(say: Say, role: str, *, is_known: bool) -> str:
    if role == AS_RECOGNISED:
        return say("as recognised") if is_known else say("not recognised: please choose")
    return say("leave it out") if role == LEAVE_OUT else name_of(say, ROLE_NAMES, role)


def _labels(say: Say, read: FileRead) -> None:
    """Ask which grade each value of the grade column stands for; nothing said leaves the proposal."""
    numeric = all(label.lstrip("+-").replace(".", "", 1).isdigit() for label in read.labels)
    with st.expander(say("Which grade does each label stand for?"), expanded=not numeric):
        st.caption(say("0 is not relevant. Left empty, the proposal in the findings holds."))
        for start in range(0, len(read.labels), LABELS_IN_A_ROW):
            shown = read.labels[start : start + LABELS_IN_A_ROW]
            for place, label in zip(st.columns(LABELS_IN_A_ROW), shown, strict=False):
                place.number_input(
                    markdown(label, 30), min_value=0, max_value=20, value=None, step=1, key=f"label_{read.key}_{label}"
                )


def _counts(say: Say, draft: Draft) -> None:
    shown = [name for name in TABLES if name in draft.frames]
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
    codes = {finding.code for finding in draft.findings}
    masked = "personal_data" in codes and st.toggle(
        say("Mask e-mail addresses and telephone numbers in the texts"), key="mask_personal_data"
    )
    segments = None
    if "segments_proposed" in codes:
        proposed = [str(found.facts["proposal"]) for found in draft.findings if found.code == "segments_proposed"]
        segments = st.selectbox(
            say("Divide the queries into segments by"),
            options=proposed,
            index=None,
            placeholder=say("no segments"),
            format_func=lambda proposal: name_of(say, WORDS["proposal"], proposal),
            key="segments_by",
        )
    name = st.text_input(say("Name of the dataset"), value=say("my sample"), max_chars=NAME_CHARS, key="dataset_name")
    ready = (not n_errors or keep) and bool(name.strip())
    if st.button(say("Save the dataset"), type="primary", disabled=not ready, key="save_dataset"):
        try:
            dataset = finish(
                draft, plain(name.strip()), keep_good_rows=keep, mask_personal_data=masked, segments=segments
            )
            save_dataset(dataset, draft.findings, draft.rejected)
            _remember(draft)
        except RerankError as error:
            problem(say, error.code, error.facts)
        else:
            st.switch_page("pages/plan.py", query_params={"dataset": dataset.digest})


def _remember(draft: Draft) -> None:
    """Keep what the user set for tables with a header, where it differs from the proposal."""
    said = {key: Choice(role, dict(mapping), dict(labels)) for key, role, mapping, labels in _said()}
    for read in draft.files:
        choice = said.get(read.key)
        if choice is None or choice.role not in ROLES or all(column.isdigit() for column in read.columns):
            continue
        if choice.labels or dict(choice.mapping) != propose(read.columns, str(choice.role)):
            remember(read.columns, choice)
