"""Which judgments would tell the most, as a list that can be filled in and uploaded again."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from rerank.adequacy.lists import Lists
from rerank.intake.alike import NearIndex, groups_of
from rerank.intake.dataset import Dataset
from rerank.intake.pairs import KEY
from rerank.planning.plan import Plan
from rerank.planning.splits import evaluable_queries

MAX_ROWS = 5_000
TEXT_CHARS = 2_000
WHY = ("new_query", "no_relevant_yet", "unjudged_on_top")
COLUMNS = ("query_id", "query", "doc_id", "title", "text", "grade", "why", "weight")


def next_queries(dataset: Dataset, plan: Plan, n: int) -> list[str]:
    """Return at most n queries without judgments whose judgments would make the sample say more.

    Always the next of the segment with the fewest usable queries so far, in the dataset's order. What is nearly the
    same as a usable query, or as an earlier one of these, is left out: it says little that is new.
    """
    usable = set(evaluable_queries(dataset, plan))
    rows = dataset.queries
    mine = rows["query_id"].isin(usable)
    known = NearIndex([str(text) for text in rows.loc[mine, "text"]])
    counts = Counter(str(name) for name in rows.loc[mine, "segment"])
    judged = set(dataset.judgments["query_id"])
    open_ones = rows[~rows["query_id"].isin(judged)]
    firsts = [group[0] for group in groups_of(open_ones["text"].astype("str").tolist()).places]
    waiting: dict[str, list[str]] = {}
    for query_id, text, segment in open_ones.iloc[firsts][["query_id", "text", "segment"]].itertuples(index=False):
        if not known.holds_like(str(text)):
            waiting.setdefault(str(segment), []).append(str(query_id))
    queues = {segment: iter(ids) for segment, ids in waiting.items()}
    found: list[str] = []
    while len(found) < n and queues:
        segment = min(queues, key=lambda name: counts[name])
        following = next(queues[segment], None)
        if following is None:
            del queues[segment]
            continue
        counts[segment] += 1
        found.append(following)
    return found


def to_judge(dataset: Dataset, plan: Plan, lists: Lists, new: Sequence[str]) -> pd.DataFrame:
    """Return the unjudged pairs among the systems' first ten, the most telling first; `COLUMNS`, grade empty.

    First the given new queries one after the other, then queries that are judged and have no relevant document yet,
    then the holes of usable queries by weight. A document's weight is how much it can move the difference between two
    of the lists: the difference of its discounts 1/log2(rank + 1), 0 where it is not listed (Carterette, Allan and
    Sitaraman 2006, for DCG); its discount where there is one list. At most 5,000 rows.
    """
    pairs = _weights(lists)
    judged = pd.MultiIndex.from_frame(dataset.judgments[KEY])
    pairs = pairs[~pd.MultiIndex.from_frame(pairs[KEY]).isin(judged)]
    usable = set(evaluable_queries(dataset, plan))
    place = {query_id: number for number, query_id in enumerate(new)}
    seen = set(dataset.judgments["query_id"])
    kinds = [
        0 if query_id in place else 2 if query_id in usable else 1 if query_id in seen else 3
        for query_id in pairs["query_id"]
    ]
    pairs = pairs.assign(kind=kinds, place=[place.get(query_id, 0) for query_id in pairs["query_id"]])
    order = pairs[pairs["kind"] < 3].sort_values(
        ["kind", "place", "weight", "query_id", "doc_id"], ascending=[True, True, False, True, True], ignore_index=True
    )
    rows = order.head(MAX_ROWS)
    queries = dataset.queries.drop_duplicates("query_id").set_index("query_id")["text"]
    listed = dataset.documents[dataset.documents["doc_id"].isin(rows["doc_id"].unique())]
    documents = listed.drop_duplicates("doc_id").set_index("doc_id")
    return pd.DataFrame(
        {
            "query_id": rows["query_id"].astype("str"),
            "query": queries.reindex(rows["query_id"]).fillna("").str.slice(0, TEXT_CHARS).to_numpy(),
            "doc_id": rows["doc_id"].astype("str"),
            "title": documents["title"].reindex(rows["doc_id"]).fillna("").str.slice(0, TEXT_CHARS).to_numpy(),
            "text": documents["text"].reindex(rows["doc_id"]).fillna("").str.slice(0, TEXT_CHARS).to_numpy(),
            "grade": "",
            "why": [WHY[kind] for kind in rows["kind"]],
            "weight": rows["weight"].astype(float).round(4),
        },
        columns=list(COLUMNS),
    )


def _weights(lists: Lists) -> pd.DataFrame:
    """Return every listed pair with its weight."""
    parts = [
        frame[KEY].assign(system=name, discount=1 / np.log2(frame["rank"].to_numpy(dtype=float) + 1))
        for name, frame in lists.items()
        if len(frame)
    ]
    if not parts:
        return pd.DataFrame({"query_id": [], "doc_id": [], "weight": []})
    everything = pd.concat(parts, ignore_index=True).groupby(KEY, sort=False)["discount"]
    found = everything.agg(["min", "max", "size"]).reset_index()
    everywhere = (found["size"] == len(parts)) & (len(parts) > 1)
    weight = found["max"] - np.where(everywhere, found["min"], 0.0)
    return found[KEY].assign(weight=weight)
