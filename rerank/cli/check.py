"""`rerank check`: every finding about a sample."""

import argparse
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from rerank.adequacy.report import Adequacy, adequacy_of, record_of
from rerank.cli.data import draft_of
from rerank.intake.check_report import report_of
from rerank.intake.dataset import Dataset
from rerank.intake.findings import Finding
from rerank.intake.mapping import FIELDS
from rerank.intake.noting import count_errors
from rerank.intake.reading import Draft
from rerank.planning.presets import preset
from rerank.report.comparisons import family_size
from rerank.report.spreadsheets import csv_bytes
from rerank.store.artefacts import write_bytes, write_json
from rerank.wording.adequacy import answer_lines
from rerank.wording.findings import SEVERITY_ORDER, finding_sentence, findings_frame
from rerank.wording.language import Say
from rerank.wording.names import SEVERITIES, name_of

SHOWN = 50


def check(given: argparse.Namespace, say: Say) -> int:
    """Print counts, findings and whether the sample is good enough; 0 when no finding is an error, else 2."""
    draft = draft_of(given)
    report = report_of(draft)
    for record, finding in zip(report["findings"], draft.findings, strict=True):
        record["message"] = finding_sentence(say, finding)
    adequacy = _adequacy(draft)
    report["sample"] = None if adequacy is None else record_of(adequacy)
    if given.json:
        write_json(Path(given.json), report)
    if given.csv:
        write_bytes(Path(given.csv), csv_bytes(findings_frame(say, draft.findings)))
    if given.to_judge and adequacy is not None:
        write_bytes(Path(given.to_judge), csv_bytes(adequacy.to_judge))
    print_draft(say, draft)
    if adequacy is not None:
        print("\n".join(answer_lines(say, adequacy.answer, adequacy.sample)))
        if len(adequacy.to_judge) and not given.to_judge:
            print(say("--to-judge FILE writes the list to judge ({n} rows).", n=f"{len(adequacy.to_judge):,}"))
    if is_refused(say, draft):
        return 2
    print(say("Ready to run."))
    return 0


def print_draft(say: Say, draft: Draft) -> None:
    """Print what a draft holds and its first findings, the gravest at the top."""
    counts = {f"n_{role}": len(draft.frames[role]) for role in ("queries", "documents", "judgments")}
    print(say("{n_queries} queries, {n_documents} documents, {n_judgments} judgments", **counts))
    print_findings(say, draft.findings)
    if len(draft.findings) > SHOWN:
        print(say("… and {n} more; --json FILE has them all.", n=len(draft.findings) - SHOWN))


def print_findings(say: Say, findings: Sequence[Finding]) -> None:
    """Print the first findings, the gravest at the top."""
    for finding in sorted(findings, key=lambda found: SEVERITY_ORDER[found.severity])[:SHOWN]:
        where = f"{printable(finding.file or '')}{f':{finding.line}' if finding.line else ''}"
        value = f" ({printable(finding.value)})" if finding.value else ""
        sentence = printable(finding_sentence(say, finding))
        print(f"{name_of(say, SEVERITIES, finding.severity)}  {where}  {sentence}{value}")


def printable(text: str) -> str:
    """Return text of files as a terminal may show it: without what moves the cursor or turns writing around."""
    return "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cf") else sign for sign in text)


def is_refused(say: Say, draft: Draft) -> bool:
    """Say whether a draft has errors, and print what to do."""
    n_errors = count_errors(draft.findings)
    if n_errors:
        print(say("{n} errors: mend them, or run with --keep-good-rows.", n=n_errors))
    return n_errors > 0


def _adequacy(draft: Draft) -> Adequacy | None:
    """Return whether the usable rows are good enough for a standard plan; None without queries or documents."""
    if draft.frames["queries"].empty or draft.frames["documents"].empty:
        return None
    frames = {role: draft.frames[role][list(FIELDS[role])] for role in draft.frames}
    dataset = Dataset(
        name="",
        digest="",
        queries=frames["queries"],
        documents=frames["documents"],
        judgments=frames["judgments"].astype({"grade": "int64"}),
        candidates=frames.get("candidates"),
        teacher_scores=None,
        manifest={},
        ratings=frames.get("ratings"),
    )
    plan = preset("standard", "")
    return adequacy_of(dataset, draft.findings, plan, n_questions=family_size(plan))
