"""A pilot: how much two free orders differ from query to query, before anything is locked or trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.cost.prices import current_prices, device_price
from rerank.errors import RerankError
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.intake.dataset import Dataset
from rerank.intake.storage import load_dataset
from rerank.models.devices import pick_device
from rerank.planning.check import plan_from_dict
from rerank.planning.experiments import pilot_path
from rerank.planning.plan import Budget
from rerank.planning.power import MIN_PILOT_QUERIES
from rerank.planning.splits import spread, unsealed_queries
from rerank.retrieval.candidates import bm25_of, places_of
from rerank.store.artefacts import write_json
from rerank.worker.first_stage import Similarities, candidate_lists
from rerank.worker.meter import Meter
from rerank.worker.reporter import Reporter

MAX_QUERIES = 100  # their SD is known to a seventh; more would cost minutes
LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """Standard deviation of per-query differences with its 95 % interval, in the measure's units."""

    sd: float
    sd_low: float
    sd_high: float


def spread_of(differences: NDArray[np.float64]) -> Spread:
    """Return the SD of differences and its chi-square interval, (n - 1) SD² / χ²: exact for normal differences."""
    from scipy import stats

    n = len(differences)
    sd = float(differences.std(ddof=1))
    low, high = (float(stats.chi2.ppf(0.5 + side * LEVEL / 2, n - 1)) for side in (1, -1))
    return Spread(sd, sd * math.sqrt((n - 1) / low), sd * math.sqrt((n - 1) / high))


def run_pilot(spec: Mapping[str, Any], reporter: Reporter) -> None:
    """Measure the SD of per-query differences between the first stage and the embedding on unsealed queries.

    spec: `plan` (plain types), `device`. Both order the plan's candidates; where the first stage is the embedding
    itself, BM25 is the other order. Writes `pilots/<digest>.json`. Raises RerankError `pilot_too_small`.
    """
    plan = plan_from_dict(spec["plan"])
    device = pick_device(str(spec["device"]))
    reporter.progress(phase="preparing", device=device.kind, device_name=device.name)
    dataset = load_dataset(plan.dataset_digest)
    queries = unsealed_queries(dataset, plan)
    if len(queries) < MIN_PILOT_QUERIES:
        raise RerankError("pilot_too_small", n_queries=len(queries), least=MIN_PILOT_QUERIES)
    sampled = spread(list(queries), MAX_QUERIES)
    similarities = Similarities(
        dataset, device, Meter(reporter, device_price(device.kind, device.name, current_prices()), Budget(), None)
    )
    reporter.progress(phase="candidates")
    candidates = candidate_lists(dataset, plan, sampled, similarities).frame
    reporter.progress(phase="encoding")
    embedding, _ = similarities.of_pairs(candidates)
    other = -candidates["rank"].to_numpy(dtype=np.float64)
    if plan.first_stage.kind == "embedding":
        other = _bm25_scores(dataset, candidates)

    def kpi(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        found = per_query_scores(
            ranking_of(candidates, scores), dataset.judgments, sampled, [plan.primary_measure], plan.relevant_grade
        )
        return found["value"].to_numpy(dtype=np.float64)

    found = spread_of(kpi(embedding) - kpi(other))
    record = {
        "measure": plan.primary_measure,
        "sd": found.sd,
        "sd_low": found.sd_low,
        "sd_high": found.sd_high,
        "n_queries": len(sampled),
        "queries": sampled,
        "sealed": plan.split.kind == "holdout",
    }
    write_json(pilot_path(plan), record)
    reporter.progress(phase="done", share=1.0)


def _bm25_scores(dataset: Dataset, pairs: pd.DataFrame) -> NDArray[np.float64]:
    index = bm25_of(dataset)
    place = places_of(dataset.documents, pairs["doc_id"])
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    scores = np.empty(len(pairs), dtype=np.float64)
    for query_id, rows in pairs.groupby("query_id", sort=False).indices.items():
        documents = [place[doc_id] for doc_id in pairs["doc_id"].to_numpy()[rows]]
        scores[rows] = index.scores(texts[str(query_id)])[documents]
    return scores
