"""Training lists: which documents stand beside each other in one loss, drawn anew in every epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from rerank.errors import RerankError

Item = TypeVar("Item")


@dataclass(frozen=True)
class TrainingList:
    """One query's documents and what the loss compares with: gains of judgments, or teacher scores.

    loss: the list's own loss where lists of both kinds stand in one training, None for the training's.
    """

    query_id: str
    doc_ids: tuple[str, ...]
    targets: tuple[float, ...]
    loss: str | None = None


@dataclass(frozen=True)
class Judged:
    """One training query's material: relevant documents with grades, and others in two groups.

    judged_negatives: documents below the grade that counts as relevant, with their grades: measures with gains tell
    a 1 from a 0 whatever is called relevant.
    """

    query_id: str
    positives: tuple[tuple[str, int], ...]
    judged_negatives: tuple[tuple[str, int], ...]
    unjudged: tuple[str, ...]  # candidates of the first stage that nobody judged, best first


def judged_material(
    query_ids: Sequence[str],
    judgments: pd.DataFrame,
    candidates: pd.DataFrame,
    relevant_grade: int,
    similarities: Mapping[tuple[str, str], float] | None = None,
    false_negative_share: float = 0.0,
) -> list[Judged]:
    """Return the material of every training query that has a relevant document and any negative.

    With similarities, unjudged candidates that are as similar to the query as `false_negative_share` of its most
    similar positive are taken for relevant ones that nobody judged, and left out (Moreira et al. 2024,
    positive-aware mining); never more than half of them: a similarity that says so knows nothing.
    """
    grades: dict[str, dict[str, int]] = {}
    for row in judgments.itertuples(index=False):
        grades.setdefault(str(row.query_id), {})[str(row.doc_id)] = int(str(row.grade))
    listed = candidates.groupby("query_id", sort=False)["doc_id"].agg(list).to_dict()
    found = []
    for query_id in query_ids:
        known = grades.get(query_id, {})
        positives = tuple((doc, grade) for doc, grade in known.items() if grade >= relevant_grade)
        negatives = tuple((doc, grade) for doc, grade in known.items() if grade < relevant_grade)
        unjudged = tuple(doc for doc in listed.get(query_id, []) if doc not in known)
        if similarities is not None and false_negative_share > 0:
            near = {doc: similarities[(query_id, doc)] for doc, _ in positives if (query_id, doc) in similarities}
            limit = false_negative_share * max(near.values()) if near else np.inf
            unjudged = _without_likely_positives(query_id, unjudged, similarities, limit)
        if positives and (negatives or unjudged or len({grade for _, grade in positives}) > 1):
            found.append(Judged(query_id, positives, negatives, unjudged))
    return found


def _without_likely_positives(
    query_id: str, unjudged: tuple[str, ...], similarities: Mapping[tuple[str, str], float], limit: float
) -> tuple[str, ...]:
    suspects = [doc for doc in unjudged if similarities.get((query_id, doc), -np.inf) >= limit]
    suspects.sort(key=lambda doc: -similarities[(query_id, doc)])
    dropped = set(suspects[: len(unjudged) // 2])
    return tuple(doc for doc in unjudged if doc not in dropped)


def is_graded(judgments: pd.DataFrame) -> bool:
    """Say whether documents carry more than one grade above 0."""
    return judgments.loc[judgments["grade"] > 0, "grade"].nunique() > 1


def _draw(rng: np.random.Generator, items: Sequence[Item], n: int) -> list[Item]:
    picked = rng.permutation(len(items))[:n]
    return [items[int(position)] for position in picked]


def contrastive_lists(
    material: Sequence[Judged], group_size: int, loss: str, rng: np.random.Generator
) -> list[TrainingList]:
    """Return one list per query in random order: positives first, then negatives from the first stage.

    `lce` lists have exactly one positive, and all else counts 0; `listwise` lists have up to half of the group, and
    every judged document counts its grade. Judged negatives fill at most half of the negatives' places while
    unjudged candidates can fill the rest.
    Raises RerankError `list_without_positive`.
    """
    lists = []
    for position in rng.permutation(len(material)):
        item = material[int(position)]
        n_positive = 1 if loss == "lce" else max(1, group_size // 2)
        chosen = [item.positives[int(i)] for i in rng.permutation(len(item.positives))[:n_positive]]
        room = group_size - len(chosen)
        from_judged = max(room - len(item.unjudged), (room + 1) // 2)
        negatives = _draw(rng, item.judged_negatives, min(room, from_judged))
        # The head of the first stage's list is where a re-ranker earns its keep: hard negatives.
        hard = item.unjudged[: max(4 * group_size, 1)]
        negatives += [(doc, 0) for doc in _draw(rng, hard, room - len(negatives))]
        documents = tuple(doc for doc, _ in (*chosen, *negatives))
        below = (0.0 if loss == "lce" else float(max(0, grade)) for _, grade in negatives)
        gains = (*(float(grade) for _, grade in chosen), *below)
        if not any(gain > 0 for gain in gains):
            raise RerankError("list_without_positive", query_id=item.query_id)
        if len(documents) > 1:
            lists.append(TrainingList(item.query_id, documents, gains))
    return lists


def distillation_lists(
    query_ids: Sequence[str],
    candidates: pd.DataFrame,
    teacher: Mapping[tuple[str, str], float],
    group_size: int,
    rng: np.random.Generator,
) -> list[TrainingList]:
    """Return one list per query in random order, drawn from its candidates that the teacher scored.

    Scores are standardised over a query's candidates, so that one temperature fits every teacher.
    """
    listed = candidates.groupby("query_id", sort=False)["doc_id"].agg(list).to_dict()
    lists = []
    for position in rng.permutation(len(query_ids)):
        query_id = query_ids[int(position)]
        scored = [doc for doc in listed.get(query_id, []) if (query_id, doc) in teacher]
        if len(scored) < 2:
            continue
        scores = np.array([teacher[(query_id, doc)] for doc in scored], dtype=np.float64)
        spread = float(scores.std())
        if spread <= 1e-9 * max(1.0, float(np.abs(scores).max())):  # a teacher that ties them all teaches nothing
            continue
        standard = (scores - scores.mean()) / spread
        chosen = rng.permutation(len(scored))[:group_size]
        lists.append(
            TrainingList(
                query_id,
                tuple(scored[int(i)] for i in chosen),
                tuple(float(standard[int(i)]) for i in chosen),
            )
        )
    return lists


def joint_lists(
    contrastive: Sequence[TrainingList],
    losses: tuple[str, str],
    distilled: Sequence[TrainingList],
    rng: np.random.Generator,
) -> list[TrainingList]:
    """Return both kinds of lists in one random order, each with its own loss (contrastive, distillation)."""
    both = [replace(item, loss=losses[0]) for item in contrastive]
    both += [replace(item, loss=losses[1]) for item in distilled]
    return [both[int(place)] for place in rng.permutation(len(both))]
