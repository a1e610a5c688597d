"""`rerank run`: lock the plan, start the worker, watch it, export the result."""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from rerank.audit.records import let_teach
from rerank.cli.data import dataset_of
from rerank.cli.output import output_folder, writing_to
from rerank.cli.plan import plan_of
from rerank.cli.show import print_result
from rerank.errors import RerankError
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.jobs.records import Job
from rerank.planning.business import load_business, read_business, save_business
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.losses import holds_only_ranks
from rerank.planning.overrides import overrides
from rerank.report.files import export
from rerank.store.unwritable import unwritable
from rerank.wording.errors import error_sentence
from rerank.wording.language import Say
from rerank.wording.progress import progress_line

POLL_SECONDS = 0.5
LINE_SECONDS = 15.0  # between lines when nobody watches a terminal
PATIENCE_SECONDS = 360.0  # longer than a worker tries to write how its job ended


def run(given: argparse.Namespace, say: Say) -> int:
    """Run an experiment to its end; 0 done, 2 bad input, 3 interrupted."""
    out = output_folder(given.out)
    dataset = dataset_of(given)
    said = dataset.teacher_scores
    plan = plan_of(given, dataset.digest, has_only_ranks=said is not None and holds_only_ranks(said))
    business = read_business(Path(given.business).expanduser()) if given.business else None
    experiment = lock_plan(plan, name=given.name or dataset.name, dataset_name=dataset.name)
    print(say("Experiment {id}, plan locked.", id=experiment), file=sys.stderr)
    if business is not None:
        save_business(business, experiment)
    if given.override_by is not None or given.override_reason is not None:
        let_teach(experiment, by=given.override_by or "", reason=given.override_reason or "")
    job = start("experiment", {"experiment": experiment, "gate": given.gate, "device": given.device})
    job = watch(job, say)
    if job.state == "done":
        with writing_to(out):
            export(experiment_folder(experiment), out)
        result = load_result(experiment)
        if result is None:
            raise RerankError("no_result_yet", experiment=experiment)
        print_result(result, say, load_business(experiment), overrides(experiment))
        print(say("Written to {folder}", folder=out))
        return 0
    return exit_code(job, say)


def exit_code(job: Job, say: Say) -> int:
    """Return the exit code of a job that did not get done, and print why."""
    if job.state == "failed" and job.error is not None:
        print(error_sentence(say, str(job.error["code"]), job.error["facts"]), file=sys.stderr)
        return 1 if job.error["code"] == "defect" else 2
    print(say("Interrupted. The same command continues where it stopped."), file=sys.stderr)
    return 3


def watch(job: Job, say: Say) -> Job:
    """Print a job's progress until it has ended, and return it; Ctrl-C asks it to stop."""
    told, shown = 0.0, ""
    heard = time.monotonic()
    live = sys.stderr.isatty()
    while True:
        try:
            while job.is_live:
                line = progress_line(say, job)
                if live and line != shown:
                    print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
                    shown = line
                elif not live and time.monotonic() - told >= LINE_SECONDS:
                    print(line, file=sys.stderr, flush=True)
                    told = time.monotonic()
                time.sleep(POLL_SECONDS)
                try:
                    job = queue.job(job.id)
                    heard = time.monotonic()
                except Exception as error:
                    # The worker may go on, or will say what the matter is as soon as it can.
                    if unwritable(error) is None or time.monotonic() - heard > PATIENCE_SECONDS:
                        raise
            if live:
                print(file=sys.stderr)
            return job
        except KeyboardInterrupt:
            queue.request_stop(job.id)
            with contextlib.suppress(BrokenPipeError):
                print("\n" + say("Stopping …"), file=sys.stderr)
