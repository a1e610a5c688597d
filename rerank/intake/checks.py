"""The sample as a whole: do its parts fit together, and is it enough?"""

import re
from collections.abc import Mapping

import pandas as pd

from rerank.intake.mapping import ROLES
from rerank.intake.noting import Ledger, note, refuse_where
from rerank.intake.pairs import KEY, without_contradictions, without_repeats

MIN_JUDGED_QUERIES = 15
JAPANESE_SHARE = 0.2
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
_EMPTY: Mapping[str, tuple[str, ...]] = {
    "queries": ("query_id", "text", "segment", "file", "line"),
    "documents": ("doc_id", "title", "text", "file", "line"),
    "judgments": ("query_id", "doc_id", "grade", "file", "line"),
}


def check_whole(frames: Mapping[str, pd.DataFrame], ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Return the frames without rows that contradict or point nowhere; findings go to the ledger."""
    found = dict(frames)
    for role, columns in _EMPTY.items():
        found.setdefault(role, pd.DataFrame({name: pd.Series([], dtype="str") for name in columns}))
    _by_text(found)
    if found["queries"].empty:
        ledger.findings.append(note("error", "no_queries"))
    if found["documents"].empty:
        ledger.findings.append(note("error", "no_documents"))
    if found["judgments"].empty:
        ledger.findings.append(note("error", "no_judgments"))
    found["queries"] = without_repeats(
        found["queries"], ledger, ["query_id"], "duplicate_query_id", "error", ["query_id", "text"]
    )
    found["documents"] = without_repeats(
        found["documents"], ledger, ["doc_id"], "duplicate_document_id", "error", ["doc_id", "title"]
    )
    for role, code in (
        ("judgments", "orphan_judgment"),
        ("candidates", "orphan_candidate"),
        ("teacher_scores", "orphan_teacher_score"),
    ):
        if role in found:
            found[role] = _without_orphans(found, role, code, ledger)
    judgments = without_contradictions(found["judgments"], ledger, "grade", "contradictory_judgments", "grades")
    found["judgments"] = without_repeats(judgments, ledger, KEY, "duplicate_judgment", "warning", [*KEY, "grade"])
    if "candidates" in found:
        found["candidates"] = _candidates(found["candidates"], ledger)
    if "teacher_scores" in found:
        scores = without_contradictions(
            found["teacher_scores"], ledger, "score", "contradictory_teacher_scores", "scores"
        )
        found["teacher_scores"] = without_repeats(
            scores, ledger, KEY, "duplicate_teacher_score", "warning", [*KEY, "score"]
        )
    _tell_counts(found, ledger)
    return {role: found[role].reset_index(drop=True) for role in ROLES if role in found}


def _by_text(found: dict[str, pd.DataFrame]) -> None:
    """Let judgments and runs that name queries by their text point to the queries' ids."""
    queries = found["queries"]
    if queries.empty:
        return
    known = set(queries["query_id"])
    by_text = dict(zip(queries["text"].str.strip(), queries["query_id"], strict=True))
    for role in ("judgments", "candidates", "teacher_scores"):
        if role in found and not found[role].empty:
            frame = found[role]
            renamed = frame["query_id"].where(
                frame["query_id"].isin(known), frame["query_id"].map(by_text).fillna(frame["query_id"])
            )
            found[role] = frame.assign(query_id=renamed)


def _without_orphans(found: Mapping[str, pd.DataFrame], role: str, code: str, ledger: Ledger) -> pd.DataFrame:
    frame = found[role]
    no_query = ~frame["query_id"].isin(set(found["queries"]["query_id"]))
    no_document = ~frame["doc_id"].isin(set(found["documents"]["doc_id"]))
    both = no_query & no_document
    for marked, missing in (
        (both, "query and document"),
        (no_query & ~both, "query"),
        (no_document & ~both, "document"),
    ):
        refused = marked[frame.index]
        frame = refuse_where(ledger, frame, refused, "error", code, KEY, missing=missing)
    return frame


def _candidates(frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Order each query's candidates by score, else by rank; number them from 1."""
    order = frame.assign(place=range(len(frame)))
    order = order.sort_values(
        ["score", "rank", "place"], ascending=[False, True, True], kind="stable", na_position="last"
    )
    order = without_repeats(order, ledger, KEY, "duplicate_candidate", "warning", KEY)
    first = order.groupby("query_id")["place"].transform("min")
    order = order.assign(first=first).sort_values("first", kind="stable")
    rank = order.groupby("query_id", sort=False).cumcount() + 1
    return order.assign(rank=rank, score=order["score"].fillna(-rank.astype("float64"))).drop(
        columns=["place", "first"]
    )


def _tell_counts(found: Mapping[str, pd.DataFrame], ledger: Ledger) -> None:
    queries, judgments, documents = found["queries"], found["judgments"], found["documents"]
    if queries.empty or judgments.empty:
        return
    judged = set(judgments["query_id"])
    relevant = set(judgments.loc[judgments["grade"].astype("int64") >= 1, "query_id"])
    n_queries = len(queries)
    if len(judged) < n_queries:
        n_without = n_queries - len(judged)
        found_one = note("warning", "queries_without_judgments", n_without=n_without, n_queries=n_queries)
        ledger.findings.append(found_one)
    if len(relevant) < len(judged):
        n_without = len(judged) - len(relevant)
        found_one = note("warning", "queries_without_relevant", n_without=n_without, n_queries=n_queries)
        ledger.findings.append(found_one)
    if len(relevant) < MIN_JUDGED_QUERIES:
        found_one = note("warning", "few_judged_queries", n_judged=len(relevant), minimum=MIN_JUDGED_QUERIES)
        ledger.findings.append(found_one)
    histogram = judgments["grade"].value_counts().sort_index()
    counts_by_grade = {str(grade): int(count) for grade, count in histogram.items()}
    ledger.findings.append(note("info", "grade_histogram", counts=counts_by_grade))
    if "0" not in counts_by_grade:
        ledger.findings.append(note("info", "only_positive_judgments", n_judgments=len(judgments)))
    n_same = int(documents.duplicated(["title", "text"]).sum())
    if n_same:
        ledger.findings.append(note("info", "duplicate_document_texts", n_documents=n_same))
    n_repeated = int(queries["text"].duplicated().sum())
    if n_repeated:
        ledger.findings.append(note("info", "duplicate_query_texts", n_queries=n_repeated))
    text = "".join(queries["text"].head(2000))
    share = len(_JAPANESE.findall(text)) / max(1, len(text))
    if share > JAPANESE_SHARE:
        ledger.findings.append(note("info", "japanese_text", share=round(share, 3)))
