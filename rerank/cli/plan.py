"""The plan of a run: preset, then its template, the plan file, then the flags."""

import argparse
import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.planning.losses import losses_for
from rerank.planning.plan import Plan, plan_from_dict
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


def plan_of(given: argparse.Namespace, dataset_digest: str) -> Plan:
    """Return the checked plan. Raises RerankError `plan_unreadable` and what `plan_from_dict` raises."""
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
    llm = {"base_url": given.teacher_url, "model": given.teacher_model}
    llm |= {"mode": given.teacher_mode, "usd": given.teacher_usd}
    llm = {name: value for name, value in llm.items() if value is not None}
    if llm:
        flags["llm"] = llm
    # A preset's loss is nobody's choice: with a teacher that gives less than it wants, another one takes its place.
    if given.teacher and not is_loss_chosen and plan.distillation.loss not in losses_for(given.teacher):
        flags["distillation"] = {"loss": losses_for(given.teacher)[0]}
    return with_whole_path(plan_from_dict(flags, plan))


def with_whole_path(plan: Plan) -> Plan:
    """Return a plan whose base model, if it is a folder, is named by its whole path: the worker stands elsewhere."""
    folder = Path(plan.base_model).expanduser()
    if plan.base_model != "embedded" and folder.is_dir():
        return dataclasses.replace(plan, base_model=str(folder.resolve()))
    return plan
