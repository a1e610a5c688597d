"""The learning curve: what a strategy earned with a part of the training queries."""

from typing import Any

import numpy as np

from rerank.evaluation.measures import per_query_scores
from rerank.report.ran import CurvePoint, Ran
from rerank.stats.compare import Scores, compare


def learning_curve(ran: Ran, first: Scores) -> list[dict[str, Any]] | None:
    """Return every point with its mean and its difference to the first stage; None when none was planned.

    Points of one strategy share their test queries and seeds, and smaller training sets are parts of larger ones.
    """
    if not ran.curve:
        return None
    return [_point(ran, point, first) for point in ran.curve]


def _point(ran: Ran, point: CurvePoint, first: Scores) -> dict[str, Any]:
    plan = ran.plan
    rows = []
    for ranking in point.rankings.values():
        found = per_query_scores(
            ranking, ran.dataset.judgments, ran.test_queries, [plan.primary_measure], plan.relevant_grade
        )
        rows.append(found.set_index("query_id")["value"][list(ran.test_queries)].to_numpy(dtype=np.float64))
    mine = Scores(point.strategy, ran.test_queries, np.stack(rows), ran.candidates_digest, trained=True)
    against = compare(
        first,
        mine,
        measure=plan.primary_measure,
        margin=plan.margin,
        alpha=plan.alpha,
        confirmatory=False,
        rng_seed=plan.split.seed,
    )
    return {
        "strategy": point.strategy,
        "share": point.share,
        "n_train_queries": point.n_train,
        "n_seeds": len(point.rankings),
        "dev_score": point.dev_score,
        "mean": float(mine.values.mean()),
        "delta": against.delta,
        "ci_low": against.ci_low,
        "ci_high": against.ci_high,
    }
