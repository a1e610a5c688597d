"""`rerank validity`: do the verdicts keep what they promise, on differences of real strategies?"""

import argparse
import datetime
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rerank.jobs.process import environment_of_workers
from rerank.store.artefacts import read_json, write_json, write_text
from rerank.store.home import bundled
from rerank.validity.document import document_of
from rerank.validity.populations import read_scores
from rerank.validity.study import FULL, QUICK, figures_of, run_study
from rerank.validity.targets import Target, targets_of
from rerank.wording.language import Say, later

PARTS: Mapping[str, str] = {
    "scores": later("Scoring collections without training …"),
    "no_difference": later("Experiments without a true difference …"),
    "family": later("Families of questions …"),
    "margins": later("True differences as large as the margin …"),
    "further_queries": later("Further queries for inconclusive experiments …"),
    "power": later("Planned power …"),
    "luck": later("Training luck …"),
}
FOUND: Mapping[str, str] = {
    "false_better": later("“better” or “worse” without a true difference, {n} queries: {figure}; at most {high}"),
    "family_error": later("any of two questions, neither with a true difference: {figure}; at most {high}"),
    "false_equivalent": later("“equivalent” or negligible with a true difference of δ: {figure}; at most {high}"),
    "coverage": later("95 % intervals that hold the truth, 50 queries or more: {figure}; {low} to {high}"),
    "settled_with_n_more": later(
        "no longer inconclusive with the queries that were asked for: {figure}; {low} to {high}"
    ),
    "power_error": later("largest gap between planned and simulated power: {figure}; at most {high}"),
}


def validity(given: argparse.Namespace, say: Say) -> int:
    """Simulate, print each promise with what was found, write page and JSON; 0 also when a promise is missed."""
    begun = time.perf_counter()

    def tell(part: str) -> None:
        print(say(PARTS[part]), file=sys.stderr, flush=True)

    own = [Path(path).expanduser() for path in given.scores or ()]
    if own:
        scores, about = pd.concat([read_scores(path) for path in own], ignore_index=True), {}
    else:
        tell("scores")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "free.csv"
            command = [sys.executable, "-m", "rerank.bench.free_scores", "--out", str(out)]
            command += ["--quick"] if given.quick else []
            code = subprocess.run(command, check=False, env=environment_of_workers()).returncode
            if code:
                return code
            about = read_json(out.with_suffix(".json"))
            scores = pd.concat([read_scores(out), read_scores(bundled("validity") / "trained.csv")], ignore_index=True)
    study = run_study(scores, QUICK if given.quick else FULL, given.seed, tell)
    figures = figures_of(study)
    about = {"depth": None, "max_queries": None, "left_out": {}} | about | _circumstances(given, scores, begun)
    if given.json:
        write_json(Path(given.json), figures | {"measure": study.measure, "about": about})
    write_text(Path(given.doc), document_of(study, about))
    for target in targets_of(figures):
        print(_line(say, target))
    print(say("The whole account: {path}", path=given.doc))
    return 0


def _circumstances(given: argparse.Namespace, scores: pd.DataFrame, begun: float) -> dict[str, Any]:
    command = ["rerank", "validity", *(["--quick"] if given.quick else [])]
    for path in given.scores or ():
        command += ["--scores", path]
    command += ["--seed", str(given.seed)] + (["--json", given.json] if given.json else [])
    queries = scores.groupby("collection", sort=False)["query_id"].nunique()
    return {
        "command": shlex.join(command),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "seed": given.seed,
        "seconds": round(time.perf_counter() - begun),
        "platform": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "collections": {str(name): int(n) for name, n in queries.items()},
    }


def _line(say: Say, target: Target) -> str:
    facts = {"n": target.n_queries, "figure": f"{target.figure:.1%}", "low": f"{target.low:.0%}"}
    mark = "✓" if target.holds else "✗"
    return f"{mark} " + say(FOUND[target.name], high=f"{target.high:.0%}", **facts)
