"""Queries that nobody judged, for a teacher to score: the query log, and pseudo-queries made from documents."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from rerank.intake.alike import NearIndex, plain_text
from rerank.intake.dataset import Dataset
from rerank.planning.plan import Plan

PSEUDO = "\x1f"  # begins the ids that are made here; intake lets no control character into an id
MIN_WORDS_OF_TITLE = 2
QUERY_LETTERS = (15, 200)  # a sentence within this length can stand for a query
MIN_BYTES_OF_REST = 40  # in UTF-8; a document with less than that left teaches nothing
_SENTENCE_END = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class UnlabelledQuery:
    """A query without judgments; a pseudo-query names the document it was taken from and what is left of that one."""

    query_id: str
    text: str
    doc_id: str = ""
    rest: str = ""

    @property
    def is_pseudo(self) -> bool:
        """Say whether it was made from a document."""
        return bool(self.doc_id)

    @property
    def rest_id(self) -> str:
        """Return the id under which the rest of its document stands beside whole documents."""
        return f"{PSEUDO}{self.doc_id}"


def unlabelled_queries(dataset: Dataset, plan: Plan, evaluable: Collection[str]) -> tuple[UnlabelledQuery, ...]:
    """Return the plan's unlabelled queries, at most `unlabelled.queries`: a seeded sample, the log first.

    A query that is nearly the same as an evaluable one is left out: what is tested must not be trained on, not
    even without its judgments. With an uploaded teacher only queries that it scored count.
    """
    wanted = plan.unlabelled
    if not wanted.queries:
        return ()
    known = set(evaluable)
    taken = _Taken([str(text) for text in dataset.queries.loc[dataset.queries["query_id"].isin(known), "text"]])
    rng = np.random.default_rng([plan.split.seed, 1])
    found: list[UnlabelledQuery] = []
    if wanted.source in ("log", "both"):
        found = _from_log(dataset, plan, known, taken, rng)[: wanted.queries]
    if wanted.source in ("documents", "both") and plan.teacher != "uploaded":
        found += _from_documents(dataset, taken, wanted.queries - len(found), rng)
    return tuple(found)


def _from_log(
    dataset: Dataset, plan: Plan, known: Collection[str], taken: "_Taken", rng: np.random.Generator
) -> list[UnlabelledQuery]:
    rows = dataset.queries[~dataset.queries["query_id"].isin(list(known))]
    if plan.teacher == "uploaded":
        scored = set() if dataset.teacher_scores is None else set(dataset.teacher_scores["query_id"])
        rows = rows[rows["query_id"].isin(scored)]
    found = []
    for place in rng.permutation(len(rows)):
        query_id, text = rows["query_id"].iloc[int(place)], rows["text"].iloc[int(place)]
        if taken.is_new(str(text)):
            found.append(UnlabelledQuery(str(query_id), str(text)))
    return found


def _from_documents(dataset: Dataset, taken: "_Taken", n: int, rng: np.random.Generator) -> list[UnlabelledQuery]:
    documents = dataset.documents
    found: list[UnlabelledQuery] = []
    for place in rng.permutation(len(documents)):
        if len(found) >= n:
            break
        row = documents.iloc[int(place)]
        split = _split(str(row["title"]), str(row["text"]), rng)
        if split is not None and taken.is_new(split[0]):
            doc_id = str(row["doc_id"])
            found.append(UnlabelledQuery(f"{PSEUDO}{doc_id}", split[0], doc_id, split[1]))
    return found


class _Taken:
    """What is asked already: nothing nearly the same as an evaluable query, and nothing twice."""

    def __init__(self, evaluable: list[str]) -> None:
        self._evaluable = NearIndex(evaluable)
        self._texts = {plain_text(text) for text in evaluable}

    def is_new(self, text: str) -> bool:
        """Say whether nobody asks this yet, and remember it."""
        plain = plain_text(text)
        if not plain or plain in self._texts or self._evaluable.holds_like(text):
            return False
        self._texts.add(plain)
        return True


def _split(title: str, text: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """Return a pseudo-query and the rest of its document: the title and the body, or a sentence and the others."""
    title, text = title.strip(), text.strip()
    speaks = len(title.split()) >= MIN_WORDS_OF_TITLE or (not title.isascii() and len(title) >= QUERY_LETTERS[0] // 2)
    if speaks and len(title) <= QUERY_LETTERS[1] and len(text.encode()) >= MIN_BYTES_OF_REST:
        return title, text
    sentences = [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]
    fitting = [i for i, part in enumerate(sentences) if QUERY_LETTERS[0] <= len(part) <= QUERY_LETTERS[1]]
    if not fitting:
        return None
    chosen = fitting[int(rng.integers(len(fitting)))]
    rest = " ".join(part for place, part in enumerate(sentences) if place != chosen)
    return (sentences[chosen], rest) if len(rest.encode()) >= MIN_BYTES_OF_REST else None
