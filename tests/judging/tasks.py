"""A judging task on the tiny dataset, and raters who have opinions."""

import pandas as pd

from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.storage import save_dataset
from rerank.judging.tasks import Settings, Task, create_task
from tests.conftest import tiny_files

MEANINGS = ("not relevant", "partly", "relevant")


def open_pairs(dataset: Dataset, n: int) -> pd.DataFrame:
    """The first n pairs of queries and documents that nobody has judged; the first query's are the most telling."""
    judged = set(zip(dataset.judgments["query_id"], dataset.judgments["doc_id"], strict=True))
    found = [
        (query_id, doc_id, float(-place))
        for place, query_id in enumerate(dataset.queries["query_id"])
        for doc_id in dataset.documents["doc_id"]
        if (query_id, doc_id) not in judged
    ]
    return pd.DataFrame(found[:n], columns=["query_id", "doc_id", "priority"])


def stored_dataset() -> Dataset:
    """The tiny dataset, saved."""
    draft = read_files(tiny_files())
    dataset = finish(draft, "tiny")
    save_dataset(dataset, draft.findings, draft.rejected)
    return dataset


def tiny_task(dataset: Dataset, n: int = 60, **settings: object) -> Task:
    """A task of n pairs."""
    chosen = Settings(MEANINGS, **settings)  # type: ignore[arg-type]
    return create_task(
        dataset.digest, open_pairs(dataset, n), name="first round", guideline="Be strict.", settings=chosen
    )
