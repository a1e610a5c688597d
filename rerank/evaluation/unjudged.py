"""What nobody judged: where it stands in the rankings, and what the judgments would be without or with it."""

from collections.abc import Iterable

import pandas as pd

from rerank.evaluation.measures import cutoff_of

DEPTH_WITHOUT_CUTOFF = 10  # where a measure reads the whole list, its first ranks weigh most


def depth_of(measure: str) -> int:
    """Return down to which rank unjudged documents are looked at for a measure."""
    return cutoff_of(measure) or DEPTH_WITHOUT_CUTOFF


def unjudged_among_first(rankings: Iterable[pd.DataFrame], judgments: pd.DataFrame, depth: int) -> pd.DataFrame:
    """Return every pair without a judgment among the first `depth` ranks of any ranking: query_id, doc_id."""
    shown = [ranking.loc[ranking["rank"] <= depth, ["query_id", "doc_id"]] for ranking in rankings]
    pairs = pd.concat(shown, ignore_index=True).drop_duplicates(ignore_index=True)
    return pairs[~_is_judged(pairs, judgments)].reset_index(drop=True)


def judged_only(ranking: pd.DataFrame, judgments: pd.DataFrame) -> pd.DataFrame:
    """Return a ranking without its unjudged documents, the others moved up (Sakai 2007: a condensed list)."""
    kept = ranking[_is_judged(ranking, judgments)].reset_index(drop=True)
    return kept.assign(rank=kept.groupby("query_id", sort=False).cumcount() + 1)


def with_assumed_grade(judgments: pd.DataFrame, pairs: pd.DataFrame, grade: int) -> pd.DataFrame:
    """Return judgments in which unjudged pairs (query_id, doc_id) have a grade."""
    return pd.concat(
        [judgments[["query_id", "doc_id", "grade"]], pairs[["query_id", "doc_id"]].assign(grade=grade)],
        ignore_index=True,
    )


def _is_judged(pairs: pd.DataFrame, judgments: pd.DataFrame) -> pd.Series:
    known = pd.MultiIndex.from_frame(judgments[["query_id", "doc_id"]])
    return pd.Series(pd.MultiIndex.from_frame(pairs[["query_id", "doc_id"]]).isin(known), index=pairs.index)
