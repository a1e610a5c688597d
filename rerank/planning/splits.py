"""Which query trains, which chooses and which is tested."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rerank.errors import RerankError
from rerank.intake.alike import Groups, groups_of
from rerank.intake.dataset import Dataset
from rerank.planning.plan import Plan

MIN_TRAIN_QUERIES = 2


@dataclass(frozen=True)
class Fold:
    """Disjoint query ids: `train` for gradients, `dev` for every choice, `test` only for the final scores."""

    index: int
    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]


def queries_with_relevant(dataset: Dataset, relevant_grade: int) -> list[str]:
    """Return the ids of queries with at least one relevant document, in the dataset's order."""
    relevant = dataset.judgments.loc[dataset.judgments["grade"] >= relevant_grade, "query_id"]
    known = set(relevant)
    return [query_id for query_id in dataset.queries["query_id"] if query_id in known]


def evaluable_queries(dataset: Dataset, plan: Plan) -> list[str]:
    """Return the ids of queries with at least one relevant document, in the dataset's order.

    With `max_queries`, a sample of that size drawn with the split's seed; the order stays.
    """
    found = queries_with_relevant(dataset, plan.relevant_grade)
    if plan.max_queries is not None and len(found) > plan.max_queries:
        picked = np.random.default_rng(plan.split.seed).permutation(len(found))[: plan.max_queries]
        found = [found[index] for index in sorted(picked)]
    return found


def _dealt(query_ids: list[str], segments: dict[str, str], rng: np.random.Generator) -> list[str]:
    """Return the ids segment by segment, shuffled: items at even distances hold their share of every segment."""
    frame = pd.DataFrame({"query_id": query_ids})
    frame["segment"] = [segments.get(query_id, "") for query_id in query_ids]
    frame["chance"] = rng.permutation(len(frame))
    frame["first"] = frame.groupby("segment")["chance"].transform("min")
    ordered = frame.sort_values(["first", "chance"], kind="stable")
    return [str(query_id) for query_id in ordered["query_id"]]


def alike_queries(dataset: Dataset, query_ids: list[str]) -> Groups:
    """Return places in `query_ids` of queries that are nearly the same and so stay in one part of every division."""
    texts = dict(zip(dataset.queries["query_id"], dataset.queries["text"], strict=True))
    return groups_of([str(texts[query_id]) for query_id in query_ids])


def _alike(dataset: Dataset, query_ids: list[str]) -> dict[str, list[str]]:
    """Return nearly equal queries under the first one's id."""
    groups = alike_queries(dataset, query_ids).places
    return {query_ids[group[0]]: [query_ids[place] for place in group] for group in groups}


def _whole(heads: list[str], members: dict[str, list[str]]) -> tuple[str, ...]:
    return tuple(query_id for head in heads for query_id in members[head])


def folds_of(dataset: Dataset, plan: Plan) -> list[Fold]:
    """Divide the evaluable queries as the plan says: one fold for `holdout`, k for `kfold`.

    Queries that are nearly the same stay together: one of them must not train the model that the other tests.
    The same dataset and plan give the same folds. Raises RerankError `too_few_queries_to_split`.
    """
    query_ids = evaluable_queries(dataset, plan)
    split = plan.split
    rng = np.random.default_rng(split.seed)
    segments = dict(zip(dataset.queries["query_id"], dataset.queries["segment"], strict=True))
    members = _alike(dataset, query_ids)
    dealt = _dealt(list(members), segments, rng)
    if split.kind == "holdout":
        n_test = max(1, round(len(dealt) * split.test_share))
        tests = [spread(dealt, n_test)]
    else:
        tests = [dealt[index :: split.folds] for index in range(split.folds)]
    folds = []
    for index, test in enumerate(tests):
        chosen = set(test)
        rest = [query_id for query_id in dealt if query_id not in chosen]
        n_dev = max(1, round(len(rest) * split.dev_share))
        dev = spread(rest, n_dev)
        held = set(dev)
        train = [query_id for query_id in rest if query_id not in held]
        if not test or len(train) < MIN_TRAIN_QUERIES:
            raise RerankError("too_few_queries_to_split", n_queries=len(query_ids), kind=split.kind)
        folds.append(Fold(index, *(_whole(part, members) for part in (train, dev, test))))
    return folds


def unsealed_queries(dataset: Dataset, plan: Plan) -> tuple[str, ...]:
    """Return the evaluable queries whose judgments may be used before the plan is locked, in the dataset's order.

    With `holdout` those that are not tested; with `kfold` all, because each is tested in some fold and none can be
    sealed. Raises RerankError `too_few_queries_to_split`.
    """
    sealed = (
        {query for fold in folds_of(dataset, plan) for query in fold.test} if plan.split.kind == "holdout" else set()
    )
    return tuple(query for query in evaluable_queries(dataset, plan) if query not in sealed)


def part_of(fold: Fold, share: float, seed: int) -> Fold:
    """Return a fold with a share (0-1) of its training queries; smaller shares are parts of larger ones.

    At least two queries stay. The order is drawn from `seed`; development and test queries are the same.
    """
    if share >= 1.0:
        return fold
    order = np.random.default_rng([seed, fold.index, 2]).permutation(len(fold.train))
    n = max(MIN_TRAIN_QUERIES, round(len(fold.train) * share))
    kept = set(order[:n].tolist())
    return Fold(fold.index, tuple(q for i, q in enumerate(fold.train) if i in kept), fold.dev, fold.test)


def refit_fold(dataset: Dataset, plan: Plan) -> Fold:
    """Return the division of the final training: every evaluable query trains or chooses, none is tested.

    The first division's development queries stay what they are, its test queries train: with `holdout` nothing
    is chosen on queries that were tested. Raises RerankError `too_few_queries_to_split`.
    """
    first = folds_of(dataset, plan)[0]
    return Fold(0, first.train + first.test, first.dev, ())


def spread(items: list[str], n: int) -> list[str]:
    """Return n items at even distances over the list."""
    n = min(n, len(items))
    return [items[int(position)] for position in np.floor(np.arange(n) * len(items) / max(n, 1))]
