"""A job's progress as one line."""

from rerank.jobs.records import Job
from rerank.wording.language import Say
from rerank.wording.names import PHASES, name_of, strategy_name
from rerank.wording.numbers import duration, usd


def progress_line(say: Say, job: Job) -> str:
    """Return phase, share, stage, loss, time left and cost so far, as far as they are known."""
    progress = job.progress
    if job.state == "queued":
        return name_of(say, PHASES, "queued")
    parts = [name_of(say, PHASES, str(progress.get("phase", "starting")))]
    if progress.get("share"):
        parts.append(f"{progress['share']:.0%}")
    if progress.get("stage") and progress.get("phase") == "training":
        stage = strategy_name(say, str(progress["stage"]))
        place = {"done": progress.get("n_stages_done", 0), "all": progress.get("n_stages", 0)}
        if progress.get("n_side_by_side", 1) > 1:
            more = int(progress["n_side_by_side"]) - 1
            parts.append(
                say("{stage} and {n} more at once ({done} of {all} stages done)", stage=stage, n=more, **place)
            )
        else:
            parts.append(say("{stage} ({done} of {all} stages done)", stage=stage, **place))
        parts.append(say("loss {loss}", loss=f"{progress.get('loss', 0):.3f}"))
    if progress.get("phase") == "teaching" and progress.get("n_questions"):
        parts.append(
            say("{done} of about {all} questions", done=progress.get("n_answers", 0), all=progress["n_questions"])
        )
    if progress.get("phase") == "downloading" and progress.get("n_documents"):
        parts.append(say("{n} documents read", n=f"{progress['n_documents']:,}"))
    if progress.get("seconds_left") is not None:
        parts.append(say("{time} left", time=duration(progress["seconds_left"], say)))
    if progress.get("cost_usd") is not None:
        parts.append(usd(progress["cost_usd"]))
    return " · ".join(parts)
