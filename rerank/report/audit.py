"""The teacher before it teaches: is it better than what is free?"""

from typing import Any

import numpy as np
import pandas as pd

from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.planning.graph import distils
from rerank.report.ran import Ran
from rerank.stats.compare import Scores, compare


def audit_teacher(ran: Ran) -> dict[str, Any] | None:
    """Return the teacher against the best free baseline on judged queries; None when nothing distils.

    With a held-out test split only the other queries are used. Red: the interval of the difference lies
    below 0. Green: it lies above 0. Amber: anything else, too few queries included.
    """
    if not distils(ran.plan.strategies):
        return None
    plan = ran.plan
    if plan.split.kind == "holdout":
        tested = set(ran.test_queries)
        judged = [query for query in dict.fromkeys(ran.candidates["query_id"]) if query not in tested]
    else:
        judged = list(dict.fromkeys(ran.candidates["query_id"]))
    part = ran.candidates[ran.candidates["query_id"].isin(judged)].reset_index(drop=True)
    pairs = list(zip(part["query_id"], part["doc_id"], strict=True))
    # Only what the teacher scored is audited, as only that is taught: a silence is no judgement.
    scored = np.array([pair in ran.teacher_scores for pair in pairs], dtype=bool)
    n_missing = int((~scored).sum())
    part = part[scored]
    part = part[part.groupby("query_id")["doc_id"].transform("size") > 1].reset_index(drop=True)
    judged = list(dict.fromkeys(part["query_id"]))
    if not judged:
        return {
            "teacher": plan.teacher,
            "baseline": "first-stage",
            "colour": "amber",
            "n_queries": 0,
            "n_pairs_without_score": n_missing,
            "teacher_mean": None,
            "baseline_mean": None,
            "delta": None,
            "ci_low": None,
            "ci_high": None,
        }
    pairs = list(zip(part["query_id"], part["doc_id"], strict=True))
    teacher = np.array([ran.teacher_scores[pair] for pair in pairs], dtype=np.float64)

    def kpi(ranking: pd.DataFrame) -> pd.DataFrame:
        return per_query_scores(ranking, ran.dataset.judgments, judged, [plan.primary_measure], plan.relevant_grade)

    first = kpi(ranking_of(part, -part["rank"].to_numpy(dtype=np.float64)))["value"].to_numpy()
    free = {"first-stage": first}
    if plan.teacher != "embedding":
        similar = part.drop(columns="score").merge(ran.embedding_scores[["query_id", "doc_id", "score"]], how="left")
        free["embedding"] = kpi(ranking_of(part, similar["score"].to_numpy(dtype=np.float64)))["value"].to_numpy()
    best = max(free, key=lambda name: float(free[name].mean()))
    taught = kpi(ranking_of(part, teacher))["value"].to_numpy()
    ids = tuple(judged)
    found = compare(
        Scores(best, ids, free[best].reshape(1, -1), ran.candidates_digest, trained=False),
        Scores("teacher", ids, taught.reshape(1, -1), ran.candidates_digest, trained=False),
        measure=plan.primary_measure,
        margin=plan.margin,
        alpha=plan.alpha,
        confirmatory=False,
        rng_seed=plan.split.seed,
    )
    colour = "amber"
    if found.ci_high is not None and found.ci_low is not None:
        colour = "red" if found.ci_high < 0 else "green" if found.ci_low > 0 else "amber"
    return {
        "teacher": plan.teacher,
        "baseline": best,
        "colour": colour,
        "n_queries": len(judged),
        "n_pairs_without_score": n_missing,
        "teacher_mean": float(taught.mean()),
        "baseline_mean": float(free[best].mean()),
        "delta": found.delta,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
    }
