"""Whose results were judged: what a comparison can and cannot see."""

import pandas as pd

from rerank.intake.findings import Severity
from rerank.intake.noting import Ledger, note, refuse_where
from rerank.intake.pairs import KEY

DEPTH = 10
LOW_SHARE = 0.5
POOL_SHARE = 0.95


def one_system(frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Return the candidates of one system; those of others that answer the same queries are refused with an error.

    Scores of different systems cannot be ordered together. A run in several files with other queries is one system.
    """
    if frame.empty or "system" not in frame.columns:
        return frame
    name = frame["file"].astype("str") + frame["system"].map(lambda tag: f" ({tag})" if tag else "")
    kept: list[str] = []
    taken: set[str] = set()
    for system in dict.fromkeys(name):
        queries = set(frame.loc[name == system, "query_id"])
        if not queries & taken:
            taken |= queries
            kept.append(system)
            continue
        rows = frame[name == system]
        file, line = str(rows["file"].iloc[0]), int(rows["line"].iloc[0])
        facts = {"system": system, "first": kept[0], "n_rows": len(rows)}
        ledger.findings.append(note("error", "several_runs", file, line, system, **facts))
    silent = Ledger()  # one finding per system was written; the refused rows are still kept whole
    found = refuse_where(silent, frame, ~name.isin(kept), "error", "several_runs", KEY)
    ledger.rejected.extend(silent.rejected)
    return found


def tell_pool(judgments: pd.DataFrame, candidates: pd.DataFrame, ledger: Ledger) -> None:
    """Write findings: the judged share of the first ten candidates, and whether only this search was judged."""
    judged = pd.MultiIndex.from_frame(judgments[KEY])
    asked = candidates[candidates["query_id"].isin(set(judgments["query_id"]))]
    top = asked[asked["rank"] <= DEPTH]
    if top.empty:
        return
    share = float(pd.MultiIndex.from_frame(top[KEY]).isin(judged).mean())
    severity: Severity = "warning" if share < LOW_SHARE else "info"
    ledger.findings.append(note(severity, "judged_share", share=round(share, 3), depth=DEPTH))
    own = pd.MultiIndex.from_frame(asked[KEY])
    within = float(judged[judged.get_level_values(0).isin(set(asked["query_id"]))].isin(own).mean())
    if within >= POOL_SHARE:
        ledger.findings.append(note("warning", "pool_of_one_search", share=round(within, 3)))
