"""What a result says of one strategy: the evidence on a model's card."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rerank.planning.graph import path_of
from rerank.report.comparisons import FIRST
from rerank.report.per_query import score_table
from rerank.report.result import comparison_record
from rerank.stats.compare import Scores, compare

REFERENCES = (FIRST, "embedding")


def evidence_of(result: Mapping[str, Any], by_seed: pd.DataFrame, strategy: str) -> list[dict[str, Any]]:
    """Return a strategy's comparisons with the first stage and the embedding on the KPI, as records of `result.json`.

    What the result lacks (a two-stage strategy against the embedding) is compared from its per-query scores,
    strategy, seed, query_id, measure, value; exploratory.
    """
    plan = result["plan"]
    measure = plan["primary_measure"]
    known = {(item["reference"], item["challenger"], item["measure"]): item for item in result["comparisons"]}
    queries = tuple(sorted(set(by_seed["query_id"])))
    found = []
    for reference in REFERENCES:
        if reference not in result["strategies"]:
            continue
        record = known.get((reference, strategy, measure))
        if record is None:
            candidates = result["first_stage"]["candidates_digest"]
            sides = [
                Scores(
                    name, queries, score_table(by_seed, name, measure, queries), candidates, trained=bool(path_of(name))
                )
                for name in (reference, strategy)
            ]
            settings = {"margin": plan["margin"], "alpha": plan["alpha"], "rng_seed": plan["split"]["seed"]}
            record = comparison_record(compare(*sides, measure=measure, confirmatory=False, **settings))
        found.append(dict(record))
    return found
