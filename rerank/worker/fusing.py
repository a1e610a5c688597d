"""Fused strategies: weights from queries that a fold does not test, applied to those that it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.evaluation.fusion import Fit, Weights, fit_weights, mixed, standardised
from rerank.evaluation.rankings import ranking_of
from rerank.planning.rates import expected_weight
from rerank.planning.splits import Fold
from rerank.worker.workbench import Workbench

_KEY = ["query_id", "doc_id"]


@dataclass(frozen=True)
class Fused:
    """A fold's fused ranking of its test queries, the weights behind it and what they earned in development.

    leads: by development query, how far ahead of the mixture the model alone is; empty without a model.
    """

    ranking: pd.DataFrame
    weights: Weights
    dev_score: float
    leads: Mapping[str, float] = field(default_factory=dict)


class Fuser:
    """Mixes a model's scores with the encoder's and the first stage's over the same candidates."""

    def __init__(self, bench: Workbench, embedding: NDArray[np.float64]) -> None:
        self._bench = bench
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], Fit] = {}
        self._free = bench.candidates[_KEY].assign(embedding=embedding, first_stage=bench.candidates["score"])

    def fuse(
        self, fold: Fold, test: pd.DataFrame | None = None, dev: pd.DataFrame | None = None, *, n_train: int = 0
    ) -> Fused:
        """Return a fold's fusion; test and dev: the model's rankings, None to mix the free scores alone.

        n_train: the queries that the model learnt from here, 0 for one that was not trained.

        What is free was trained on nothing here, so all queries that are not tested weigh it; the model saw the
        training queries, so development queries alone say how much it is worth.
        """
        fit = self._free_weights(fold)
        if dev is not None:
            fit = self._fit(fold.dev, dev, fit.weights, expected_weight(n_train))
        rows, parts = self._parts(fold.test, test)
        return Fused(ranking_of(rows, mixed(parts, fit.weights)), fit.weights, fit.earned, fit.leads)

    def _free_weights(self, fold: Fold) -> Fit:
        key = (fold.train, fold.dev)
        if key not in self._known:
            self._known[key] = self._fit((*fold.train, *fold.dev), None)
        return self._known[key]

    def _fit(
        self,
        query_ids: Sequence[str],
        ranking: pd.DataFrame | None,
        free: Weights | None = None,
        expected: float = 0.0,
    ) -> Fit:
        plan, judgments = self._bench.plan, self._bench.dataset.judgments
        rows, parts = self._parts(query_ids, ranking)
        measure, grade = plan.primary_measure, plan.relevant_grade
        return fit_weights(rows, parts, judgments, query_ids, measure, grade, free, expected)

    def _parts(
        self, query_ids: Sequence[str], ranking: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
        """Return the candidates of some queries and each source's standardised scores, row by row."""
        rows = self._bench.candidates_of(query_ids)
        free = rows[_KEY].merge(self._free, on=_KEY, how="left")
        names = list(rows["query_id"])
        parts: dict[str, NDArray[np.float64]] = {}
        if ranking is not None:
            model = rows[_KEY].merge(ranking[[*_KEY, "score"]], on=_KEY, how="left")["score"]
            parts["model"] = standardised(model.to_numpy(dtype=np.float64), names)
        for source in ("embedding", "first_stage"):
            parts[source] = standardised(free[source].to_numpy(dtype=np.float64), names)
        return rows, parts
