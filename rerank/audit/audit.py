"""The audit: every measure of a teacher on the human-judged queries, and the gate's colour."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.audit.agreement import Binning, kappa, kendall, top_one
from rerank.audit.answers import Answers, Extras
from rerank.audit.biases import position_slope, preference, preferences_of, turned_pairs
from rerank.audit.disagreements import disagreements
from rerank.audit.gate import judged_by, leaks
from rerank.audit.intervals import Measured
from rerank.audit.pairs import UNJUDGED, scored_pairs
from rerank.audit.probes import fooled, probes_of, risen
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.intake.dataset import Dataset
from rerank.stats.compare import Scores, compare

AUDIT_VERSION = 1  # raised when a change of the program moves an audit's numbers

Scope = Literal["development", "folds", "judged"]
MEASURES = (
    "delta_free",
    "delta_base",
    "kendall_tau",
    "kappa",
    "top_1",
    "shuffled",
    "repeated",
    "position_slope",
    "length",
    "lexical",
    "probe",
    "malformed",
    "tokens_per_query",
    "usd_per_query",
)


@dataclass(frozen=True)
class Rules:
    """What an audit measures with. scope: which queries it was given, see `audit_teacher`."""

    measure: str
    relevant_grade: int
    margin: float
    alpha: float
    seed: int
    scope: Scope


def audit_teacher(
    teacher: str,
    answers: Answers,
    dataset: Dataset,
    candidates: pd.DataFrame,
    free: Mapping[str, NDArray[np.float64]],
    base: tuple[str, NDArray[np.float64] | None],
    rules: Rules,
) -> dict[str, Any]:
    """Return the audit as plain JSON types; docs/result-schema.md explains every field.

    candidates: query_id, doc_id, rank of the audited queries. free: scores of what costs nothing, aligned with the
    candidates, besides the first stage. base: the name of what the student starts from, and its scores; None when
    that is the teacher itself. A document that the teacher did not score is left out of both sides: a silence is
    no judgement.
    """
    columns = {f"free {name}": scores for name, scores in free.items()}
    if base[1] is not None:
        columns["base"] = base[1]
    rows = scored_pairs(dataset, candidates.assign(**columns), answers.scores)
    queries = [str(query_id) for query_id in dict.fromkeys(rows["query_id"])]
    extras = answers.extras
    taught = rows["teacher"].to_numpy(dtype=np.float64)
    sides = {"first-stage": -rows["rank"].to_numpy(dtype=np.float64)}
    sides |= {name: rows[f"free {name}"].to_numpy(dtype=np.float64) for name in free}
    values = {name: _kpi(dataset, rows, scores, queries, rules) for name, scores in sides.items()}
    mine = _kpi(dataset, rows, taught, queries, rules)
    best = max(values, key=lambda name: float(values[name].mean())) if queries else "first-stage"
    started = _kpi(dataset, rows, rows["base"].to_numpy(dtype=np.float64), queries, rules) if "base" in rows else mine
    binning: Binning = "as_given" if extras.kind == "grades" else "per_query_marginals"
    weighted, confusion = kappa(rows, binning, rules.seed)
    slope, is_separable = position_slope(rows, extras.positions, extras.again, rules.seed)
    measures = {
        "delta_free": _difference(values[best], mine, queries, rules),
        "delta_base": _difference(started, mine, queries, rules),
        "kendall_tau": kendall(rows),
        "kappa": weighted,
        "top_1": top_one(rows, rules.relevant_grade),
        "shuffled": turned_pairs(rows, extras.again, "shuffled"),
        "repeated": turned_pairs(rows, extras.again, "repeated"),
        "position_slope": slope,
        "length": preference(preferences_of(rows, "length"), rules.seed),
        "lexical": preference(preferences_of(rows, "overlap"), rules.seed),
        "probe": _probe(dataset, rows, rules, answers),
        **_bill(extras),
    }
    ignored = () if is_separable else ("position_slope",)
    colour, reasons = judged_by(measures, ignored)
    warnings = ["same_family_as_judge"] if leaks(extras.model, extras.judge) else []
    if slope.value is not None and not is_separable:
        warnings.append("position_not_separable")
    delta = measures["delta_free"]
    return {
        "teacher": teacher,
        "model": extras.model,
        "judge": extras.judge,
        "kind": extras.kind,
        "baseline": best,
        "student_base": base[0],
        "scope": rules.scope,
        "measure": rules.measure,
        "colour": colour,
        "reasons": list(reasons),
        "warnings": warnings,
        "not_measured": [name for name in MEASURES if measures[name].value is None],
        "n_queries": len(queries),
        "n_pairs": len(rows),
        "n_judged_pairs": int((rows["grade"] != UNJUDGED).sum()),
        "n_pairs_without_score": len(candidates) - len(rows),
        "teacher_mean": float(mine.mean()) if queries else None,
        "baseline_mean": float(values[best].mean()) if queries else None,
        "delta": delta.value,
        "ci_low": delta.ci_low,
        "ci_high": delta.ci_high,
        "measures": {name: dataclasses.asdict(measures[name]) for name in MEASURES},
        "binning": binning,
        "confusion": confusion,
        "disagreements": disagreements(dataset, rows),
    }


def _probe(dataset: Dataset, rows: pd.DataFrame, rules: Rules, answers: Answers) -> Measured:
    probed = answers.extras.probed
    if probed is None:
        return fooled(probes_of(dataset, rows, rules.relevant_grade), answers.ask)
    return risen(probed[probed["query_id"].isin(set(rows["query_id"]))])


def _kpi(
    dataset: Dataset, rows: pd.DataFrame, scores: NDArray[np.float64], queries: Sequence[str], rules: Rules
) -> NDArray[np.float64]:
    if not queries:
        return np.empty(0)
    ranking = ranking_of(rows, scores)
    found = per_query_scores(ranking, dataset.judgments, queries, [rules.measure], rules.relevant_grade)
    return found["value"].to_numpy(dtype=np.float64)


def _difference(
    reference: NDArray[np.float64], challenger: NDArray[np.float64], queries: Sequence[str], rules: Rules
) -> Measured:
    ids = tuple(queries)
    sides = [
        Scores(name, ids, values.reshape(1, -1), "", trained=False)
        for name, values in (("baseline", reference), ("teacher", challenger))
    ]
    found = compare(
        *sides,
        measure=rules.measure,
        margin=rules.margin,
        alpha=rules.alpha,
        confirmatory=False,
        rng_seed=rules.seed,
    )
    if found.delta is None:  # too few queries for a test, which is no reason to hide the difference
        mean = float((challenger - reference).mean()) if len(ids) else None
        return Measured(mean, n=len(ids))
    return Measured(found.delta, found.ci_low, found.ci_high, len(ids))


def _bill(extras: Extras) -> dict[str, Measured]:
    n = extras.n_asked or 0
    malformed = None
    if extras.n_answers and extras.n_malformed is not None:
        malformed = extras.n_malformed / extras.n_answers
    return {
        "malformed": Measured(malformed, n=extras.n_answers or 0),
        "tokens_per_query": Measured(extras.n_tokens / n if n and extras.n_tokens is not None else None, n=n),
        "usd_per_query": Measured(extras.usd / n if n and extras.usd is not None else None, n=n),
    }
