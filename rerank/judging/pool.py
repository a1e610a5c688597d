"""What to judge: what first stages and finished experiments rank first and nobody has judged yet."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rerank.digests import digest_of
from rerank.evaluation.unjudged import unjudged_among_first
from rerank.intake.dataset import Dataset
from rerank.intake.pairs import KEY
from rerank.retrieval.bm25 import Bm25
from rerank.retrieval.candidates import bm25_of, index_folder, top
from rerank.retrieval.mapped_index import MappedBm25
from rerank.store.artefacts import read_or_none, read_parquet, write_parquet
from rerank.store.home import room
from rerank.store.parts import OnPart, made_in_parts

MAX_AT_ONCE = 100_000  # documents; more are indexed by a job
SEARCHED_AT_ONCE = 200  # queries between two parts on disk


def people_judged(dataset: Dataset) -> pd.DataFrame:
    """Return the judgments that people made; implicit ones, from clicks, are none."""
    return dataset.judgments.iloc[:0] if dataset.manifest.get("implicit") else dataset.judgments


def is_searched_by_job(dataset: Dataset) -> bool:
    """Tell whether a search over all documents takes longer than a page may."""
    return dataset.documents_at is not None or len(dataset.documents) > MAX_AT_ONCE


def bm25_ranking(dataset: Dataset, depth: int) -> pd.DataFrame:
    """Return the first `depth` documents of BM25 over all documents for every query: query_id, doc_id, rank."""
    return _ranked(dataset, bm25_of(dataset), dataset.queries, depth)


def _ranked(dataset: Dataset, index: Bm25 | MappedBm25, queries: pd.DataFrame, depth: int) -> pd.DataFrame:
    doc_ids = dataset.documents["doc_id"]
    parts = []
    for query_id, text in zip(queries["query_id"], queries["text"], strict=True):
        scores = index.scores(text)
        chosen = top(scores, depth)
        chosen = chosen[scores[chosen] > 0]
        ranks = np.arange(1, len(chosen) + 1)
        found = doc_ids.iloc[chosen].to_numpy()
        parts.append(pd.DataFrame({"query_id": query_id, "doc_id": found, "rank": ranks}))
    return pd.concat(parts, ignore_index=True)


def bm25_ranking_path(dataset: Dataset, depth: int) -> Path:
    """Return where a job keeps the ranking of `bm25_ranking`."""
    return room("pools") / f"{digest_of([dataset.digest, depth, index_folder(dataset).name])}.parquet"


def keep_bm25_ranking(dataset: Dataset, depth: int, on_index: OnPart, on_search: OnPart) -> pd.DataFrame:
    """Return the ranking, computed and kept unless it is there; parts that are finished stay when it is stopped.

    on_index: told how many of how many documents are indexed. on_search: told how many of how many queries are done.
    Both may raise to stop.
    """
    path = bm25_ranking_path(dataset, depth)
    known = read_or_none(read_parquet, path)
    if known is not None:
        return known
    index = bm25_of(dataset, on_index)
    parts = path.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    queries = dataset.queries
    found = made_in_parts(
        (queries.iloc[start : start + SEARCHED_AT_ONCE] for start in range(0, len(queries), SEARCHED_AT_ONCE)),
        len(queries),
        lambda number: parts / f"{number:06d}.parquet",
        lambda part, some: write_parquet(part, _ranked(dataset, index, some, depth)),
        on_search,
    )
    ranking = pd.concat([read_parquet(part) for part in found], ignore_index=True)
    write_parquet(path, ranking)
    shutil.rmtree(parts)
    return ranking


def pool_of(dataset: Dataset, rankings: Iterable[pd.DataFrame], depth: int) -> pd.DataFrame:
    """Return the pairs among the first `depth` ranks of any ranking that no person has judged, and what they tell.

    Columns query_id, doc_id, priority: minus the number of judged documents among these ranks of the query, so that
    the queries of which least is known come first. Who ranked a pair is not kept: judging is blind.
    """
    shown = [ranking.loc[ranking["rank"] <= depth, [*KEY, "rank"]] for ranking in rankings]
    if not shown:
        return pd.DataFrame({"query_id": [], "doc_id": [], "priority": []})
    judged = people_judged(dataset)
    known = dataset.documents["doc_id"]
    asked = dataset.queries["query_id"]
    pooled = [part[part["doc_id"].isin(known) & part["query_id"].isin(asked)] for part in shown]
    pairs = unjudged_among_first(pooled, judged, depth)
    everything = pd.concat(pooled, ignore_index=True)[KEY].drop_duplicates()
    n_pooled = everything["query_id"].value_counts()
    n_open = pairs["query_id"].value_counts()
    n_judged = n_pooled.sub(n_open, fill_value=0)
    return pairs.assign(priority=-n_judged.reindex(pairs["query_id"]).to_numpy(dtype=float))


def settling(dataset: Dataset, to_judge: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that would settle an experiment's verdicts, priority their influence.

    to_judge: as `report.unjudged.judgments_to_settle` makes it. Pairs that are judged or gone are left out.
    """
    if to_judge.empty:
        return pd.DataFrame({"query_id": [], "doc_id": [], "priority": []})
    listed = to_judge[KEY].assign(rank=1)
    left = pool_of(dataset, [listed], 1)[KEY]
    influence = to_judge.set_index(KEY)["influence"]
    return left.assign(priority=influence.reindex(pd.MultiIndex.from_frame(left)).to_numpy(dtype=float))


def at_most(pairs: pd.DataFrame, maximum: int, *, by_priority: bool, seed: int = 0) -> pd.DataFrame:
    """Return pairs of whole queries, as many queries as `maximum` pairs allow; of a first query too large, its best.

    Queries are drawn by chance, or those with the highest priority first: half a query judged says little.
    """
    if len(pairs) <= maximum:
        return pairs
    best = pairs.groupby("query_id", sort=True)["priority"].max().to_frame()
    best["chance"] = np.random.default_rng(seed).permutation(len(best))
    columns, rising = (["priority", "chance"], [False, True]) if by_priority else (["chance"], [True])
    drawn = [str(query_id) for query_id in best.sort_values(columns, ascending=rising).index]
    kept = _fitting(drawn, Counter(pairs["query_id"]), maximum)
    if not kept:
        first = pairs[pairs["query_id"] == drawn[0]].sort_values("priority", ascending=False, kind="stable")
        return first.iloc[:maximum].reset_index(drop=True)
    return pairs[pairs["query_id"].isin(kept)].reset_index(drop=True)


def _fitting(drawn: Sequence[str], sizes: Mapping[str, int], maximum: int) -> set[str]:
    kept: set[str] = set()
    n_pairs = 0
    for query_id in drawn:
        if n_pairs + sizes[query_id] > maximum:
            break
        kept.add(query_id)
        n_pairs += sizes[query_id]
    return kept
