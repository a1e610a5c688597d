"""From a table's rows to a role's typed rows; what cannot be one is refused with its line."""

import unicodedata
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from rerank.intake.noting import Ledger, note, refuse_where, warn_where
from rerank.intake.tables import LINE, Table, replaced

MAX_GRADE = 20
HUGE_CHARS = 100_000
_SCIENTIFIC = r"\d(?:\.\d+)?[eE]\+?\d+"


def _column(table: Table, mapping: Mapping[str, str], field: str) -> "pd.Series[str]":
    name = mapping.get(field)
    if name is None or name not in table.rows.columns:
        return pd.Series([""] * len(table.rows), index=table.rows.index, dtype="str")
    return table.rows[name].astype("str")


def _ids(frame: pd.DataFrame, field: str, ledger: Ledger) -> pd.DataFrame:
    """Strip an id column, refuse rows without id, and warn of ids that other tools will spoil."""
    frame[field] = frame[field].str.strip()
    shown = [name for name in ("query_id", "doc_id", "text") if name in frame.columns]
    frame = refuse_where(ledger, frame, frame[field] == "", "error", "id_missing", shown, field=field)
    spaced = frame[field].str.contains(r"\s", regex=True)
    warn_where(ledger, frame, spaced & ~frame[field].duplicated(), "id_has_white_space", field, field=field)
    shortened = frame[field].str.fullmatch(_SCIENTIFIC)
    warn_where(ledger, frame, shortened, "id_in_scientific_notation", field, field=field)
    return frame


def _numbers(texts: "pd.Series[str]") -> "pd.Series[float]":
    """Return texts as numbers, full-width digits included; NaN where there is none."""
    plain = texts.map(lambda text: unicodedata.normalize("NFKC", text).strip())
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _not_finite(value: "pd.Series[float]") -> "pd.Series[bool]":
    return value.isna() | value.abs().eq(np.inf)


def _start(table: Table, mapping: Mapping[str, str], file: str, fields: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame({field: _column(table, mapping, field) for field in fields})
    frame["file"] = file
    frame[LINE] = table.rows[LINE].astype("int64")
    return frame


def queries_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return query_id, text, segment, file, line, and frequency if a column says it; without ids the text is the id."""
    frame = _start(table, mapping, file, ("query_id", "text", "segment"))
    if "query_id" not in mapping:
        frame["query_id"] = frame["text"]
    frame = refuse_where(ledger, frame, frame["text"].str.strip() == "", "error", "query_without_text", ["query_id"])
    frame["segment"] = frame["segment"].str.strip()
    frame = _ids(frame, "query_id", ledger)
    if "frequency" in mapping:
        frame["frequency"] = _frequencies(frame, _column(table, mapping, "frequency")[frame.index], ledger)
    return frame


def _frequencies(frame: pd.DataFrame, said: "pd.Series[str]", ledger: Ledger) -> "pd.Series[float]":
    """Return how often each query was asked; once, with a warning, where that is no positive number."""
    value = _numbers(said.str.replace(",", ""))
    bad = _not_finite(value) | (value <= 0)
    told = bad & (said.str.strip() != "")
    warn_where(ledger, frame.assign(frequency=said), told, "frequency_not_positive", "frequency")
    return value.where(~bad, 1.0)


def documents_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return doc_id, title, text, file, line."""
    frame = _ids(_start(table, mapping, file, ("doc_id", "title", "text")), "doc_id", ledger)
    empty = (frame["title"].str.strip() == "") & (frame["text"].str.strip() == "")
    warn_where(ledger, frame, empty, "document_without_text", "doc_id")
    length = frame["title"].str.len() + frame["text"].str.len()
    huge = frame[length > HUGE_CHARS]
    for line, doc_id, n_chars in zip(huge[LINE], huge["doc_id"], length[length > HUGE_CHARS], strict=True):
        ledger.findings.append(
            note("warning", "document_huge", file, line, doc_id, n_chars=int(n_chars), maximum=HUGE_CHARS)
        )
    return frame


def judgments_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return query_id, doc_id, grade (int), file, line; a blank grade is unjudged, not a judgment."""
    frame = _start(table, mapping, file, ("query_id", "doc_id", "grade"))
    blank = frame["grade"].str.strip() == ""
    only_query = blank & (frame["doc_id"].str.strip() == "")
    shown = ["query_id", "doc_id", "grade"]
    frame = refuse_where(ledger, frame, only_query, "info", "grade_missing", shown)
    frame = refuse_where(ledger, frame, blank[frame.index], "warning", "grade_missing", shown)
    frame = _ids(_ids(frame, "query_id", ledger), "doc_id", ledger)
    value = _numbers(frame["grade"])
    named = frame["grade"].str.strip().str.fullmatch("(?i)[+-]?(nan|inf|infinity)")
    infinite = named | value.abs().eq(np.inf)
    frame = refuse_where(ledger, frame, infinite, "error", "grade_not_finite", shown)
    value = value[frame.index]
    frame = refuse_where(ledger, frame, value.isna() | (value % 1 != 0), "error", "grade_not_integer", shown)
    value = value[frame.index]
    frame = refuse_where(ledger, frame, value < 0, "error", "grade_negative", shown)
    value = value[frame.index]
    frame = refuse_where(ledger, frame, value > MAX_GRADE, "error", "grade_too_large", shown, maximum=MAX_GRADE)
    frame["grade"] = value[frame.index].astype("int64")
    return frame


def candidates_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return query_id, doc_id, rank (float), score (float), file, line; NaN for the column that is not there."""
    frame = _start(table, mapping, file, ("query_id", "doc_id", "rank", "score"))
    frame = _ids(_ids(frame, "query_id", ledger), "doc_id", ledger)
    shown = ["query_id", "doc_id", "rank", "score"]
    for field, code in (("rank", "rank_not_integer"), ("score", "score_not_finite")):
        value = _numbers(frame[field])
        if field in mapping:
            bad = _not_finite(value)
            if field == "rank":
                bad |= (value % 1 != 0) | (value < 0)
            frame = refuse_where(ledger, frame, bad, "error", code, shown)
        frame[field] = value[frame.index]
    system = mapping.get("system")
    tag = table.rows[system][frame.index].astype("str") if system in table.rows.columns else ""
    return frame.assign(system=tag)


def teacher_scores_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return query_id, doc_id, score (float), file, line."""
    frame = _start(table, mapping, file, ("query_id", "doc_id", "score"))
    frame = _ids(_ids(frame, "query_id", ledger), "doc_id", ledger)
    value = _numbers(frame["score"])
    shown = ["query_id", "doc_id", "score"]
    frame = refuse_where(ledger, frame, _not_finite(value), "error", "score_not_finite", shown)
    frame["score"] = value[frame.index]
    return frame


def ratings_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return query_id, doc_id, rater, grade (int), file, line; names that are addresses become rater 1, 2, ..."""
    raters = _column(table, mapping, "rater").str.strip()
    addressed = raters.str.contains("@", regex=False)
    if addressed.any():
        names = {name: f"rater {place}" for place, name in enumerate(sorted(set(raters[addressed])), start=1)}
        ledger.findings.append(note("info", "raters_pseudonymised", file, n_raters=len(names)))
        raters = replaced(raters, names)
    column = mapping.get("rater")
    hidden = table.rows if column is None else table.rows.assign(**{column: raters})
    known = Table(hidden, table.layout, table.part)
    frame = judgments_of(known, mapping, file, ledger)
    return frame.assign(rater=raters[frame.index])


def clicks_of(table: Table, mapping: Mapping[str, str], file: str, ledger: Ledger) -> pd.DataFrame:
    """Return search ("" when the log has none), query_id, doc_id, position (float), event, file, line."""
    frame = _start(table, mapping, file, ("search", "query_id", "doc_id", "position", "event"))
    frame["search"] = frame["search"].str.strip()
    frame = _ids(_ids(frame, "query_id", ledger), "doc_id", ledger)
    value = _numbers(frame["position"])
    if "position" in mapping:
        shown = frame["position"].str.strip() != ""
        bad = shown & (_not_finite(value) | (value % 1 != 0) | (value < 0))
        frame = refuse_where(ledger, frame, bad, "error", "rank_not_integer", ["query_id", "doc_id", "position"])
    frame["position"] = value[frame.index]
    frame["event"] = frame["event"].str.strip().str.lower()
    return frame


READERS: Mapping[str, Callable[[Table, Mapping[str, str], str, Ledger], pd.DataFrame]] = {
    "queries": queries_of,
    "documents": documents_of,
    "judgments": judgments_of,
    "candidates": candidates_of,
    "teacher_scores": teacher_scores_of,
    "ratings": ratings_of,
    "clicks": clicks_of,
}
