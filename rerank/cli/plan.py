"""The plan of a run: preset, then its template, the plan file, then the flags."""

import argparse
import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.losses import losses_for
from rerank.planning.plan import LOCAL_MODELS, Plan
from rerank.planning.presets import preset, template
from rerank.wording.plans import HYPOTHESES


def plan_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a plan file. Raises RerankError `input_not_found` and `plan_unreadable`."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RerankError("input_not_found", path=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RerankError("plan_unreadable", path=str(path), reason=str(error)) from error
    settings.pop("dataset_digest", None)  # the data on the command line decide
    return settings


def plan_of(given: argparse.Namespace, dataset_digest: str, *, has_only_ranks: bool = False) -> Plan:
    """Return the checked plan. has_only_ranks: of the dataset's teacher scores.

    Raises RerankError `plan_unreadable` and what `plan_from_dict` raises.
    """
    plan = preset(given.preset, dataset_digest)
    if given.template:
        # The same words in every language of the terminal: they are part of the digest.
        plan = dataclasses.replace(template(given.template, plan), hypothesis=HYPOTHESES[given.template])
    is_loss_chosen = False
    if given.plan:
        settings = plan_settings(Path(given.plan).expanduser())
        is_loss_chosen = "loss" in settings.get("distillation", {})
        plan = plan_from_dict(settings, plan)
    flags: dict[str, Any] = {}
    if given.strategies:
        flags["strategies"] = [name.strip() for name in given.strategies.split(",") if name.strip()]
    if given.seeds is not None:
        flags["seeds"] = list(range(1, given.seeds + 1))
    for name in ("max_queries", "base_model", "teacher"):
        value = getattr(given, name)
        if value is not None:
            flags[name] = value
    first = {"kind": given.first_stage, "pool": given.pool, "depth": given.depth}
    first = {name: value for name, value in first.items() if value is not None}
    if first:
        flags["first_stage"] = first
    is_local = (given.teacher or plan.teacher) in LOCAL_MODELS
    if is_local and given.teacher_model is not None:
        flags["local_teacher"] = {"model": given.teacher_model}
    llm = {"base_url": given.teacher_url, "model": None if is_local else given.teacher_model}
    llm |= {"mode": given.teacher_mode, "usd": given.teacher_usd}
    llm = {name: value for name, value in llm.items() if value is not None}
    if llm:
        flags["llm"] = llm
    # A preset's loss is nobody's choice: with a teacher that gives less than it wants, another one takes its place.
    teacher = given.teacher or plan.teacher
    fitting = losses_for(teacher, has_only_ranks=has_only_ranks and teacher == "uploaded")
    if not is_loss_chosen and plan.distillation.loss not in fitting:
        flags["distillation"] = {"loss": fitting[0]}
    return with_whole_path(plan_from_dict(flags, plan))


def with_whole_path(plan: Plan) -> Plan:
    """Return a plan that names its models, where they are folders, by whole paths: the worker stands elsewhere."""
    teacher = dataclasses.replace(plan.local_teacher, model=_whole(plan.local_teacher.model))
    base = plan.base_model if plan.base_model == "embedded" else _whole(plan.base_model)
    return dataclasses.replace(plan, base_model=base, local_teacher=teacher)


def _whole(name: str) -> str:
    folder = Path(name).expanduser()
    return str(folder.resolve()) if name and folder.is_dir() else name
