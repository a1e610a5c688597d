"""Per-query scores of what needs no training, on real collections: what `rerank validity` draws experiments from.

`python -m rerank.bench.free_scores --out FILE`: BM25's first documents as they are, in the encoder's order, and in
that of both by rank fusion. Collections are the folders in $RERANK_DATASETS, or the bundled sample where there is none.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from rerank.cost.prices import current_prices, device_price
from rerank.errors import RerankError
from rerank.evaluation.measures import per_query_scores
from rerank.evaluation.rankings import ranking_of
from rerank.intake.dataset import Dataset
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.models.devices import Device, pick_device
from rerank.planning.plan import Budget, FirstStage, Pool
from rerank.planning.presets import preset
from rerank.planning.splits import evaluable_queries
from rerank.retrieval.candidates import document_texts, fused
from rerank.store.artefacts import write_json, write_text
from rerank.store.home import bundled
from rerank.worker.first_stage import Similarities, candidate_lists
from rerank.worker.meter import Meter
from rerank.worker.reporter import Silent

MEASURES = ("nDCG@10", "RR@10")
DEPTH = 20
MAX_QUERIES = 200  # of a collection: more would cost minutes of encoding
MIN_QUERIES = 50  # fewer are too coarse a population
QUICK_COLLECTIONS, QUICK_QUERIES = 2, 60
# In these every query has documents of its own, and a search over all of them would mix what belongs apart.
OWN_DOCUMENTS = ("epqa_dev",)


def collections(*, quick: bool) -> list[Path]:
    """Return the collections' folders, the smallest ones only for a quick run; the bundled sample without any."""
    given = os.environ.get("RERANK_DATASETS")
    root = Path(given).expanduser() if given else None
    found = sorted(path.parent for path in root.glob("*/corpus.jsonl")) if root is not None and root.is_dir() else []
    if not found:
        return [bundled("sample")]
    if quick:
        found = sorted(found, key=lambda folder: (folder / "corpus.jsonl").stat().st_size)
        return sorted(found[:QUICK_COLLECTIONS])
    return found


def free_scores(dataset: Dataset, device: Device, pool: Pool, max_queries: int) -> pd.DataFrame:
    """Return strategy, query_id, measure, value of three free orders of the same candidates; none with few queries."""
    plan = replace(
        preset("quick", dataset.digest), first_stage=FirstStage(depth=DEPTH, pool=pool), max_queries=max_queries
    )
    price = device_price(device.kind, device.name, current_prices())
    similarities = Similarities(dataset, device, Meter(Silent(), price, Budget(), None))
    queries = evaluable_queries(dataset, plan)
    if len(queries) < MIN_QUERIES:
        return pd.DataFrame()
    candidates = candidate_lists(dataset, plan, queries, similarities).frame
    first = -candidates["rank"].to_numpy(dtype=np.float64)
    embedding = similarities.of_texts(
        dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True)),
        dict(zip(dataset.documents["doc_id"], document_texts(dataset.documents), strict=True)),
        candidates,
    )
    both = np.empty(len(candidates), dtype=np.float64)
    for rows in candidates.groupby("query_id", sort=False).indices.values():
        both[rows] = fused([first[rows].astype(np.float32), embedding[rows].astype(np.float32)])
    parts = []
    for strategy, scores in {"first-stage": first, "embedding": embedding, "rank-fusion": both}.items():
        found = per_query_scores(
            ranking_of(candidates, scores), dataset.judgments, queries, list(MEASURES), plan.relevant_grade
        )
        parts.append(found.assign(strategy=strategy))
    return pd.concat(parts)[["strategy", "query_id", "measure", "value"]]


def main(arguments: list[str] | None = None) -> int:
    """Write the scores as CSV and, beside them, what they come from as JSON."""
    parser = argparse.ArgumentParser(prog="python -m rerank.bench.free_scores")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    device = pick_device("cpu")
    max_queries = QUICK_QUERIES if given.quick else MAX_QUERIES
    parts, left_out = [], {}
    for folder in collections(quick=given.quick):
        try:
            dataset = finish(read_folder(folder), folder.name, keep_good_rows=True)
            pool: Pool = "judged" if folder.name in OWN_DOCUMENTS else "corpus"
            found = free_scores(dataset, device, pool, max_queries)
        except RerankError as error:
            left_out[folder.name] = error.code
            continue
        if found.empty:
            left_out[folder.name] = "few_queries"
            continue
        print(folder.name, found["query_id"].nunique(), file=sys.stderr, flush=True)
        parts.append(found.assign(collection=folder.name))
    table = pd.concat(parts)[["collection", "strategy", "query_id", "measure", "value"]] if parts else pd.DataFrame()
    write_text(Path(given.out), table.to_csv(index=False))
    about = {"device_name": device.name, "left_out": left_out, "depth": DEPTH, "max_queries": max_queries}
    write_json(Path(given.out).with_suffix(".json"), about)
    return 0


if __name__ == "__main__":
    sys.exit(main())
