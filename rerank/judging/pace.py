"""How long a judgment takes with the documents of one upload."""

from rerank.intake.storage import lineage_of
from rerank.judging.ratings import Pace, pace_of
from rerank.judging.tasks import tasks_of
from rerank.store import judging


def measured_pace(dataset_digest: str) -> Pace | None:
    """Return the time per judgment over all tasks of a dataset and of those it was made from; None below 10 of them."""
    marks = [mark for task in tasks_of(lineage_of(dataset_digest)) for mark in judging.read_marks(task.id)]
    return pace_of(marks)
