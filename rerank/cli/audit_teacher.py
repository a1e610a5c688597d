"""`rerank audit-teacher`: what a teacher is worth on judged queries, before it teaches."""

import argparse
import dataclasses
import hashlib
from pathlib import Path
from typing import get_args

from rerank.audit.records import job_audit_path
from rerank.cli.check import print_findings
from rerank.cli.data import dataset_of
from rerank.cli.plan import plan_settings, with_whole_path
from rerank.cli.run import exit_code, watch
from rerank.cli.show import print_audit, print_table
from rerank.errors import RerankError
from rerank.intake.additions import read_teacher_scores
from rerank.intake.dataset import Dataset
from rerank.jobs.launch import start
from rerank.planning.check import plan_from_dict
from rerank.planning.losses import losses_for
from rerank.planning.plan import LANGUAGE_MODELS, Plan, Teacher
from rerank.planning.presets import preset
from rerank.store.artefacts import read_json, write_json, write_parquet
from rerank.store.home import room
from rerank.wording.audits import audit_table
from rerank.wording.language import Say


def audit_teacher(given: argparse.Namespace, say: Say) -> int:
    """Audit a teacher; 0 for any colour, 2 bad input, 3 interrupted."""
    dataset = dataset_of(given)
    teacher, scores = _teacher(given, dataset, say)
    plan = _plan(given, dataset, teacher)
    spec = {
        "plan": plan.to_dict(),
        "is_planned": bool(given.plan),
        "scores": scores,
        "model": given.model,
        "judge": given.judge,
        "device": given.device,
    }
    job = watch(start("audit", spec), say)
    if job.state != "done":
        return exit_code(job, say)
    audit = read_json(job_audit_path(job.id))
    print_audit(audit, say)
    print()
    print_table(audit_table(say, audit))
    if given.json:
        write_json(Path(given.json), audit)
    return 0


def _teacher(given: argparse.Namespace, dataset: Dataset, say: Say) -> tuple[str, str | None]:
    """Return the teacher's name and, for a file, where its scores were put for the worker."""
    path = Path(given.teacher).expanduser()
    # A language model needs an address and a limit of money, which only a plan has.
    known = [name for name in get_args(Teacher) if given.plan or name not in LANGUAGE_MODELS]
    if given.teacher in known and not path.is_file():
        if given.teacher == "uploaded" and dataset.teacher_scores is None:
            raise RerankError("no_teacher_scores", dataset=dataset.name)
        return given.teacher, None
    if not path.is_file():
        raise RerankError("teacher_not_found", teacher=given.teacher, known=", ".join(known))
    found = read_teacher_scores(
        path,
        dataset,
        keep_good_rows=given.keep_good_rows,
        tell=lambda findings: print_findings(say, [finding for finding in findings if finding.file]),
    )
    name = hashlib.sha256(found.to_csv(index=False).encode()).hexdigest()
    kept = room("audits") / f"{name}.parquet"
    write_parquet(kept, found)
    return "uploaded", str(kept)


def _plan(given: argparse.Namespace, dataset: Dataset, teacher: str) -> Plan:
    """Return the user's plan with this teacher; without one the standard preset on the data's own run, if any."""
    plan = preset("standard", dataset.digest)
    if given.plan:
        plan = plan_from_dict(plan_settings(Path(given.plan).expanduser()), plan)
    elif dataset.candidates is not None:
        plan = dataclasses.replace(plan, first_stage=dataclasses.replace(plan.first_stage, kind="run"))
    # The audit trains nothing: what D would learn with does not matter, and must not refuse the teacher.
    changes = {"teacher": teacher, "strategies": ["first-stage", "D"], "distillation": {"loss": losses_for(teacher)[0]}}
    if given.teacher_model:
        changes["local_teacher"] = {"model": given.teacher_model}
    return with_whole_path(plan_from_dict(changes, plan))
