"""An execution that trained nothing: rankings of a chosen quality, for what is computed from them."""

import dataclasses
import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from rerank.evaluation.rankings import ranking_of
from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files
from rerank.planning.plan import FirstStage, Plan
from rerank.report.ran import Ran, StrategyRun

QUALITY = {"first-stage": 0.4, "embedding": 0.6, "C": 1.2, "C-then-D": 1.3}
TRAINED = ("C", "C-then-D")
DEPTH = 14
TRUNCATION = (  # as in docs/result-schema.md; nothing is too long to be read
    "n_pairs n_truncated_pairs share_of_pairs n_documents n_truncated_documents share_of_documents "
    "n_scored_pairs max_passages"
).split()


def sample(n_queries: int, judged: float) -> tuple[Dataset, pd.DataFrame]:
    """A dataset of which a share is judged, and the true grade of every pair: query_id, doc_id, grade."""
    rng = np.random.default_rng(1)
    queries = [f"q{number}" for number in range(n_queries)]
    documents = [f"d{number}" for number in range(DEPTH)]
    truth = pd.DataFrame({"query_id": np.repeat(queries, DEPTH), "doc_id": np.tile(documents, n_queries)})
    truth["grade"] = rng.choice([0, 1, 2], p=[0.7, 0.2, 0.1], size=len(truth))
    truth.loc[truth["doc_id"] == "d0", "grade"] = 2  # every query has a relevant document
    known = truth[(rng.random(len(truth)) < judged) | (truth["doc_id"] == "d0")]
    rows = [f"{row.query_id},{row.doc_id},{row.grade}" for row in known.itertuples(index=False)]
    files = {
        "queries.csv": ["query_id,query,segment", *(f"{q},about {q},{'ab'[i % 2]}" for i, q in enumerate(queries))],
        "documents.csv": ["doc_id,title,text", *(f"{d},=title {d},the text of {d}" for d in documents)],
        "judgments.csv": ["query_id,doc_id,grade", *rows],
    }
    sources = [Source(name, "\n".join(lines).encode()) for name, lines in files.items()]
    return finish(read_files(sources), "made"), truth


def executed(
    n_queries: int = 60,
    judged: float = 0.5,
    quality: Mapping[str, float] = QUALITY,
    seeds: tuple[int, ...] = (1, 2),
    **changes: object,
) -> Ran:
    """Rankings that mix the true grade, by each strategy's quality, with noise; `changes` go to the plan."""
    dataset, truth = sample(n_queries, judged)
    grade = truth["grade"].to_numpy(dtype=float)
    start = truth[["query_id", "doc_id"]].assign(rank=np.tile(np.arange(1, DEPTH + 1), n_queries))

    def ranked(name: str, seed: int) -> pd.DataFrame:
        noise = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(len(truth))
        return ranking_of(start, quality[name] * grade + noise)

    runs = [
        StrategyRun(
            name,
            {seed: ranked(name, seed) for seed in (seeds if name in TRAINED else (0,))},
            dev_score=quality[name] if name in TRAINED else None,
            latencies_ms=(1.0,),
            train_seconds=1.0,
            poc_train_seconds=1.0,
            stages=("s",) if name in TRAINED else (),
        )
        for name in quality
    ]
    plan = Plan(dataset.digest, strategies=tuple(quality), seeds=seeds, first_stage=FirstStage(depth=DEPTH))
    plan = dataclasses.replace(plan, **changes)  # type: ignore[arg-type]
    return Ran(
        experiment="x",
        gate=2,
        plan=plan,
        locked={"locked_at": "2025-01-01T00:00:00+00:00"},
        dataset=dataset,
        device_kind="cpu",
        device_name="a processor",
        numerics={},
        concurrent_stages=1,
        computed_with=("fp32",),
        base_model="a model",
        base_model_digest="0" * 64,
        has_head=True,
        test_queries=tuple(dataset.queries["query_id"]),
        dev_queries=(),
        candidates=runs[0].rankings[0],
        candidates_digest="c",
        teacher_scores={},
        embedding_scores=ranked("embedding", 0),
        truncation=dict.fromkeys(TRUNCATION, 0),
        encoder_seconds=0.0,
        forecast={"seconds": 1.5, "seconds_low": 1.0, "seconds_high": 2.0},
        job_seconds=1.0,
        job_usd=0.0,
        runs=tuple(runs),
    )
