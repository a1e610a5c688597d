"""A judging task on the tiny dataset, and raters who have opinions."""

import pandas as pd

from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.storage import save_dataset
from rerank.judging.order import Desk, desk_of
from rerank.judging.tasks import Settings, Task, create_task
from rerank.store import judging
from rerank.store.judging import Pair
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


def desk(task: Task, rater: str) -> Desk:
    """What a rater sees."""
    return desk_of(task, judging.read_pairs(task.id), judging.read_marks(task.id), rater)


def judge(task: Task, rater: str, grade: int | None, seconds: float = 2.0) -> Pair:
    """A rater's grade, None to skip, for the pair that is on the desk."""
    pair = desk(task, rater).pair
    assert pair is not None
    judging.add_mark(task.id, rater, pair, grade, seconds)
    return pair


def two_raters(n: int = 12) -> Task:
    """Two raters judge all pairs of a small task; Bob is stricter on every third."""
    task = tiny_task(stored_dataset(), n=n)
    for rater in ("Ann", "Bob"):
        for _ in range(n):
            pair = desk(task, rater).pair
            assert pair is not None
            strict = rater == "Bob" and int(pair[1][1]) % 3 == 0
            judging.add_mark(task.id, rater, pair, 0 if strict else 2, 3.0)
    return task
