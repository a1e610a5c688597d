"""Public benchmarks by name, through the library `ir_datasets`, cut to what a proof of concept can search."""

import importlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from rerank.errors import RerankError
from rerank.intake.findings import Finding
from rerank.intake.noting import note
from rerank.intake.reading import Draft, read_files
from rerank.intake.sources import Source

N_DOCUMENTS, N_QUERIES = 10_000, 1_000
SEED = 13
TELL_EVERY = 1_000
_T = TypeVar("_T")
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")
_TEXT_FIELDS = ("text", "body", "abstract", "description", "contents")


def _say_nothing(n_documents: int) -> None:
    del n_documents


@dataclass(frozen=True)
class Wanted:
    """Which benchmark and how much of it: at most `n_queries` judged queries, and `n_documents` besides the judged."""

    name: str
    n_documents: int = N_DOCUMENTS
    n_queries: int = N_QUERIES


def library() -> ModuleType:
    """Return `ir_datasets`. Raises RerankError `benchmarks_not_installed`."""
    try:
        return importlib.import_module("ir_datasets")
    except ImportError as error:
        raise RerankError("benchmarks_not_installed") from error


def read_benchmark(wanted: Wanted, tell: Callable[[int], None] = _say_nothing) -> Draft:
    """Download a benchmark and return its judged queries, their judged documents and a sample of the others.

    Queries beyond `n_queries` and documents beyond `n_documents` are left out by a seeded draw; the collection is read
    once and only what is kept is held. Negative grades, which mark spam or doubt, become 0. What was taken of how much
    is in the draft's facts under `benchmark`, and in a finding. tell: called with the number of documents read so far;
    what it raises ends the reading. Raises RerankError `benchmarks_not_installed`, `unknown_benchmark`,
    `benchmark_not_judged`, `benchmark_unreachable`.
    """
    given = library()
    name = wanted.name.strip().strip("/")
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise RerankError("unknown_benchmark", name=wanted.name[:200])
    try:
        found = _guarded(name, lambda: given.load(name), KeyError)
    except KeyError as error:
        raise RerankError("unknown_benchmark", name=name) from error
    if not (found.has_queries() and found.has_docs() and found.has_qrels()):
        raise RerankError("benchmark_not_judged", name=name)
    judgments, n_judged, n_negative = _guarded(name, lambda: _judgments(found, wanted.n_queries))
    queries = _guarded(name, lambda: _queries(found, {row["query_id"] for row in judgments}))
    documents, n_all = _documents(name, found, {row["doc_id"] for row in judgments}, wanted.n_documents, tell)
    facts = {
        "name": name,
        "library": f"ir_datasets {getattr(given, '__version__', '')}".strip(),
        "n_judged_queries": n_judged,
        "n_queries": len(queries),
        "n_documents_of_the_collection": n_all,
        "n_documents": len(documents),
        "n_unjudged_documents_drawn": wanted.n_documents,
        "n_negative_grades": n_negative,
        "seed": SEED,
    }
    sources = [
        Source("queries.jsonl", _lines(queries)),
        Source("documents.jsonl", _lines(documents)),
        Source("judgments.jsonl", _lines(judgments)),
    ]
    draft = read_files(sources, facts={"benchmark": facts})
    if len(documents) < n_all or len(queries) < n_judged:
        cut: dict[str, object] = {
            "n_queries": len(queries),
            "n_all_queries": n_judged,
            "n_documents": len(documents),
            "n_all": n_all,
        }
        draft.findings.append(Finding("warning", "benchmark_cut", value=name, facts=cut))
    if n_negative:
        draft.findings.append(note("info", "negative_grades", value=name, n_judgments=n_negative))
    return draft


def _guarded(name: str, read: Callable[[], _T], passing: type[Exception] = RerankError) -> _T:
    """Read from the library, whose downloads and parsers fail in many ways of their own."""
    try:
        return read()
    except passing:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise RerankError("benchmark_unreachable", name=name, reason=reason) from error


def _drawn(items: list[str], n: int) -> set[str]:
    """Return at most n of the items, the same ones every time."""
    if len(items) <= n:
        return set(items)
    return {items[int(place)] for place in np.random.default_rng(SEED).permutation(len(items))[:n]}


def _judgments(found: Any, n_queries: int) -> tuple[list[dict[str, Any]], int, int]:
    """Return judgments of at most n queries, how many queries are judged at all, and how many grades were negative."""
    rows = [(str(row.query_id), str(row.doc_id), int(row.relevance)) for row in found.qrels_iter()]
    judged = list(dict.fromkeys(query_id for query_id, _, _ in rows))
    kept = _drawn(judged, n_queries)
    rows = [row for row in rows if row[0] in kept]
    graded = [{"query_id": query, "doc_id": document, "grade": max(0, grade)} for query, document, grade in rows]
    return graded, len(judged), sum(grade < 0 for _, _, grade in rows)


def _text(record: Any) -> str:
    """Return a query's or document's text as the library's authors chose it, else its first known field."""
    if hasattr(record, "default_text"):
        return str(record.default_text())
    return next((str(getattr(record, field)) for field in (*_TEXT_FIELDS, "title") if getattr(record, field, "")), "")


def _queries(found: Any, kept: set[str]) -> list[dict[str, str]]:
    return [
        {"_id": str(query.query_id), "text": _text(query)}
        for query in found.queries_iter()
        if str(query.query_id) in kept
    ]


def _documents(
    name: str, found: Any, judged: set[str], n: int, tell: Callable[[int], None]
) -> tuple[list[dict[str, str]], int]:
    """Return the judged documents and a reservoir sample of n others, in the collection's order, and its size."""
    rng = np.random.default_rng(SEED)
    kept: list[tuple[int, dict[str, str]]] = []
    reservoir: list[tuple[int, dict[str, str]]] = []
    n_all = n_others = 0
    for document in _each(name, found):
        if n_all % TELL_EVERY == 0:
            tell(n_all)
        place, n_all = n_all, n_all + 1
        if str(document.doc_id) in judged:
            kept.append((place, _document(document)))
            continue
        n_others += 1
        if len(reservoir) < n:
            reservoir.append((place, _document(document)))
        elif (slot := int(rng.integers(n_others))) < n:
            reservoir[slot] = (place, _document(document))
    return [record for _, record in sorted([*kept, *reservoir], key=lambda item: item[0])], n_all


def _each(name: str, found: Any) -> Iterable[Any]:
    """Return the documents one by one, guarded; what the caller raises passes through."""
    documents = _guarded(name, lambda: iter(found.docs_iter()))
    end = object()
    while (document := _guarded(name, lambda: next(documents, end))) is not end:
        yield document


def _document(document: Any) -> dict[str, str]:
    title = str(getattr(document, "title", "") or "")
    text = next((str(getattr(document, field)) for field in _TEXT_FIELDS if getattr(document, field, "")), "")
    if not text:
        title, text = "", _text(document)
    return {"_id": str(document.doc_id), "title": title, "text": text}


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=True)}\n" for row in rows).encode()
