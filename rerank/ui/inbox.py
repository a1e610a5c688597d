"""The inbox on the page: files too large to upload, imported by a job."""

import streamlit as st

from rerank.intake.findings import Finding
from rerank.intake.inbox import Entry, import_record, inbox_entries
from rerank.intake.sampling import SAMPLED_BY
from rerank.jobs import queue
from rerank.jobs.records import Job
from rerank.store.home import inbox
from rerank.ui.findings import findings_table
from rerank.ui.job_button import job_button
from rerank.ui.safe import markdown, plain
from rerank.ui.show import numbers, problem
from rerank.wording.fields import ROLE_NAMES
from rerank.wording.language import Say
from rerank.wording.names import name_of
from rerank.wording.sampling import BY, sampling_lines

NAME_CHARS = 80
MEGABYTE = 10**6


def inbox_view(say: Say) -> None:
    """Show what lies in the inbox, import one of it, and show what was found."""
    st.write(
        say(
            "For files that are too large to upload: whoever runs the server puts a file, or a folder with several, "
            "into this place. A million documents take minutes."
        )
    )
    st.code(str(inbox()), language=None)
    entries = {entry.name: entry for entry in inbox_entries()}
    if not entries:
        st.caption(say("Nothing is there yet."))
        return
    name = st.selectbox(
        say("What shall be imported?"),
        list(entries),
        format_func=lambda chosen: _title(say, entries[chosen]),
        key="inbox_entry",
    )
    wanted = st.text_input(
        say("Name of the dataset"), value=plain(name, NAME_CHARS), max_chars=NAME_CHARS, key="inbox_name"
    )
    keep = st.toggle(say("Leave out the rows with errors and keep the good ones"), key="inbox_keep")
    mask = st.toggle(say("Mask e-mail addresses and telephone numbers in the texts"), key="inbox_mask")
    spec = {
        "entry": name,
        "name": plain(wanted.strip()) or plain(name),
        "keep_good_rows": keep,
        "mask_personal_data": mask,
    }
    with st.expander(say("Keep a part only")):
        spec |= _sample(say)
    job_button(say, say("Check and store"), "import", spec)
    last = next((job for job in queue.jobs("import") if job.spec.get("entry") == name and not job.is_live), None)
    if last is not None:
        _outcome(say, last)


def _title(say: Say, entry: Entry) -> str:
    size = f"{entry.n_bytes / MEGABYTE:,.1f} MB"
    files = say("{n} files", n=entry.n_files)
    return f"{plain(entry.name, 60)} · {size} · {files}"


def _sample(say: Say) -> dict[str, object]:
    st.caption(say("Judged queries and documents stay. Left empty, everything is kept."))
    one, two, three = st.columns(3)
    queries = one.number_input(say("Queries"), min_value=1, value=None, step=1000, key="inbox_queries")
    documents = two.number_input(say("Documents"), min_value=1, value=None, step=10_000, key="inbox_documents")
    by = three.selectbox(
        say("Draw queries"), SAMPLED_BY, format_func=lambda code: name_of(say, BY, code), key="inbox_by"
    )
    return {"sample_queries": queries, "sample_documents": documents, "sample_by": by}


def _outcome(say: Say, job: Job) -> None:
    """Show the last import of this entry: its findings, and the way on or what to mend."""
    found = import_record(job.id)
    if job.state == "failed" and job.error is not None:
        problem(say, str(job.error["code"]), dict(job.error["facts"]))
    if found is None:
        return
    numbers((name_of(say, ROLE_NAMES, role), f"{n:,}") for role, n in found["counts"].items())
    if found["digest"] is not None:
        st.success(markdown(say("Stored as “{name}”.", name=str(job.spec["name"]))))
        for line in sampling_lines(say, found.get("sampling")):
            st.caption(line)
        st.page_link(
            "pages/plan.py",
            label=say("Make a plan with this dataset"),
            icon=":material/edit_note:",
            query_params={"dataset": str(found["digest"])},
        )
    findings_table(say, [Finding(**record) for record in found["findings"]], "inbox_findings")
