"""The files beside `result.json`: runs, judgments, per-query scores."""

import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from rerank.cost.business import BUSINESS_FILE
from rerank.planning.overrides import OVERRIDES_FILE
from rerank.report.per_query import mean_over_seeds
from rerank.report.ran import Ran
from rerank.report.spreadsheets import csv_bytes
from rerank.store.artefacts import write_json, write_parquet, write_text

EXPORTED = (
    "result.json",
    "per_query.csv",
    "per_query_seeds.csv",
    "learning_curve.csv",
    "qrels.trec",
    "to_judge.csv",
    "audit.json",
    "teacher_overrides.json",
    "audit_marks.json",
    "plan.json",
    "gates.json",
    OVERRIDES_FILE,
    "log.jsonl",
    BUSINESS_FILE,
)


def trec_id(identity: str) -> str:
    """Return an id as TREC files hold it: percent-encoded where it has white space (or a percent sign)."""
    if any(letter.isspace() for letter in identity) or "%" in identity or not identity:
        return quote(identity, safe="") or "%"
    return identity


def run_text(ranking: pd.DataFrame, tag: str) -> str:
    """Return a ranking as a TREC run, scores strictly decreasing by rank."""
    rows = zip(ranking["query_id"], ranking["doc_id"], ranking["rank"], ranking["score"], strict=True)
    lines = [f"{trec_id(query)} Q0 {trec_id(doc)} {rank} {score!r} {tag}\n" for query, doc, rank, score in rows]
    return "".join(lines)


def qrels_text(judgments: pd.DataFrame) -> str:
    """Return judgments as TREC qrels."""
    rows = zip(judgments["query_id"], judgments["doc_id"], judgments["grade"], strict=True)
    return "".join(f"{trec_id(query)} 0 {trec_id(doc)} {grade}\n" for query, doc, grade in rows)


def write_files(
    ran: Ran,
    by_seed: pd.DataFrame,
    curve: pd.DataFrame,
    result: Mapping[str, Any],
    to_judge: pd.DataFrame,
    folder: Path,
) -> None:
    """Write all files of a result into an experiment's folder; `result.json` last.

    curve: as `report.curve.curve_scores` returns it. to_judge: as `report.unjudged.judgments_to_settle` returns it.
    """
    rankings, written = [], set()
    for run in ran.runs:
        for seed, ranking in run.rankings.items():
            path = folder / "runs" / f"{run.name}.{seed}.run"
            write_text(path, run_text(ranking, run.name))
            written.add(path)
            rankings.append(ranking.assign(strategy=run.name, seed=seed))
    for path in set((folder / "runs").glob("*.run")) - written:  # of a result that this one replaces
        path.unlink()
    write_parquet(folder / "rankings.parquet", pd.concat(rankings, ignore_index=True))
    tested = ran.dataset.judgments["query_id"].isin(list(ran.test_queries))
    write_text(folder / "qrels.trec", qrels_text(ran.dataset.judgments[tested]))
    means = mean_over_seeds(by_seed)
    write_text(folder / "per_query.csv", means.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "per_query_seeds.csv", by_seed.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "learning_curve.csv", curve.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "to_judge.csv", csv_bytes(to_judge).decode())
    write_json(folder / "result.json", result)


def export(folder: Path, out: Path) -> list[str]:
    """Copy an experiment's files to `out`; return their names."""
    out.mkdir(parents=True, exist_ok=True)
    copied = []
    for name in EXPORTED:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
            copied.append(name)
    if (folder / "runs").is_dir():
        shutil.rmtree(out / "runs", ignore_errors=True)
        shutil.copytree(folder / "runs", out / "runs")
        copied.append("runs")
    return copied


def read_per_query(folder: Path) -> pd.DataFrame:
    """Return an experiment's per-query scores: strategy, query_id, measure, value."""
    text = {"strategy": str, "query_id": str, "measure": str}
    return pd.read_csv(folder / "per_query.csv", dtype=text, keep_default_na=False)


def read_seed_scores(folder: Path) -> pd.DataFrame:
    """Return an experiment's per-query scores of every seed: strategy, seed, query_id, measure, value."""
    text = {"strategy": str, "query_id": str, "measure": str}
    return pd.read_csv(folder / "per_query_seeds.csv", dtype=text, keep_default_na=False)


def read_to_judge(folder: Path) -> pd.DataFrame:
    """Return the judgments that would settle an experiment's verdicts, as they were written; empty without any."""
    path = folder / "to_judge.csv"
    if not path.is_file():
        return pd.DataFrame({"query_id": [], "doc_id": []})
    text = dict.fromkeys(("query_id", "doc_id", "grade", "query", "title", "text"), str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, encoding="utf-8-sig")


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return an experiment's events, oldest first; a last line that was cut by a kill is left out."""
    path = folder / "log.jsonl"
    found: list[dict[str, Any]] = []
    if path.is_file():
        # Only these ends of lines: a text in an event may hold others. A kill can also cut a letter in two.
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def zip_bytes(folder: Path) -> bytes:
    """Return an experiment's files as a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in EXPORTED:
            if (folder / name).is_file():
                archive.write(folder / name, name)
        for path in sorted((folder / "runs").glob("*.run")):
            archive.write(path, f"runs/{path.name}")
    return packed.getvalue()
