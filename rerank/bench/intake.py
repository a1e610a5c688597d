"""`python -m rerank.bench.intake`: time and memory of importing synthetic collections of several sizes."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rerank.intake.storage import load_dataset
from rerank.retrieval.candidates import Scorer, bm25_of, top
from rerank.store.artefacts import write_json

N_WORDS = 50_000
WORDS_PER_TEXT = 150  # about 1 kB
N_QUERIES = 1000
N_JUDGED = 10
N_TIMED = 200
DEPTH = 50
_AT_ONCE = 10_000
_FORMATS = ("jsonl", "csv")
_USED = "{seconds:7.1f} s {cpu_seconds:7.1f} s of a core {peak_mb:7.0f} MB"


def _texts(n: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield texts whose words are as unevenly frequent as in a language (Zipf)."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(rng.choice(letters, size)) for size in rng.integers(2, 11, N_WORDS)])
    odds = 1.0 / np.arange(1, N_WORDS + 1)
    reached = np.cumsum(odds / odds.sum())
    for start in range(0, n, _AT_ONCE):
        drawn = np.searchsorted(reached, rng.random((min(_AT_ONCE, n - start), WORDS_PER_TEXT)))
        for row in words[np.minimum(drawn, N_WORDS - 1)]:
            yield " ".join(row)


def write_collection(folder: Path, n_documents: int, form: str, seed: int = 0) -> None:
    """Write queries, documents of about 1 kB and judgments: BEIR's layout, or the same as CSV."""
    rng = np.random.default_rng(seed)
    queries: list[tuple[str, str]] = []
    judgments: list[tuple[str, str, int]] = []
    texts = _texts(n_documents, rng)
    named = "corpus.jsonl" if form == "jsonl" else "documents.csv"
    with (folder / named).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        if form == "csv":
            table.writerow(["doc_id", "title", "text"])
        for number, text in enumerate(texts):
            row = (f"d{number}", text[:40], text[40:])
            if form == "jsonl":
                file.write(json.dumps(dict(zip(("_id", "title", "text"), row, strict=True))) + "\n")
            else:
                table.writerow(row)
            if len(queries) < N_QUERIES and number % max(1, n_documents // N_QUERIES) == 0:
                queries.append((f"q{len(queries)}", text[60:90]))
    for query_id, _ in queries:
        for document in rng.choice(n_documents, N_JUDGED, replace=False):
            judgments.append((query_id, f"d{document}", int(rng.integers(0, 4))))
    if form == "jsonl":
        lines = [json.dumps({"_id": query_id, "text": text}) for query_id, text in queries]
        (folder / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    else:
        lines = [f"{query_id},{text}" for query_id, text in queries]
        (folder / "queries.csv").write_text("\n".join(["query_id,query", *lines]), encoding="utf-8")
    rows = [f"{query_id}\t{document}\t{grade}" for query_id, document, grade in judgments]
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]), encoding="utf-8")


def run_measured(command: list[str], home: Path) -> dict[str, Any]:
    """Run a command with its own home; return its seconds, seconds of all cores and peak memory.

    Memory is the largest resident set, pages of mapped files included. Raises CalledProcessError.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "RERANK_HOME": str(home)}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,  # Linux counts kilobytes
    }


def bench_search(home: Path) -> dict[str, Any]:
    """Return what `rerank index` takes for the only dataset of a home, and milliseconds per search, first and again."""
    (folder,) = (home / "datasets").iterdir()
    index = run_measured([sys.executable, "-m", "rerank.cli.main", "index", folder.name], home)
    before = os.environ.get("RERANK_HOME")
    os.environ["RERANK_HOME"] = str(home)
    try:
        dataset = load_dataset(folder.name)
        search = bm25_of(dataset)
        texts = dataset.queries["text"].head(N_TIMED).tolist()
        first, again = ([_search_ms(search.scores, text) for text in texts] for _ in range(2))
    finally:
        if before is None:
            del os.environ["RERANK_HOME"]
        else:
            os.environ["RERANK_HOME"] = before
    n_bytes = sum(file.stat().st_size for file in (home / "indexes").rglob("*") if file.is_file())
    found: dict[str, Any] = {"index": index, "index_bytes": n_bytes}
    for name, times in (("first", first), ("again", again)):
        found[f"{name}_p50_ms"], found[f"{name}_p95_ms"] = np.percentile(times, [50, 95]).tolist()
    return found


def bench_near_duplicates(home: Path) -> dict[str, Any]:
    """Return what `rerank near-duplicates` takes for the only dataset of a home."""
    (folder,) = (home / "datasets").iterdir()
    return run_measured([sys.executable, "-m", "rerank.cli.main", "near-duplicates", folder.name], home)


def _search_ms(scores: Scorer, text: str) -> float:
    begun = time.perf_counter()
    top(scores(text), DEPTH)
    return (time.perf_counter() - begun) * 1000


def bench_import(
    n_documents: int, form: str, folder: Path, *, with_search: bool, with_near_duplicates: bool
) -> dict[str, Any]:
    """Return what importing a collection of this size by `rerank import` takes; its files are removed again."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        data, home = Path(made) / "data", Path(made) / "home"
        data.mkdir()
        write_collection(data, n_documents, form)
        n_bytes = sum(file.stat().st_size for file in data.iterdir())
        load = os.getloadavg()[0]
        used = run_measured([sys.executable, "-m", "rerank.cli.main", "import", str(data)], home)
        searched = bench_search(home) if with_search else {}
        if with_near_duplicates:
            searched["near_duplicates"] = bench_near_duplicates(home)
        stored = sum(file.stat().st_size for file in (home / "datasets").rglob("*") if file.is_file())
    return {
        "n_documents": n_documents,
        "format": form,
        "n_bytes": n_bytes,
        "stored_bytes": stored,
        "load": load,
        **used,
        **searched,
    }


def _search_line(row: dict[str, Any]) -> str:
    index = _USED.format(**row["index"])
    first = "p50 {first_p50_ms:.1f} ms, p95 {first_p95_ms:.1f} ms".format(**row)
    again = "p50 {again_p50_ms:.1f} ms, p95 {again_p95_ms:.1f} ms".format(**row)
    return f"{'index':>17} {index}; a search {first}; again {again}"


def main() -> int:
    """Measure each size in each format, print a line for each and write JSON."""
    parser = argparse.ArgumentParser(prog="python -m rerank.bench.intake")
    parser.add_argument("--documents", default="10000,100000", help="sizes, comma-separated")
    parser.add_argument("--formats", default="jsonl", help="jsonl, csv")
    parser.add_argument("--folder", default=None, help="where the collections are made; default: the system's")
    parser.add_argument("--search", action="store_true", help="build the BM25 index as well and time searches")
    parser.add_argument("--near-duplicates", action="store_true", help="search all documents for near-duplicates too")
    parser.add_argument("--json", default=None)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for form in [form for form in given.formats.split(",") if form in _FORMATS]:
            for size in given.documents.split(","):
                also = {"with_search": given.search, "with_near_duplicates": given.near_duplicates}
                rows.append(bench_import(int(size), form, Path(folder), **also))
                line = "{n_documents:>10,} {format:6} " + _USED + ", load before {load:.1f}"
                print(line.format(**rows[-1]), flush=True)
                if given.search:
                    print(_search_line(rows[-1]), flush=True)
                if given.near_duplicates:
                    print(f"{'near-duplicates':>17} {_USED.format(**rows[-1]['near_duplicates'])}", flush=True)
    if given.json:
        write_json(Path(given.json), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
