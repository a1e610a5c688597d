"""Ranking with a cross-encoder: query by query where the latency is reported, in bulk everywhere else."""

import time
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.digests import digest_of
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder
from rerank.models.devices import synchronize
from rerank.models.passages import PairScorer
from rerank.store.artefacts import read_json, read_or_none, read_parquet, write_json, write_parquet
from rerank.store.home import room
from rerank.worker.workbench import Workbench, named


def mean_dev_score(bench: Workbench, encoder: CrossEncoder, query_ids: Sequence[str], work: Hashable = None) -> float:
    """Return the primary measure's mean over development queries, ranked with `encoder`; work: what the meter hears."""
    part = _readable(bench, query_ids)
    scores = _scores(bench, encoder, part, work)
    found = per_query_scores(
        ranking_of(part, scores),
        bench.dataset.judgments,
        query_ids,
        [bench.plan.primary_measure],
        bench.plan.relevant_grade,
    )
    return float(found["value"].mean())


def _readable(bench: Workbench, query_ids: Sequence[str]) -> pd.DataFrame:
    """Return the candidates of some queries, their texts tokenized."""
    part = bench.candidates_of(query_ids)
    bench.tokenize(query_ids, list(part["doc_id"]))
    return part


def _scores(bench: Workbench, encoder: PairScorer, rows: pd.DataFrame, work: Hashable = None) -> NDArray[np.float64]:
    return bench.reading.scores(
        encoder, bench.tokens, named(rows), on_batch=lambda n: bench.meter.did(scored_pairs=n, work=work)
    )


def ranking_path(bench: Workbench, model_digest: str, query_ids: Sequence[str]) -> Path:
    """Return where the ranking of some queries with some model is kept."""
    key = digest_of(
        {
            "model": model_digest,
            "candidates": bench.candidates_digest,
            "queries": sorted(query_ids),
            "max_length": bench.plan.max_length,
            "passages": bench.plan.passages,
            "numerics": bench.device.numerics(),
        }
    )
    return room("rankings") / f"{key}.parquet"


def rank_queries(bench: Workbench, folder: Path, model_digest: str, query_ids: Sequence[str]) -> pd.DataFrame:
    """Return the ranking of every query's candidates, scored in bulk; from disk when known."""
    path = ranking_path(bench, model_digest, query_ids)
    known = read_or_none(read_parquet, path)
    if known is not None:
        bench.meter.expect(scored_pairs=-bench.scored_pairs(query_ids))
        return known
    part = _readable(bench, query_ids)
    encoder = load_cross_encoder(folder, bench.tokens.template, bench.device, seed=0)
    ranking = ranking_of(part, _scores(bench, encoder, part))
    write_parquet(path, ranking)
    return ranking


def timed_ranking(
    bench: Workbench, folder: Path, model_digest: str, query_ids: Sequence[str]
) -> tuple[pd.DataFrame, list[float]]:
    """Return the ranking of every query's candidates and milliseconds per query, from disk when known.

    Queries are scored one at a time, as a running search would: documents' token ids are at hand, the
    query's time is putting pairs together and scoring them, every passage of them.
    """
    path = ranking_path(bench, model_digest, query_ids)
    facts = path.with_suffix(".json")
    known, took = read_or_none(read_parquet, path), read_or_none(read_json, facts)
    if known is not None and took is not None:
        bench.meter.expect(scored_pairs=-bench.scored_pairs(query_ids))
        return known, list(took["latencies_ms"])
    part = _readable(bench, query_ids)
    encoder = load_cross_encoder(folder, bench.tokens.template, bench.device, seed=0)
    scores, latencies = scores_one_by_one(bench, encoder, part)
    write_json(facts, {"latencies_ms": latencies})
    if known is not None:  # it stays: another plan may have read it, and bulk and single products round differently
        return known, latencies
    ranking = ranking_of(part, scores)
    write_parquet(path, ranking)
    return ranking, latencies


def scores_one_by_one(
    bench: Workbench, encoder: PairScorer, rows: pd.DataFrame
) -> tuple[NDArray[np.float64], list[float]]:
    """Return the score of every (query_id, doc_id) row, scored query by query, and milliseconds per query.

    The texts are tokenized already; a query's time is putting pairs together and scoring them, every passage of them.
    """
    scores = np.empty(len(rows), dtype=np.float64)
    latencies: list[float] = []
    warm = True
    for query_id, places in rows.groupby("query_id", sort=False).indices.items():
        mine = named(rows.iloc[places])
        for _ in range(2 if warm else 1):  # the first call pays for start-up that no query does
            begun = time.perf_counter()
            scores[places] = bench.reading.scores(encoder, bench.tokens, mine)
            synchronize(bench.device)
            elapsed = (time.perf_counter() - begun) * 1000
        warm = False
        latencies.append(elapsed)
        bench.meter.did(scored_pairs=bench.scored_pairs([str(query_id)]))
    return scores, latencies
