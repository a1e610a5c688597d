"""The whole answer about a sample: figures, code, reasons, steps and the list to judge."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rerank.adequacy.answer import Answer, answer_of
from rerank.adequacy.lists import Lists, first_ten
from rerank.adequacy.sample import Sample, sample_of
from rerank.adequacy.to_judge import next_queries, to_judge
from rerank.intake.dataset import Dataset
from rerank.intake.findings import Finding
from rerank.planning.plan import Plan
from rerank.planning.splits import evaluable_queries


@dataclass(frozen=True)
class Adequacy:
    """Figures, answer, and the judgments that would tell the most (`to_judge.COLUMNS`)."""

    sample: Sample
    answer: Answer
    to_judge: pd.DataFrame


def adequacy_of(
    dataset: Dataset,
    findings: Sequence[Finding],
    plan: Plan,
    *,
    n_questions: int,
    pilot_sd: float | None = None,
    computed: Lists | None = None,
) -> Adequacy:
    """Return whether a dataset is good enough for a plan like this one; searches by BM25, trains nothing.

    plan: whose KPI, margin, α and division count. n_questions: that share α. computed: first tens of systems that were
    computed elsewhere, by name.
    """
    usable = evaluable_queries(dataset, plan)
    judged = set(dataset.judgments["query_id"])
    # What is missing is known only with the sample's figures, and those need the lists: ask for as many as could be.
    figures = sample_of(dataset, findings, {}, plan, n_questions=n_questions, pilot_sd=pilot_sd)
    new = next_queries(dataset, plan, answer_of(figures).n_more)
    mine = set(usable)
    open_ones = [query_id for query_id in dataset.queries["query_id"] if query_id in judged and query_id not in mine]
    lists = first_ten(dataset, [*usable, *new, *open_ones], computed)
    sample = sample_of(dataset, findings, lists, plan, n_questions=n_questions, pilot_sd=pilot_sd)
    return Adequacy(sample, answer_of(sample), to_judge(dataset, plan, lists, new))


def record_of(found: Adequacy) -> dict[str, Any]:
    """Return the answer as plain JSON types; a figure that is not finite is None."""
    record: dict[str, Any] = {
        "answer": found.answer.code,
        "reasons": [dataclasses.asdict(reason) for reason in found.answer.reasons],
        "next": [dataclasses.asdict(step) for step in found.answer.steps],
        "n_more_queries": found.answer.n_more,
        "n_to_judge": len(found.to_judge),
        "figures": dataclasses.asdict(found.sample),
    }
    plain = _finite(record)
    return plain if isinstance(plain, dict) else record


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
