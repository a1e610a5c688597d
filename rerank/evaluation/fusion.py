"""Score fusion: a re-ranker's scores beside the first stage's and the encoder's, weighted on development queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.evaluation.measures import scores_in_one_pass
from rerank.evaluation.rankings import ranking_of

STEP = 5  # weights in fifths: development sets are too small for finer ones
N_PARTS = 5
LEAST_SPREAD = 1e-6  # of a query's mean score, or of 1: below it scores are ties
# Where the fit leans when queries hardly tell mixtures apart.
FREE_PRIOR: Mapping[str, float] = {"embedding": 0.5, "first_stage": 0.5}

Weights = dict[str, float]


@dataclass(frozen=True)
class Fit:
    """Weights, what such a fit earns on the queries that they were fitted on, and how far ahead the model alone is.

    earned: mean, cross-fitted. leads: by query, what the model alone earns minus what the fit does; empty without a
    model.
    """

    weights: Weights
    earned: float
    leads: Mapping[str, float] = field(default_factory=dict)


def standardised(scores: NDArray[np.float64], query_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return scores with mean 0 and standard deviation 1 within each query; 0 where a query's do not vary.

    Scores that a ranking parted by a step of single precision, because a model tied them, do not vary.
    """
    query = pd.factorize(np.asarray(query_ids, dtype=object))[0]
    n = np.bincount(query)
    mean = (np.bincount(query, scores) / n)[query]
    spread = np.sqrt(np.bincount(query, (scores - mean) ** 2) / n)[query]
    varies = spread > LEAST_SPREAD * np.maximum(np.abs(mean), 1.0)
    return np.where(varies, (scores - mean) / np.where(varies, spread, 1.0), 0.0)


def mixtures(sources: Sequence[str]) -> list[Weights]:
    """Return every weighting of the sources in fifths that sums to 1."""
    if not sources:
        return []

    def share(left: int, n: int) -> list[tuple[int, ...]]:
        if n == 1:
            return [(left,)]
        return [(head, *tail) for head in range(left + 1) for tail in share(left - head, n - 1)]

    return [dict(zip(sources, [part / STEP for part in parts], strict=True)) for parts in share(STEP, len(sources))]


def mixed(parts: Mapping[str, NDArray[np.float64]], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the weighted sum of standardised scores."""
    first = next(iter(parts.values()))
    return sum((weights.get(name, 0.0) * values for name, values in parts.items()), np.zeros_like(first))


def with_model(free: Mapping[str, float]) -> list[Weights]:
    """Return what is free with 0 to 5 fifths of its weight given to the model."""
    shares = [part / STEP for part in range(STEP + 1)]
    return [{"model": share} | {name: (1 - share) * part for name, part in free.items()} for share in shares]


def _distance(weights: Mapping[str, float], prior: Mapping[str, float]) -> float:
    return sum((part - prior[name]) ** 2 for name, part in weights.items())


def _choose(table: NDArray[np.float64], options: Sequence[Weights], prior: Mapping[str, float]) -> int:
    """Return the row to take: of those within one standard error of the best, the one nearest to the prior.

    table: (n_mixtures, n_queries) of per-query scores. Breiman et al. 1984, the one-standard-error rule, here on
    the paired differences to the best.
    """
    means = table.mean(axis=1)
    best = int(means.argmax())
    differences = table[best] - table
    n = table.shape[1]
    error = differences.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(len(table))
    near = [row for row in range(len(table)) if means[best] - means[row] <= error[row] + 1e-12]
    return min(near, key=lambda row: (_distance(options[row], prior), -means[row], row))


def fit_weights(
    candidates: pd.DataFrame,
    parts: Mapping[str, NDArray[np.float64]],
    judgments: pd.DataFrame,
    query_ids: Sequence[str],
    measure: str,
    relevant_grade: int,
    free: Mapping[str, float] | None = None,
    expected: float = 0.0,
) -> Fit:
    """Return the weights that some queries speak for, and what such a fit earns on them.

    candidates: the queries' rows (query_id, doc_id, rank); parts: standardised scores of each source, aligned with
    the rows. Without `free`, the embedding's and the first stage's weights are fitted, and the model is not looked
    at; with it, the model's share is, leaning to the `expected` one, and the others keep their proportion. The score
    is cross-fitted: a fifth of the queries is scored with weights from the other four, so that a mixture is not
    preferred because it was fitted.
    """
    if free is None:
        options, prior = mixtures([name for name in FREE_PRIOR if name in parts]), dict(FREE_PRIOR)
    else:
        options = with_model(free)
        prior = {"model": expected} | {name: (1 - expected) * part for name, part in free.items()}
    judged = judgments[judgments["query_id"].isin(list(query_ids))]
    cases = [(ranking_of(candidates, mixed(parts, weights)), judged) for weights in options]
    table = scores_in_one_pass(cases, query_ids, measure, relevant_grade)
    n = table.shape[1]
    earned = np.empty(n)
    nearest = min(range(len(options)), key=lambda row: _distance(options[row], prior))
    for part in range(min(N_PARTS, n)):
        held = np.arange(n) % N_PARTS == part
        # A single query cannot be scored by others: it earns what the prior earns.
        row = _choose(table[:, ~held], options, prior) if n > 1 else nearest
        earned[held] = table[row][held]
    # The last of the options gives the model everything.
    leads = {} if free is None else dict(zip(query_ids, (table[-1] - earned).tolist(), strict=True))
    return Fit(options[_choose(table, options, prior)], float(earned.mean()), leads)
