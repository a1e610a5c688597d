"""Clicks as implicit grades: clicks over expected clicks (COEC), which corrects for the position."""

import numpy as np
import pandas as pd

from rerank.intake.noting import Ledger, note
from rerank.intake.pairs import KEY
from rerank.intake.tables import replaced

MIN_IMPRESSIONS = 10
GRADE_FROM = (0.5, 1.0, 2.0)  # clicks over expected clicks from which the grade is 1, 2, 3
_SHOWN = {"impression", "impressions", "view", "shown", "show", "display", "0", "false", "no", "表示"}
_BOTH = {"1", "true", "yes"}  # a row per impression with a mark whether it was clicked
_CLICKED = {"click", "clicked", "click_through", "item_click", "add_to_cart", "purchase", "クリック", "購入"}


def _with_queries(clicks: pd.DataFrame) -> pd.DataFrame:
    """Give events that know only their search the query that was asked in it."""
    impressions = clicks[clicks["event"].isin(_SHOWN) & (clicks["search"] != "")]
    first = impressions.drop_duplicates("search")
    asked = dict(zip(first["search"], first["query_id"], strict=True))
    known = clicks["search"].isin(list(asked))
    return clicks.assign(query_id=clicks["query_id"].where(~known, replaced(clicks["search"], asked)))


def searches_of(clicks: pd.DataFrame) -> dict[str, int]:
    """Return how many searches of each query a log holds; without search ids, the most often shown document's."""
    shown = _with_queries(clicks[clicks["event"].isin(_SHOWN | _BOTH)])
    named = shown[shown["search"] != ""].drop_duplicates(["search", "query_id"]).groupby("query_id").size()
    unnamed = shown[shown["search"] == ""].groupby(KEY).size().groupby("query_id").max()
    found = named.add(unnamed, fill_value=0)
    return {str(query): int(n) for query, n in found.items()}


def _with_positions(clicked: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Give clicks without a position that of the same document in the same search, else in any search of the query."""
    for key in (["search", *KEY], KEY):
        places = shown.dropna(subset=["position"]).drop_duplicates(key)[[*key, "position"]]
        known = clicked[key].merge(places, on=key, how="left")["position"].to_numpy()
        clicked = clicked.assign(position=clicked["position"].fillna(pd.Series(known, index=clicked.index)))
    return clicked


def coec(clicks: pd.DataFrame) -> pd.DataFrame:
    """Return query_id, doc_id, n_impressions, n_clicks, coec, file, line of impressions and clicks.

    coec = clicks / sum over impressions of the click rate of their position (Zhang and Jones, 2007); NaN when nobody
    ever clicked at those positions.
    """
    shown = clicks[clicks["event"].isin(_SHOWN | _BOTH)].dropna(subset=["position"])
    clicked = _with_positions(clicks[clicks["event"].isin(_CLICKED | _BOTH)], shown)
    searched = clicked["search"] != ""
    clicked = pd.concat([clicked[searched].drop_duplicates(["search", *KEY]), clicked[~searched]])
    pairs = pd.MultiIndex.from_frame(shown[KEY])
    clicked = clicked[pd.MultiIndex.from_frame(clicked[KEY]).isin(pairs)]
    rate = clicked.groupby("position").size().div(shown.groupby("position").size()).clip(upper=1.0)
    expected = shown.assign(expected=shown["position"].map(rate).fillna(0.0))
    grouped = expected.groupby(KEY, sort=False)
    found = grouped[["file", "line"]].first()
    found["n_impressions"] = grouped.size()
    n_clicks = clicked.groupby(KEY).size().reindex(found.index).fillna(0)
    found["n_clicks"] = np.minimum(n_clicks, found["n_impressions"]).astype("int64")
    found["coec"] = found["n_clicks"] / grouped["expected"].sum().replace(0.0, np.nan)
    return found.reset_index()


def judgments_from_clicks(clicks: pd.DataFrame, ledger: Ledger) -> pd.DataFrame | None:
    """Return implicit judgments of a click log; None, with an error, when the position cannot be corrected for.

    Grades are 0 below 0.5, 1 below 1, 2 below 2, else 3. Pairs shown fewer than 10 times stay unjudged.
    """
    clicks = _with_queries(clicks)
    first = clicks.iloc[0]
    file, line = str(first["file"]), int(first["line"])
    shown = clicks["event"].isin(_SHOWN | _BOTH)
    if not shown.any():
        ledger.findings.append(note("error", "clicks_without_impressions", file, line))
        return None
    if clicks.loc[shown, "position"].isna().all():
        ledger.findings.append(note("error", "clicks_without_positions", file, line))
        return None
    if not clicks["event"].isin(_CLICKED | _BOTH).any():
        ledger.findings.append(note("error", "clicks_missing", file, line))
        return None
    measured = coec(clicks).dropna(subset=["coec"])
    enough = measured[measured["n_impressions"] >= MIN_IMPRESSIONS]
    grade = np.searchsorted(np.asarray(GRADE_FROM), enough["coec"].to_numpy(), side="right")
    n_few = len(measured) - len(enough)
    ledger.findings.append(
        note(
            "warning",
            "judgments_implicit",
            file,
            line,
            n_judgments=len(enough),
            n_few=n_few,
            minimum=MIN_IMPRESSIONS,
        )
    )
    return enough.assign(grade=grade.astype("int64"))[[*KEY, "grade", "file", "line"]]
