"""Pairs that came twice: kept once when they agree, refused when they contradict each other."""

import pandas as pd

from rerank.intake.findings import Severity
from rerank.intake.noting import Ledger, note, refuse, refuse_where, row_json

KEY = ["query_id", "doc_id"]


def without_repeats(
    frame: pd.DataFrame,
    ledger: Ledger,
    keys: list[str],
    code: str,
    severity: Severity,
    shown: list[str],
) -> pd.DataFrame:
    """Return the frame with the first row of every key; later ones are refused, the first one named."""
    repeated = frame.duplicated(keys)
    if not repeated.any():
        return frame
    # Only the firsts of what comes again, as a dictionary: a look into a frame's index per row takes minutes.
    first_rows = frame[frame.duplicated(keys, keep=False) & ~repeated]
    names = zip(*(first_rows[name] for name in keys), strict=True)
    firsts = dict(zip(names, zip(first_rows["file"], first_rows["line"], strict=True), strict=True))
    for row in frame[repeated].to_dict("records"):
        named = {str(name): value for name, value in row.items()}
        file, line = firsts[tuple(named[name] for name in keys)]
        value = " ".join(str(named[name]) for name in shown)
        facts = {"first_file": str(file), "first_line": int(line)}
        refuse(ledger, severity, code, str(named["file"]), int(named["line"]), value, row_json(named), **facts)
    return frame[~repeated]


def without_contradictions(frame: pd.DataFrame, ledger: Ledger, value: str, code: str, plural: str) -> pd.DataFrame:
    """Return the frame without pairs that have several values; every row of such a pair is refused."""
    n_values = frame.groupby(KEY, sort=False)[value].transform("nunique")
    bad = n_values > 1
    if not bad.any():
        return frame
    for key, rows in frame[bad].groupby(KEY, sort=False):
        where = [f"{file}:{line}" for file, line in zip(rows["file"], rows["line"], strict=True)]
        values = sorted({str(item) for item in rows[value]})
        file, line = str(rows["file"].iloc[0]), int(rows["line"].iloc[0])
        shown = " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        ledger.findings.append(note("error", code, file, line, shown, **{"rows": where[:20], plural: values[:20]}))
    silent = Ledger()  # one finding per pair was written; the refused rows are still kept whole
    kept = refuse_where(silent, frame, bad, "error", code, [*KEY, value])
    ledger.rejected.extend(silent.rejected)
    return kept
