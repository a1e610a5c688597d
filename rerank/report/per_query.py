"""Per-query scores of every strategy and seed, and their means."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.evaluation.measures import per_query_scores
from rerank.report.ran import Ran


def seed_scores(ran: Ran) -> pd.DataFrame:
    """Return strategy, seed, query_id, measure, value: every measure for every test query."""
    frames = []
    for run in ran.runs:
        for seed, ranking in run.rankings.items():
            scores = per_query_scores(
                ranking,
                ran.dataset.judgments,
                ran.test_queries,
                ran.plan.measures,
                ran.plan.relevant_grade,
            )
            scores.insert(0, "seed", seed)
            scores.insert(0, "strategy", run.name)
            frames.append(scores)
    return pd.concat(frames, ignore_index=True)


def mean_over_seeds(by_seed: pd.DataFrame) -> pd.DataFrame:
    """Return strategy, query_id, measure, value: a query's score is the mean over seeds."""
    grouped = by_seed.groupby(["strategy", "query_id", "measure"], sort=False)["value"].mean()
    return grouped.reset_index()


def score_table(by_seed: pd.DataFrame, strategy: str, measure: str, query_ids: tuple[str, ...]) -> NDArray[np.float64]:
    """Return one strategy's scores on one measure: shape (n_seeds, n_queries), columns as `query_ids`."""
    part = by_seed[(by_seed["strategy"] == strategy) & (by_seed["measure"] == measure)]
    wide = part.pivot(index="seed", columns="query_id", values="value")
    return wide[list(query_ids)].to_numpy(dtype=np.float64)
