"""`rerank check`: every finding about a sample."""

import argparse
from pathlib import Path

from rerank.cli.data import draft_of
from rerank.intake.check_report import report_of
from rerank.intake.noting import count_errors
from rerank.report.spreadsheets import csv_bytes
from rerank.store.artefacts import write_bytes, write_json
from rerank.wording.findings import SEVERITY_ORDER, finding_sentence, findings_frame
from rerank.wording.language import Say
from rerank.wording.names import SEVERITIES, name_of

SHOWN = 50


def check(given: argparse.Namespace, say: Say) -> int:
    """Print counts and findings; 0 when no finding is an error, else 2."""
    draft = draft_of(given)
    report = report_of(draft)
    for record, finding in zip(report["findings"], draft.findings, strict=True):
        record["message"] = finding_sentence(say, finding)
    if given.json:
        write_json(Path(given.json), report)
    if given.csv:
        write_bytes(Path(given.csv), csv_bytes(findings_frame(say, draft.findings)))
    counts = {name: report[name] for name in ("n_queries", "n_documents", "n_judgments")}
    print(say("{n_queries} queries, {n_documents} documents, {n_judgments} judgments", **counts))
    for finding in sorted(draft.findings, key=lambda found: SEVERITY_ORDER[found.severity])[:SHOWN]:
        where = f"{finding.file or ''}{f':{finding.line}' if finding.line else ''}"
        value = f" ({finding.value})" if finding.value else ""
        sentence = finding_sentence(say, finding)
        print(f"{name_of(say, SEVERITIES, finding.severity)}  {where}  {sentence}{value}")
    if len(draft.findings) > SHOWN:
        print(say("… and {n} more; --json FILE has them all.", n=len(draft.findings) - SHOWN))
    n_errors = count_errors(draft.findings)
    if n_errors:
        print(say("{n} errors: mend them, or run with --keep-good-rows.", n=n_errors))
        return 2
    print(say("Ready to run."))
    return 0
