"""`rerank show`: a result as text."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rerank.errors import RerankError
from rerank.planning.experiments import load_result
from rerank.store.artefacts import read_json
from rerank.wording.decisions import decision_sentences
from rerank.wording.firmness import firmness_sentences
from rerank.wording.language import Say
from rerank.wording.names import AUDIT_COLOURS, name_of, strategy_name
from rerank.wording.numbers import duration, score, usd
from rerank.wording.tables import strategy_table
from rerank.wording.verdicts import reservations
from rerank.wording.width import width_of


def show(given: argparse.Namespace, say: Say) -> int:
    """Print the result in a folder or of an experiment."""
    path = Path(given.dir).expanduser()
    if path.is_dir():
        if not (path / "result.json").is_file():
            raise RerankError("not_a_result", path=str(path))
        print_result(read_json(path / "result.json"), say)
        return 0
    result = load_result(given.dir)
    if result is None:
        raise RerankError("no_result_yet", experiment=given.dir)
    print_result(result, say)
    return 0


def print_result(result: Mapping[str, Any], say: Say) -> None:
    """Print decision, strategies, comparisons and circumstances."""
    for sentence in decision_sentences(say, result):
        print(sentence)
    print()
    _print_table(strategy_table(say, result))
    print()
    for comparison in result["comparisons"]:
        if comparison["confirmatory"] and comparison["reasons"]:
            names = {role: strategy_name(say, comparison[role]) for role in ("challenger", "reference")}
            print(say("{challenger} vs {reference}: {reasons}", **names, reasons=reservations(say, comparison)))
    if "stability" in result:  # not in results of earlier versions
        for sentence in firmness_sentences(say, result):
            print(sentence)
    data, plan, cost = result["dataset"], result["plan"], result["cost"]
    audit = result["teacher_audit"]
    if audit is not None:
        colour = name_of(say, AUDIT_COLOURS, audit["colour"])
        print(say("Teacher audit: {colour} ({n} queries)", colour=colour, n=audit["n_queries"]))
    ceiling = {"recall": score(result["first_stage"]["recall_ceiling"]), "depth": plan["candidate_depth"]}
    print(say("Recall ceiling of the candidates: {recall} at depth {depth}", **ceiling))
    tested = {"tested": data["n_test_queries"], "all": data["n_queries"], "name": data["name"]}
    print(say("{tested} queries were tested, of {all} in {name}", **tested))
    device = result["device"]
    spent = {"time": duration(cost["job_device_seconds"], say), "usd": usd(cost["job_usd"])}
    where = f"{device['kind'].upper()} ({device['name']})"
    print(say("Device: {device}. All starts of this experiment took {time}: {usd}", device=where, **spent))


def _print_table(frame: pd.DataFrame) -> None:
    rows = [list(frame.columns), *frame.astype(str).to_numpy().tolist()]
    widths = [max(width_of(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
