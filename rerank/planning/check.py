"""A plan from plain values, and whether its values are in their ranges."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from rerank.errors import RerankError
from rerank.planning.graph import path_of
from rerank.planning.losses import CONTRASTIVE, DISTILLATION, check_losses
from rerank.planning.plan import (
    LANGUAGE_MODELS,
    LOCAL_MODELS,
    MEASURES,
    STRATEGIES,
    FirstStageKind,
    ListwiseMode,
    Passages,
    Plan,
    Pool,
    PromptLanguage,
    SplitKind,
    StageSettings,
    Teacher,
    UnlabelledSource,
)


def plan_from_dict(given: Mapping[str, Any], start: Plan | None = None) -> Plan:
    """Build a checked plan from plain values (TOML, JSON or a form) on top of `start`.

    Raises RerankError `plan_unknown_setting`, `plan_bad_value` (facts: setting, value) and what
    `check_plan` raises.
    """
    start = start or Plan(dataset_digest=str(given.get("dataset_digest", "")))
    changes: dict[str, Any] = {}
    names = {item.name for item in dataclasses.fields(Plan)}
    for name, value in given.items():
        if name not in names:
            raise RerankError("plan_unknown_setting", setting=name)
        current = getattr(start, name)
        if dataclasses.is_dataclass(current):
            if not isinstance(value, Mapping):
                raise RerankError("plan_bad_value", setting=name, value=str(value))
            known = {item.name for item in dataclasses.fields(current)}
            for inner in value:
                if inner not in known:
                    raise RerankError("plan_unknown_setting", setting=f"{name}.{inner}")
            inner_values = {key: tuple(item) if isinstance(item, list) else item for key, item in dict(value).items()}
            changes[name] = dataclasses.replace(current, **inner_values)  # type: ignore[type-var]
        elif isinstance(current, tuple):
            if not isinstance(value, (list, tuple)):
                raise RerankError("plan_bad_value", setting=name, value=str(value))
            changes[name] = tuple(value)
        else:
            changes[name] = value
    plan = dataclasses.replace(start, **changes)
    check_plan(plan)
    return plan


def _bad(setting: str, value: object) -> RerankError:
    return RerankError("plan_bad_value", setting=setting, value=str(value))


def _number(value: object, low: float, high: float, *, whole: bool = False) -> bool:
    kind = int if whole else (int, float)
    return isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high


def _check_numbers(prefix: str, holder: object, ranges: Iterable[tuple[str, float, float, bool]]) -> None:
    """Check settings by name: lowest, highest, and whether only whole numbers will do."""
    for setting, low, high, whole in ranges:
        value = getattr(holder, setting)
        if not _number(value, low, high, whole=whole):
            raise _bad(f"{prefix}.{setting}", value)


def _check_stage(name: str, stage: StageSettings, losses: tuple[str, ...]) -> None:
    if stage.loss not in losses:
        raise _bad(f"{name}.loss", stage.loss)
    ranges = (
        ("epochs", 0, 100, True),
        ("learning_rate", 0, 1.0, False),
        ("group_size", 2, 128, True),
        ("queries_per_step", 1, 256, True),
        ("warmup_share", 0, 0.9, False),
        ("weight_decay", 0, 1, False),
        ("max_gradient_norm", 1e-6, 1e6, False),
        ("dropout", 0, 0.9, False),
        ("temperature", 1e-3, 1e3, False),
        ("false_negative_share", 0, 10, False),
    )
    _check_numbers(name, stage, ranges)
    if stage.patience is not None and not _number(stage.patience, 0, 100, whole=True):
        raise _bad(f"{name}.patience", stage.patience)
    if not isinstance(stage.freeze_word_embeddings, bool):
        raise _bad(f"{name}.freeze_word_embeddings", stage.freeze_word_embeddings)


def _check_language_model(plan: Plan) -> None:
    model = plan.llm
    ranges = (
        ("depth", 2, 1000, True),
        ("passes", 1, 20, True),
        ("checked_queries", 0, 10_000, True),
        ("max_letters", 50, 100_000, True),
        ("thinking_tokens", 0, 100_000, True),
        ("concurrency", 1, 256, True),
        ("timeout_seconds", 0.1, 3600, False),
    )
    _check_numbers("llm", model, ranges)
    for name in ("usd_per_1m_input", "usd_per_1m_output", "usd"):
        if getattr(model, name) is not None and not _number(getattr(model, name), 0, 1e6):
            raise _bad(f"llm.{name}", getattr(model, name))
    if model.mode not in get_args(ListwiseMode):
        raise _bad("llm.mode", model.mode)
    if model.language not in get_args(PromptLanguage):
        raise _bad("llm.language", model.language)
    if not _is_version(model.prompt):
        raise _bad("llm.prompt", model.prompt)
    if not isinstance(model.model, str) or not isinstance(model.base_url, str):
        raise _bad("llm.model, llm.base_url", model.model)
    if model.base_url and not _is_plain_url(model.base_url):
        raise RerankError("teacher_url_unusable")  # not shown: it may hold a password
    if plan.teacher in LANGUAGE_MODELS and not (model.base_url and model.model.strip()):
        raise RerankError("teacher_needs_endpoint")


def _is_version(prompt: object) -> bool:
    """Say whether it can be part of a prompt file's name."""
    return isinstance(prompt, str) and re.fullmatch(r"[A-Za-z0-9_]{1,40}", prompt) is not None


def _check_local_teacher(plan: Plan) -> None:
    local = plan.local_teacher
    for name, low, high in (("max_length", 64, 32768), ("depth", 2, 1000)):
        if not _number(getattr(local, name), low, high, whole=True):
            raise _bad(f"local_teacher.{name}", getattr(local, name))
    if not _is_version(local.prompt):
        raise _bad("local_teacher.prompt", local.prompt)
    if local.language not in get_args(PromptLanguage):
        raise _bad("local_teacher.language", local.language)
    if not isinstance(local.model, str):
        raise _bad("local_teacher.model", local.model)
    if plan.teacher in LOCAL_MODELS and not local.model.strip():
        raise RerankError("teacher_needs_model")


def _is_plain_url(text: str) -> bool:
    """Say whether it is http or https to a host, without a password or a key that would be stored with the plan."""
    try:
        found = urlsplit(text)
        _ = found.port
    except ValueError:
        return False
    is_web = found.scheme in ("http", "https") and bool(found.hostname)
    return is_web and "@" not in found.netloc and not found.query and not found.fragment and text.isprintable()


def _check_curve(plan: Plan) -> None:
    curve = plan.learning_curve
    if not all(_number(share, 0.01, 0.99) for share in curve.shares) or len(set(curve.shares)) != len(curve.shares):
        raise _bad("learning_curve.shares", curve.shares)
    if not curve.strategies or not all(path_of(name) for name in curve.strategies):
        raise _bad("learning_curve.strategies", curve.strategies)


def check_plan(plan: Plan) -> None:
    """Raise RerankError `plan_bad_value`, or `plan_no_strategy`, at the first setting out of its range."""
    if plan.primary_measure not in MEASURES:
        raise _bad("primary_measure", plan.primary_measure)
    if not all(isinstance(name, str) for name in plan.strategies):
        raise _bad("strategies", plan.strategies)
    if not isinstance(plan.label_or_distil, bool):
        raise _bad("label_or_distil", plan.label_or_distil)
    if not plan.seeds or not all(_number(seed, 0, 2**31 - 1, whole=True) for seed in plan.seeds):
        raise _bad("seeds", plan.seeds)
    if not plan.strategies or set(plan.strategies) <= {"first-stage"}:
        raise RerankError("plan_no_strategy")
    for name in plan.strategies:
        if name not in STRATEGIES:
            raise _bad("strategies", name)
    if "first-stage" not in plan.strategies:
        raise _bad("strategies", "first-stage is the reference and cannot be left out")
    if len(set(plan.strategies)) != len(plan.strategies) or len(set(plan.seeds)) != len(plan.seeds):
        raise _bad("strategies, seeds", "repeated")
    ranges = (
        ("relevant_grade", plan.relevant_grade, 1, 100, True),
        ("margin", plan.margin, 1e-4, 0.5, False),
        ("alpha", plan.alpha, 1e-4, 0.5, False),
        ("max_length", plan.max_length, 16, 8192, True),
        ("split.folds", plan.split.folds, 2, 20, True),
        ("split.test_share", plan.split.test_share, 0.05, 0.9, False),
        ("split.dev_share", plan.split.dev_share, 0.05, 0.8, False),
        ("split.seed", plan.split.seed, 0, 2**31 - 1, True),
        ("first_stage.depth", plan.first_stage.depth, 2, 1000, True),
        ("second_stage_learning_rate_factor", plan.second_stage_learning_rate_factor, 1e-3, 10, False),
        ("unlabelled.queries", plan.unlabelled.queries, 0, 1_000_000, True),
        ("search_trials", plan.search_trials, 0, 4, True),
        ("learning_curve.seeds", plan.learning_curve.seeds, 1, 1000, True),
    )
    for setting, value, low, high, whole in ranges:
        if not _number(value, low, high, whole=whole):
            raise _bad(setting, value)
    for setting, word, words in (
        ("split.kind", plan.split.kind, get_args(SplitKind)),
        ("first_stage.kind", plan.first_stage.kind, get_args(FirstStageKind)),
        ("first_stage.pool", plan.first_stage.pool, get_args(Pool)),
        ("teacher", plan.teacher, get_args(Teacher)),
        ("passages", plan.passages, get_args(Passages)),
        ("unlabelled.source", plan.unlabelled.source, get_args(UnlabelledSource)),
    ):
        if word not in words:
            raise _bad(setting, word)
    for setting, limit, low, high, whole in (
        ("max_queries", plan.max_queries, 1, 1e9, True),
        ("budget.minutes", plan.budget.minutes, 0, 1e9, False),
        ("budget.usd", plan.budget.usd, 0, 1e9, False),
        ("guardrails.max_p95_latency_ms", plan.guardrails.max_p95_latency_ms, 0, 1e9, False),
        ("guardrails.min_recall", plan.guardrails.min_recall, 0, 1, False),
        ("guardrails.max_segment_drop", plan.guardrails.max_segment_drop, 0, 1, False),
        ("guardrails.max_harmed_share", plan.guardrails.max_harmed_share, 0, 1, False),
    ):
        if limit is not None and not _number(limit, low, high, whole=whole):
            raise _bad(setting, limit)
    check_losses(plan.contrastive.loss, plan.distillation.loss, plan.teacher)
    _check_stage("contrastive", plan.contrastive, CONTRASTIVE)
    _check_stage("distillation", plan.distillation, DISTILLATION)
    _check_curve(plan)
    _check_language_model(plan)
    _check_local_teacher(plan)
    if not isinstance(plan.base_model, str) or not plan.base_model.strip():
        raise _bad("base_model", plan.base_model)
    if not isinstance(plan.hypothesis, str):
        raise _bad("hypothesis", plan.hypothesis)
