"""Taking the model along: the export's job, its folder, its zip and the commands that serve it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.jobs.records import Job
from rerank.planning.experiments import export_folder
from rerank.report.exported import MAX_ZIP_BYTES, exportable, folder_bytes, load_export, recommended_strategy, zip_bytes
from rerank.ui.safe import markdown
from rerank.ui.show import problem
from rerank.wording.card import exactness, int8_sentence, mixture_sentences
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.progress import progress_line
from rerank.wording.serving_commands import honesty, serving_commands
from rerank.wording.tables import free_recipe

FORMATS = ("safetensors", "onnx", "int8")


def export_panel(say: Say, experiment: str, result: Mapping[str, Any]) -> None:
    """Show the export of an experiment's models: start, progress, and what is there."""
    recipe = free_recipe(say, result)
    if recipe is not None:
        st.info(markdown(recipe), icon=":material/blender:")
    names = exportable(result)
    if not names:
        return
    st.subheader(say("Take the model with you"), anchor=False)
    st.caption(
        say(
            "Trains the strategy once more, on all queries with a relevant document, and writes a folder with its card."
        )
    )
    recommended = recommended_strategy(result)
    if recommended is None:
        st.caption(say("The decision recommends no trained model; you can take one all the same."))
    job = _newest(experiment)
    live = job is not None and job.is_live
    left, right = st.columns(2)
    likeliest = recommended or result["decision"]["single_strategy"]
    index = names.index(likeliest) if likeliest in names else 0
    strategy = left.selectbox(
        say("Strategy to export"),
        names,
        index=index,
        format_func=lambda name: strategy_name(say, name),
        key=f"export_strategy_{experiment}",
    )
    labels = {"safetensors": say("Weights only"), "onnx": say("and ONNX"), "int8": say("and ONNX in int8")}
    files = right.selectbox(
        say("Files"), FORMATS, format_func=lambda name: labels[name], key=f"export_files_{experiment}"
    )
    if st.button(say("Train on all queries and export"), key="export", disabled=live):
        onnx = {"onnx": files != "safetensors", "int8": files == "int8"}
        start("export", {"experiment": experiment, "strategy": strategy, "device": _device(experiment), **onnx})
        st.rerun()
    if job is not None:
        _watch(say, experiment, live=live)
    record = load_export(experiment, strategy)
    if record is not None:
        _exported(say, experiment, strategy, record)


def _newest(experiment: str) -> Job | None:
    found = [item for item in queue.jobs("export", 1000) if item.spec.get("experiment") == experiment]
    return found[0] if found else None


def _device(experiment: str) -> str:
    """Return the device that the experiment ran on."""
    last = queue.experiment_job(experiment)
    return "auto" if last is None else str(last.spec.get("device", "auto"))


def _watch(say: Say, experiment: str, *, live: bool) -> None:
    @st.fragment(run_every="2s" if live else None)
    def watch() -> None:
        job = _newest(experiment)
        if job is None:
            return
        if job.is_live:
            st.progress(min(1.0, float(job.progress.get("share") or 0.0)), text=markdown(progress_line(say, job)))
            if job.stop_requested:
                st.write(say("Stopping …"))
            elif st.button(say("Stop the export"), key="stop_export"):
                queue.request_stop(job.id)
                st.rerun(scope="fragment")
        elif live:
            st.rerun()  # once, on the way from live to ended
        elif job.state == "failed" and job.error is not None:
            problem(say, str(job.error["code"]), dict(job.error["facts"]))
        elif job.state in ("stopped", "lost"):
            st.info(say("The export was interrupted. Starting it again continues where it stopped."))

    watch()


def _exported(say: Say, experiment: str, strategy: str, record: Mapping[str, Any]) -> None:
    folder = export_folder(experiment, strategy)
    name = strategy_name(say, strategy)
    at = record["created_at"][:16].replace("T", " ")
    st.write(markdown(say("{strategy} was exported {at} (UTC) to this folder:", strategy=name, at=at)))
    st.code(str(folder), language=None)
    for sentence in (exactness(say), *mixture_sentences(say, record)):
        st.caption(markdown(sentence))
    if record["int8"] is not None:
        st.caption(markdown(int8_sentence(say, record)))
    if folder_bytes(folder) <= MAX_ZIP_BYTES:
        st.download_button(
            say("The model as a zip"),
            data=lambda: zip_bytes(folder),
            file_name=f"reranker-{experiment}-{strategy}.zip",
            mime="application/zip",
            key="zip_model",
            on_click="ignore",
        )
    with st.expander(say("Commands that serve it")):
        st.caption(markdown(honesty(say)))
        for item in serving_commands(say, record, str(folder)):
            st.markdown(f"**{markdown(item.title)}**")
            for note in item.notes:
                st.caption(markdown(note))
            for language, code in item.blocks:
                st.code(code, language=None if language == "text" else language)
