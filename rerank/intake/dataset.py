"""The dataset: five tables, a manifest and the digest that names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

TABLES = ("queries", "documents", "judgments", "candidates", "teacher_scores", "ratings")


@dataclass(frozen=True)
class Dataset:
    """A customer's sample as every later step sees it; ids and texts are strings, never numbers.

    queries: query_id, text, segment ("" when none). documents: doc_id, title ("" when none), text.
    judgments: query_id, doc_id, grade (int, 0 or more), unique pairs.
    candidates (the user's own run) or None: query_id, doc_id, rank (int from 1), score (float).
    teacher_scores or None: query_id, doc_id, score (float; higher is better).
    ratings or None: query_id, doc_id, rater, grade (int): what several people said before it became a judgment.
    Frames are in the user's order; the digest covers the sorted content and not the name.
    documents_at: the folder of their columns when documents are too many for memory; the frame then reads from it.
    keeper: whose end would remove that folder, for a dataset that is not stored yet.
    """

    name: str
    digest: str
    queries: pd.DataFrame
    documents: pd.DataFrame
    judgments: pd.DataFrame
    candidates: pd.DataFrame | None
    teacher_scores: pd.DataFrame | None
    manifest: Mapping[str, Any]
    ratings: pd.DataFrame | None = None
    documents_at: Path | None = None
    keeper: object = field(default=None, repr=False, compare=False)
