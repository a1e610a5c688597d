"""The learning curve: what a strategy earned with a part of the training queries."""

from typing import Any

import numpy as np
import pandas as pd

from rerank.evaluation.measures import per_query_scores
from rerank.report.ran import CurvePoint, Ran
from rerank.stats.compare import Scores, compare


def curve_scores(ran: Ran) -> pd.DataFrame:
    """Return strategy, share, seed, query_id, value: the primary measure of every point, query by query."""
    plan = ran.plan
    frames = [pd.DataFrame({"strategy": [], "share": [], "seed": [], "query_id": [], "value": []})]
    for point in ran.curve:
        for seed, ranking in point.rankings.items():
            found = per_query_scores(
                ranking, ran.dataset.judgments, ran.test_queries, [plan.primary_measure], plan.relevant_grade
            )
            frames.append(
                found[["query_id", "value"]].assign(strategy=point.strategy, share=point.share, seed=seed)[
                    list(frames[0])
                ]
            )
    return pd.concat(frames[1:] or frames, ignore_index=True)


def learning_curve(ran: Ran, scores: pd.DataFrame, first: Scores) -> list[dict[str, Any]] | None:
    """Return every point with its mean and its difference to the first stage; None when none was planned.

    Points of one strategy share their test queries and seeds, and smaller training sets are parts of larger ones.
    scores: as `curve_scores` returns them.
    """
    if not ran.curve:
        return None
    return [_point(ran, point, scores, first) for point in ran.curve]


def _point(ran: Ran, point: CurvePoint, scores: pd.DataFrame, first: Scores) -> dict[str, Any]:
    plan = ran.plan
    rows = scores[(scores["strategy"] == point.strategy) & (scores["share"] == point.share)]
    wide = rows.pivot(index="seed", columns="query_id", values="value")[list(ran.test_queries)]
    values = wide.to_numpy(dtype=np.float64)
    mine = Scores(point.strategy, ran.test_queries, values, ran.candidates_digest, trained=True)
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
        "lead_of_plain": point.lead_of_plain and point.lead_of_plain.to_dict(),
        "is_model_alone": point.is_model_alone,
        "mean": float(mine.values.mean()),
        "delta": against.delta,
        "ci_low": against.ci_low,
        "ci_high": against.ci_high,
    }
