"""What students took over from their teacher, measured on queries that no training has seen."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from rerank.audit.inheritance import inheritance_of
from rerank.audit.pairs import KEY, scored_pairs
from rerank.planning.graph import distils
from rerank.planning.plan import FUSION, Plan
from rerank.report.ran import Ran, StrategyRun
from rerank.stats.compare import MIN_QUERIES

Scope = Literal["test", "development"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
CONTROL = "C"  # learned from the judgments alone


def scope_of(
    plan: Plan, test_queries: Collection[str], teacher_scores: Mapping[tuple[str, str], float], names: Sequence[str]
) -> Scope | None:
    """Return on which queries students can be held against their teacher; None when none of `names` distils.

    Test queries, unless a held-out test set was kept from the teacher: nobody asks it about them, so that a paid
    one costs nothing for this. Development queries then; they have chosen the epochs, and taught nothing.
    """
    if not distils(names) or not teacher_scores:
        return None
    tested = set(test_queries)
    answered = {query for query, _ in teacher_scores if query in tested}
    enough = len(answered) >= min(MIN_QUERIES, len(tested))
    return "test" if plan.split.kind == "kfold" or enough else "development"


def inheritance_record(ran: Ran) -> dict[str, Any] | None:
    """Return the inheritance as it stands in `result.json`; None when nothing distils."""
    scope = scope_of(ran.plan, ran.test_queries, ran.teacher_scores, [run.name for run in ran.runs])
    if scope is None:
        return None
    queries = ran.test_queries if scope == "test" else ran.dev_queries
    candidates = ran.candidates[ran.candidates["query_id"].isin(list(queries))].reset_index(drop=True)
    said = pd.DataFrame([(*pair, score) for pair, score in ran.teacher_scores.items()], columns=[*KEY, "score"])
    rows = scored_pairs(ran.dataset, candidates[[*KEY, "rank"]], said)
    runs = {run.name: run for run in ran.runs if run.is_trained and _rankings(run, scope)}
    controls: dict[str, str | None] = {}
    for name in runs:
        if distils([name]):
            control = CONTROL + (FUSION if name.endswith(FUSION) else "")
            controls[name] = control if control in runs else None
    wanted = [name for name in runs if name in controls or name in controls.values()]
    scores = {}
    for name in wanted:
        placed = [rows[KEY].merge(found[[*KEY, "rank"]], on=KEY, how="left") for found in _rankings(runs[name], scope)]
        scores[name] = -np.array([item["rank"].to_numpy(dtype=np.float64) for item in placed])
    return {"scope": scope, **inheritance_of(rows, scores, controls, ran.plan.split.seed)}


def _rankings(run: StrategyRun, scope: Scope) -> list[pd.DataFrame]:
    found = run.rankings if scope == "test" else run.dev_rankings
    return [found[seed] for seed in sorted(found)]
