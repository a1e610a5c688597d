"""docs/plan.md names every setting with its true default and range, and its example is a valid plan."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.plan import LANGUAGE_MODELS, LOCAL_MODELS, Plan
from rerank.planning.presets import PRESETS, preset

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
DIGEST = "d" * 64
NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their dotted name."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def nested(name: str, value: object) -> dict[str, object]:
    """One dotted setting as a plan file holds it."""
    outer, _, inner = name.partition(".")
    return {outer: {inner: value}} if inner else {outer: value}


def table_rows(*, presets: bool) -> list[list[str]]:
    text, _, rest = DOCUMENT.partition("\n## Presets\n")
    lines = (rest if presets else text).splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]


SETTINGS = {row[0].strip("`"): row for row in table_rows(presets=False)}
TRUE = flat(Plan(DIGEST).to_dict())
RANGES = [
    (name, match[1], match[2])
    for name, row in SETTINGS.items()
    if (match := re.fullmatch(f"{NUMBER} to {NUMBER}", row[2]))
]


def accepted(name: str, value: object) -> bool:
    settings = nested(name, value)
    if value in LANGUAGE_MODELS:  # they need more than their name, and give less than kl wants
        settings |= {"llm": {"base_url": "http://localhost/v1", "model": "m"}, "distillation": {"loss": "ranknet"}}
    if value in LOCAL_MODELS:
        settings |= {"local_teacher": {"model": "owner/name"}}
    try:
        plan_from_dict(settings, Plan(DIGEST))
    except RerankError:
        return False
    return True


def number(text: str) -> float | int:
    return int(text) if text.isdigit() else float(text)


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(SETTINGS) == set(TRUE)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "dataset_digest"])
def test_documented_defaults_are_the_true_ones(name: str) -> None:
    told = SETTINGS[name][1]
    assert (None if told == "none" else json.loads(told.strip("`"))) == TRUE[name]


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_a_documented_range_is_accepted_to_its_ends_and_not_beyond(name: str, low: str, high: str) -> None:
    assert accepted(name, number(low))
    assert accepted(name, number(high))
    assert not accepted(name, number(low) - (1 if isinstance(TRUE[name], int) else 1e-10))
    assert not accepted(name, number(high) * 1.001 if isinstance(TRUE[name], float) else int(number(high)) + 1)


def test_every_number_has_a_documented_range() -> None:
    limits = {"max_queries", "budget.minutes", "budget.usd", *(name for name in TRUE if name.startswith("guardrails."))}
    limits |= {
        "contrastive.patience",
        "distillation.patience",
        "llm.usd",
        "llm.usd_per_1m_input",
        "llm.usd_per_1m_output",
    }
    numbers = {name for name, value in TRUE.items() if isinstance(value, (int, float)) and not isinstance(value, bool)}
    assert {name for name, _, _ in RANGES} == numbers | limits


@pytest.mark.parametrize(
    "name",
    (
        "primary_measure split.kind first_stage.kind first_stage.pool teacher passages contrastive.loss "
        "distillation.loss llm.mode llm.language local_teacher.language"
    ).split(),
)
def test_documented_words_are_accepted(name: str) -> None:
    words = re.findall(r"`([^`]+)`", SETTINGS[name][2])
    assert len(words) > 1
    assert all(accepted(name, word) for word in words)


def example() -> dict[str, Any]:
    return tomllib.loads(DOCUMENT.split("```toml\n")[1].split("```")[0])


def test_the_example_is_a_valid_plan() -> None:
    plan = plan_from_dict(example(), Plan(DIGEST))
    assert {name: flat(plan.to_dict())[name] for name in flat(example())} == flat(example())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_told_with_their_values(name: str) -> None:
    column = 1 + ("standard", "quick").index(name)
    told = {row[0].strip("`"): json.loads(row[column].strip("`")) for row in table_rows(presets=True)}
    true = flat(preset(name, DIGEST).to_dict())
    assert {setting: true[setting] for setting in told} == told
    other = flat(preset("quick" if name == "standard" else "standard", DIGEST).to_dict())
    assert {setting for setting, value in true.items() if other[setting] != value} == set(told)
