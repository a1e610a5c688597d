"""The sample as a whole: do its parts fit together, and is it enough?"""

import unicodedata
from collections.abc import Mapping

import pandas as pd

from rerank.intake.agreement import add_ratings
from rerank.intake.clicks import judgments_from_clicks, searches_of
from rerank.intake.dataset import TABLES, Dataset
from rerank.intake.mapping import FIELDS
from rerank.intake.near_duplicates import MAX_DOCUMENTS, tell_near_duplicates
from rerank.intake.noting import Ledger, note, refuse_where
from rerank.intake.other_writing import tell_other_writing
from rerank.intake.pairs import KEY, without_contradictions, without_repeats
from rerank.intake.personal import personal_in, tell_personal_data
from rerank.intake.pool import one_system, tell_pool
from rerank.intake.segments import tell_segments
from rerank.intake.spool import PERSONAL, DocumentSpool, n_same_texts
from rerank.intake.tables import replaced
from rerank.intake.texts import BIDI, MARKUP, marked_in, tell_texts

MIN_JUDGED_QUERIES = 15
MIN_SCALE_TOP = 3  # 1 and 2 alone are partly and fully relevant in many collections
COUNTED = (  # what `tell_counts` writes, and becomes wrong when judgments are added
    "queries_without_judgments",
    "queries_without_relevant",
    "few_judged_queries",
    "grade_histogram",
    "only_positive_judgments",
    "duplicate_document_texts",
    "duplicate_query_texts",
    "scale_starts_at_one",
    "judged_share",
    "pool_of_one_search",
)
_EMPTY: Mapping[str, tuple[str, ...]] = {
    "queries": ("query_id", "text", "segment", "file", "line"),
    "documents": ("doc_id", "title", "text", "file", "line"),
    "judgments": ("query_id", "doc_id", "grade", "file", "line"),
}


def check_whole(
    frames: Mapping[str, pd.DataFrame], ledger: Ledger, spool: DocumentSpool | None = None
) -> dict[str, pd.DataFrame]:
    """Return the frames without rows that contradict or point nowhere; findings go to the ledger.

    spool: the documents when they are too many for memory; each was looked at when it was read.
    """
    found = dict(frames)
    if spool is not None:
        spool.settle(ledger)
        found["documents"] = spool.frame()
    for role, columns in _EMPTY.items():
        found.setdefault(role, pd.DataFrame({name: pd.Series([], dtype="str") for name in columns}))
    searched = searches_of(found["clicks"]) if "clicks" in found else {}
    if "clicks" in found:
        _take_clicks(found, ledger)
    _by_text(found)
    frequency = _frequencies(found["queries"], searched)
    if found["queries"].empty:
        ledger.findings.append(note("error", "no_queries"))
    if found["documents"].empty:
        ledger.findings.append(note("error", "no_documents"))
    if found["judgments"].empty and ("ratings" not in found or found["ratings"].empty):
        ledger.findings.append(note("error", "no_judgments"))
    of_query, of_document = ["query_id", "text"], ["doc_id", "title", "text"]
    found["queries"] = without_repeats(found["queries"], ledger, of_query, "repeated_query", "warning", of_query)
    if spool is None:
        found["documents"] = without_repeats(
            found["documents"], ledger, of_document, "repeated_document", "warning", of_document[:2]
        )
    found["queries"] = without_repeats(
        found["queries"], ledger, ["query_id"], "duplicate_query_id", "error", ["query_id", "text"]
    )
    if spool is None:
        found["documents"] = without_repeats(
            found["documents"], ledger, ["doc_id"], "duplicate_document_id", "error", ["doc_id", "title"]
        )
    for role, code in (
        ("judgments", "orphan_judgment"),
        ("candidates", "orphan_candidate"),
        ("teacher_scores", "orphan_teacher_score"),
        ("ratings", "orphan_rating"),
    ):
        if role in found:
            found[role] = _without_orphans(found, role, code, ledger)
    judgments = without_contradictions(found["judgments"], ledger, "grade", "contradictory_judgments", "grades")
    found["judgments"] = without_repeats(judgments, ledger, KEY, "duplicate_judgment", "warning", [*KEY, "grade"])
    if "ratings" in found:
        keys = [*KEY, "rater"]
        found["ratings"] = without_repeats(
            found["ratings"], ledger, keys, "duplicate_rating", "warning", [*keys, "grade"]
        )
        found["judgments"] = add_ratings(found, ledger)
    if "candidates" in found:
        found["candidates"] = one_system(found["candidates"], ledger)
        found["candidates"] = _candidates(found["candidates"], ledger)
    if "teacher_scores" in found:
        scores = without_contradictions(
            found["teacher_scores"], ledger, "score", "contradictory_teacher_scores", "scores"
        )
        found["teacher_scores"] = without_repeats(
            scores, ledger, KEY, "duplicate_teacher_score", "warning", [*KEY, "score"]
        )
    found["queries"] = found["queries"].assign(frequency=found["queries"]["query_id"].map(frequency).astype("float64"))
    tell_counts(found, ledger, spool)
    if not found["queries"].empty and not found["documents"].empty:
        _tell_texts(found["queries"], found["documents"], ledger, spool)
        tell_segments(found["queries"], ledger)
    return {role: found[role].reset_index(drop=True) for role in TABLES if role in found}


def fitted_ratings(said: Mapping[str, pd.DataFrame], dataset: Dataset, ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Return ratings and judgments of files as they fit a dataset's queries and documents.

    Rows that point nowhere, come twice or contradict each other are refused as on import. A judgment of a pair that
    has ratings is left out: it is what they were condensed to.
    """
    found = {role: getattr(dataset, role).assign(file="", line=0) for role in ("queries", "documents")}
    for role in ("judgments", "ratings"):
        empty = pd.DataFrame({name: pd.Series([], dtype="str") for name in (*FIELDS[role], "file", "line")})
        found[role] = said.get(role, empty)
    _by_text(found)
    found["judgments"] = _without_orphans(found, "judgments", "orphan_judgment", ledger)
    found["ratings"] = _without_orphans(found, "ratings", "orphan_rating", ledger)
    rated = pd.MultiIndex.from_frame(found["ratings"][KEY])
    judgments = found["judgments"][~pd.MultiIndex.from_frame(found["judgments"][KEY]).isin(rated)]
    judgments = without_contradictions(judgments, ledger, "grade", "contradictory_judgments", "grades")
    judgments = without_repeats(judgments, ledger, KEY, "duplicate_judgment", "warning", [*KEY, "grade"])
    keys = [*KEY, "rater"]
    ratings = without_repeats(found["ratings"], ledger, keys, "duplicate_rating", "warning", [*keys, "grade"])
    return {"judgments": judgments.reset_index(drop=True), "ratings": ratings.reset_index(drop=True)}


def _frequencies(queries: pd.DataFrame, searched: Mapping[str, int]) -> dict[str, float]:
    """Return how often each query was asked: a column's numbers, else a log's searches, else the rows it came in."""
    said = queries["frequency"].fillna(1.0) if "frequency" in queries.columns else pd.Series(1.0, index=queries.index)
    summed = said.groupby(queries["query_id"]).sum()
    found = {str(name): float(n) for name, n in summed.items()}
    return (
        found
        if "frequency" in queries.columns
        else {**found, **{k: max(n, found[k]) for k, n in searched.items() if k in found}}
    )


def _tell_texts(queries: pd.DataFrame, documents: pd.DataFrame, ledger: Ledger, spool: DocumentSpool | None) -> None:
    if spool is None:
        tell_texts(queries, documents, ledger)
        tell_near_duplicates(queries, documents, ledger)
        personal = marked_in(documents, personal_in("documents", documents))
    else:
        tell_texts(queries, spool.head(), ledger, {kind: spool.marked(kind) for kind in (*MARKUP, BIDI)})
        tell_near_duplicates(queries, spool.spread(MAX_DOCUMENTS), ledger)
        personal = spool.marked(PERSONAL)
    tell_personal_data("queries", marked_in(queries, personal_in("queries", queries)), ledger)
    tell_personal_data("documents", personal, ledger)


def _take_clicks(found: dict[str, pd.DataFrame], ledger: Ledger) -> None:
    """Turn a click log into implicit judgments, unless people have judged: the two are never mixed."""
    clicks = found.pop("clicks")
    if clicks.empty:
        return
    if not found["judgments"].empty or not found.get("ratings", found["judgments"]).empty:
        file, line = str(clicks["file"].iloc[0]), int(clicks["line"].iloc[0])
        ledger.findings.append(note("info", "clicks_not_used", file, line, n_rows=len(clicks)))
        return
    judgments = judgments_from_clicks(clicks, ledger)
    if judgments is not None:
        found["judgments"] = judgments


def _by_text(found: dict[str, pd.DataFrame]) -> None:
    """Let judgments and runs that name queries by their text point to the queries' ids."""
    queries = found["queries"]
    if queries.empty:
        return
    known = set(queries["query_id"])
    exact = dict(zip(queries["text"].str.strip(), queries["query_id"], strict=True))
    folded = {unicodedata.normalize("NFKC", text): name for text, name in exact.items()}
    for role in ("judgments", "candidates", "teacher_scores", "ratings"):
        if role in found and not found[role].empty:
            frame = found[role]
            names = {
                text: exact.get(text) or folded.get(unicodedata.normalize("NFKC", text), text)
                for text in frame["query_id"].unique()
                if text not in known
            }
            found[role] = frame.assign(query_id=replaced(frame["query_id"], names))


def _without_orphans(found: Mapping[str, pd.DataFrame], role: str, code: str, ledger: Ledger) -> pd.DataFrame:
    frame = found[role]
    no_query = ~frame["query_id"].isin(set(found["queries"]["query_id"]))
    # The few ids that are named are looked up among the many that there are, and not the other way round.
    ids = found["documents"]["doc_id"]
    no_document = ~frame["doc_id"].isin(set(ids[ids.isin(frame["doc_id"].unique())]))
    both = no_query & no_document
    tell_other_writing(frame[no_query], "query_id", found["queries"]["query_id"], ledger)
    tell_other_writing(frame[no_document], "doc_id", ids, ledger)
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


def tell_counts(found: Mapping[str, pd.DataFrame], ledger: Ledger, spool: DocumentSpool | None = None) -> None:
    """Write the findings that follow from how much was judged: those of `COUNTED`."""
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
    n_same = n_same_texts(documents) if spool is None else spool.n_same
    if n_same:
        ledger.findings.append(note("info", "duplicate_document_texts", n_documents=n_same))
    n_repeated = int(queries["text"].duplicated().sum())
    if n_repeated:
        ledger.findings.append(note("info", "duplicate_query_texts", n_queries=n_repeated))
    grades = judgments["grade"].astype("int64")
    if grades.min() == 1 and grades.max() >= MIN_SCALE_TOP:
        ledger.findings.append(note("warning", "scale_starts_at_one", maximum=int(grades.max())))
    if "candidates" in found and not found["candidates"].empty:
        tell_pool(judgments, found["candidates"], ledger)
