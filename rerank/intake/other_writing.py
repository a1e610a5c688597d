"""Ids that point nowhere because something on the way wrote them differently: leading zeros, `.0`, width, case."""

import re
import unicodedata

import pandas as pd

from rerank.intake.noting import Ledger, note

MAX_IDS = 2_000_000  # among so many known ids the others are looked for


def alike(name: str) -> str:
    """Return an id without what spreadsheets and exports change."""
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    plain = re.sub(r"(?<=\d)\.0+$", "", plain)
    return plain.lstrip("0") or "0" if plain.isdigit() else plain


def tell_other_writing(lost: pd.DataFrame, field: str, known: "pd.Series[str]", ledger: Ledger) -> None:
    """Write one finding when ids of rows that point nowhere are known in another writing.

    lost: rows with the field, file and line. known: the ids that there are.
    """
    if lost.empty or len(known) > MAX_IDS:
        return
    wanted = {alike(name): name for name in reversed(lost[field].unique().tolist())}
    found: dict[str, str] = {}
    for name in known:
        key = alike(name)
        if key in wanted:
            found.setdefault(wanted[key], name)
    if found:
        here = next(name for name in lost[field] if name in found)
        first = lost[lost[field] == here].iloc[0]
        facts = {"field": field, "n_ids": len(found), "here": here, "there": found[here]}
        ledger.findings.append(
            note("warning", "ids_written_differently", str(first["file"]), int(first["line"]), here, **facts)
        )
