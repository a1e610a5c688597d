"""The written account of a study: docs/validity.md."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from rerank.validity.experiments import Rate
from rerank.validity.further_queries import settled_of, typical_ratio, unrealistic_of
from rerank.validity.study import SIZES, Study, at_size, different_by_size, figures_of, pooled, worst_power
from rerank.validity.targets import Target, targets_of

PROMISES: Mapping[str, str] = {
    "false_better": "No true difference: “better” or “worse”",
    "family_error": "No true difference in a family of two: any “better” or “worse”",
    "false_equivalent": "True difference = δ: “equivalent”, or a difference called negligible",
    "coverage": "95 % t-interval holds the truth, 50 queries or more",
    "settled_with_n_more": "With the queries asked for, no longer “inconclusive”",
    "power_error": "Planned against simulated power, largest gap",
}


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters["percent"] = _percent
    environment.filters["rate"] = _rate
    environment.filters["signed"] = lambda value: f"{value:+.3f}".replace("-", "−")
    return environment.get_template("validity.md.jinja")


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _rate(rate: Rate) -> str:
    return f"{_percent(rate.share)} ± {_percent(rate.error)}" if rate.n else "–"


def _range(target: Target) -> str:
    if target.low == 0:
        return f"at most {_percent(target.high)}"
    return f"{_percent(target.low)} to {_percent(target.high)}"


def document_of(study: Study, about: Mapping[str, Any]) -> str:
    """Return the account as Markdown.

    about: what the figures do not hold: command, date, seed, seconds, platform, device_name where known, collections
    (queries by name), left_out (reason by name), depth and max_queries (None with scores of one's own).
    """
    figures = figures_of(study)
    promises = [
        {
            "promise": PROMISES[target.name] + (f", {target.n_queries} queries" if target.n_queries else ""),
            "figure": _percent(target.figure).replace(" %", " points")
            if target.name == "power_error"
            else _percent(target.figure),
            "error": _percent(target.error) if target.error else "",
            "range": _range(target).replace(" %", " points") if target.name == "power_error" else _range(target),
            "holds": target.holds,
        }
        for target in targets_of(figures)
    ]
    n = SIZES[0]
    worst = max(at_size(study, n), key=lambda item: item.different.share)
    return _template().render(
        about=about,
        figures=figures,
        measure=study.measure,
        promises=promises,
        missed=[row["promise"] for row in promises if not row["holds"]],
        sizes=SIZES,
        populations=_population_rows(study),
        families=len(study.families),
        family={size: (study.family[size], study.family_one_true[size]) for size in SIZES},
        worst=worst,
        better={size: pooled([item.better for item in at_size(study, size)]) for size in SIZES},
        covered={size: pooled([item.covered for item in at_size(study, size)]) for size in SIZES},
        different=different_by_size(study.alarms),
        ties_moved=different_by_size(study.alarms_ties_moved),
        worst_moved=max(study.alarms_ties_moved, key=lambda item: item.different.share),
        others={name: different_by_size(items) for name, items in study.alarms_other.items()},
        bca=study.bca,
        wide={size: _at_margin(study.wide, size) for size in SIZES},
        default={size: _at_margin(study.default, size) for size in SIZES},
        sequels={truth: _sequel_row(found) for truth, found in study.sequels.items()},
        power=study.power,
        worst_power=worst_power(study),
        luck=study.luck,
    )


def _at_margin(items: Sequence[Any], size: int) -> tuple[Rate, Rate]:
    chosen = [item for item in items if item.n_queries == size]
    return pooled([item.equivalent for item in chosen]), pooled([item.not_worse for item in chosen])


def _sequel_row(found: Sequence[Any]) -> dict[str, Any]:
    ratio = typical_ratio(found)
    return {
        "n": len(found),
        "settled": settled_of(found),
        "unrealistic": unrealistic_of(found),
        "ratio": "–" if ratio is None else f"{ratio:.1f}",
    }


def _population_rows(study: Study) -> list[dict[str, Any]]:
    return [
        {
            "population": population,
            "n": len(population.differences),
            "different": [item.different.share for item in study.alarms if item.population is population],
        }
        for population in study.populations
    ]
