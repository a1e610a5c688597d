"""`rerank show`: a result as text."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rerank.cost.business import BUSINESS_FILE, Business, business_from_dict
from rerank.cost.prices import current_prices
from rerank.errors import RerankError
from rerank.planning.business import load_business, read_business
from rerank.planning.experiments import load_result
from rerank.planning.overrides import overrides, read_overrides
from rerank.report.advice import advice_of
from rerank.report.decision import decision_with
from rerank.report.money import money_of, net_benefits
from rerank.report.recount import at_prices
from rerank.store.artefacts import read_json
from rerank.wording.amounts import amount
from rerank.wording.asked import asked_sentences
from rerank.wording.audits import (
    audit_sentence,
    colour_line,
    evidence_sentence,
    free_sentence,
    gate_sentences,
    scope_sentence,
    unmeasured_sentence,
    warning_sentences,
)
from rerank.wording.decisions import decision_headline, decision_sentences
from rerank.wording.firmness import firmness_sentences
from rerank.wording.inheritance import inheritance_sentences
from rerank.wording.language import Say
from rerank.wording.money import background_sentences, money_sentences, money_table, stated_sentence
from rerank.wording.names import strategy_name
from rerank.wording.next_money import curve_sentence, recommendation
from rerank.wording.numbers import duration, score
from rerank.wording.record import deviation_sentences, look_sentence, override_sentences, seal_sentence
from rerank.wording.tables import IN_USD, strategy_table
from rerank.wording.verdicts import reservations
from rerank.wording.width import width_of


def show(given: argparse.Namespace, say: Say) -> int:
    """Print the result in a folder or of an experiment."""
    path = Path(given.dir).expanduser()
    asked = read_business(Path(given.business).expanduser()) if given.business else None
    if path.is_dir():
        if not (path / "result.json").is_file():
            raise RerankError("not_a_result", path=str(path))
        result = read_json(path / "result.json")
        print_result(result, say, asked or _kept(path, result), read_overrides(path))
        return 0
    found = load_result(given.dir)
    if found is None:
        raise RerankError("no_result_yet", experiment=given.dir)
    print_result(found, say, asked or load_business(given.dir), overrides(given.dir))
    return 0


def _kept(folder: Path, result: Mapping[str, Any]) -> Business | None:
    """Return the assumptions that were exported beside a result, else those that it was decided with."""
    if (folder / BUSINESS_FILE).is_file():
        return read_business(folder / BUSINESS_FILE)
    used = result.get("business")
    return business_from_dict(used) if used else None


def print_result(
    stored: Mapping[str, Any], say: Say, business: Business | None, overridden: Sequence[Mapping[str, Any]]
) -> None:
    """Print decision and overrides, strategies, comparisons, money and circumstances, counted at today's prices."""
    result = at_prices(stored, current_prices())
    for sentence in (*decision_sentences(say, result), *override_sentences(say, overridden)):
        print(sentence)
    print()
    print_table(strategy_table(say, result, business or IN_USD))
    print()
    if business is not None:
        _print_money(result, say, business)
    for comparison in result["comparisons"]:
        if comparison["confirmatory"] and comparison["reasons"]:
            names = {role: strategy_name(say, comparison[role]) for role in ("challenger", "reference")}
            print(say("{challenger} vs {reference}: {reasons}", **names, reasons=reservations(say, comparison)))
    if "stability" in result:  # not in results of earlier versions
        for sentence in firmness_sentences(say, result):
            print(sentence)
    advice = advice_of(result, business)
    if advice is not None:
        print(recommendation(say, result, advice, business or IN_USD))
        print(curve_sentence(say, result))
    for sentence in (look_sentence(say, result), seal_sentence(say, result), *deviation_sentences(say, result)):
        if sentence:
            print(sentence)
    data, plan, cost = result["dataset"], result["plan"], result["cost"]
    for sentence in asked_sentences(say, result):
        print(sentence)
    audit = result["teacher_audit"]
    if audit is not None:
        print_audit(audit, say)
    for sentence in inheritance_sentences(say, result):
        print(sentence)
    ceiling = {"recall": score(result["first_stage"]["recall_ceiling"]), "depth": plan["candidate_depth"]}
    print(say("Recall ceiling of the candidates: {recall} at depth {depth}", **ceiling))
    tested = {"tested": data["n_test_queries"], "all": data["n_queries"], "name": data["name"]}
    print(say("{tested} queries were tested, of {all} in {name}", **tested))
    device = result["device"]
    spent = {"time": duration(cost["job_device_seconds"], say), "usd": amount(say, cost["job_usd"], business or IN_USD)}
    where = f"{device['kind'].upper()} ({device['name']})"
    print(say("Device: {device}. All starts of this experiment took {time}: {usd}", device=where, **spent))


def _print_money(result: Mapping[str, Any], say: Say, business: Business) -> None:
    money = money_of(result, business)
    print(stated_sentence(say, business))
    other = decision_with(result, net_benefits(result, business))
    if other is not None:
        headline = decision_headline(say, {**result, "decision": other})
        print(say("With the assumptions and prices of now, the recommendation would be: {headline}", headline=headline))
    for sentence in (*money_sentences(say, money), *background_sentences(say, result, money)):
        print(sentence)
    print()
    print_table(money_table(say, money))
    print()


def print_audit(audit: Mapping[str, Any], say: Say) -> None:
    """Print a teacher audit's colour with its sentence, what it rests on, and what the gate did."""
    print(say("Teacher audit: {colour} ({n} queries)", colour=colour_line(say, audit), n=audit["n_queries"]))
    if "measures" not in audit:  # written by an earlier version
        return
    for sentence in (audit_sentence(say, audit), evidence_sentence(say, audit), scope_sentence(say, audit)):
        print(sentence)
    for sentence in (
        free_sentence(say, audit),
        *warning_sentences(say, audit),
        unmeasured_sentence(say, audit),
        *gate_sentences(say, audit),
    ):
        if sentence:
            print(sentence)


def print_table(frame: pd.DataFrame) -> None:
    """Print a frame of text in columns as wide as their widest cell."""
    rows = [list(frame.columns), *frame.astype(str).to_numpy().tolist()]
    widths = [max(width_of(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
