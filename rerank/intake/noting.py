"""How findings and refused rows are written down."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rerank.intake.findings import Finding, Severity

MAX_VALUE_CHARS = 200
MAX_PER_CODE = 1000
REJECTED_COLUMNS = ("file", "line", "code", "row")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class RejectedRow:
    """A row that is not in the dataset, whole: `row` is its text or the JSON of its fields."""

    file: str
    line: int
    code: str
    row: str


@dataclass(frozen=True)
class Ledger:
    """What was noticed so far; every step of intake appends to it."""

    findings: list[Finding] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def storable(text: str) -> str:
    """Return the text with what UTF-8 and Parquet cannot hold replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """Tell whether the text is free of NUL and of lone surrogates."""
    return _UNSTORABLE.search(text) is None


def shown(value: str) -> str:
    """Return a value as a finding carries it: 200 characters at most, control characters as U+FFFD."""
    return _UNSEEN.sub("\ufffd", value[:MAX_VALUE_CHARS])


def note(
    severity: Severity,
    code: str,
    file: str | None = None,
    line: int | None = None,
    value: str | None = None,
    **facts: object,
) -> Finding:
    """Return a finding whose value is cut and made visible."""
    return Finding(
        severity,
        code,
        file,
        None if line is None else int(line),
        None if value is None else shown(value),
        facts,
    )


def refuse(
    ledger: Ledger, severity: Severity, code: str, file: str, line: int, value: str, row: str, **facts: object
) -> None:
    """Record a finding and the row it refuses."""
    ledger.findings.append(note(severity, code, file, line, value, **facts))
    ledger.rejected.append(RejectedRow(file, int(line), code, storable(row)))


def row_json(row: Mapping[str, object]) -> str:
    """Return a row's fields as JSON text, without where it stood."""
    kept = {name: value for name, value in row.items() if name not in ("file", "line")}
    return json.dumps(kept, ensure_ascii=False, default=str)


def refuse_where(
    ledger: Ledger,
    frame: pd.DataFrame,
    refused: "pd.Series[bool]",
    severity: Severity,
    code: str,
    shown_columns: Sequence[str],
    **facts: object,
) -> pd.DataFrame:
    """Record every marked row of a frame (with columns file and line) and return the others."""
    if not refused.any():
        return frame
    for row in frame[refused].to_dict("records"):
        value = " ".join(str(row[column]) for column in shown_columns)
        text = row_json({str(name): cell for name, cell in row.items()})
        refuse(ledger, severity, code, str(row["file"]), int(row["line"]), value, text, **facts)
    return frame[~refused]


def warn_where(
    ledger: Ledger,
    frame: pd.DataFrame,
    marked: "pd.Series[bool]",
    code: str,
    shown_column: str,
    **facts: object,
) -> None:
    """Record a warning for every marked row of a frame; the rows stay."""
    if marked.any():
        rows = frame.loc[marked, ["file", "line", shown_column]]
        for file, line, value in rows.itertuples(index=False, name=None):
            ledger.findings.append(note("warning", code, file, line, str(value), **facts))


def capped(findings: Iterable[Finding], maximum: int = MAX_PER_CODE) -> list[Finding]:
    """Keep the first `maximum` findings per code and add one `more_findings` with the number of the others."""
    seen: Counter[tuple[str, Severity]] = Counter()
    kept = []
    for finding in findings:
        key = (finding.code, finding.severity)
        seen[key] += 1
        if seen[key] <= maximum:
            kept.append(finding)
    more = [
        note(severity, "more_findings", of_code=code, n_more=n - maximum)
        for (code, severity), n in seen.items()
        if n > maximum
    ]
    return kept + more


def count_errors(findings: Iterable[Finding]) -> int:
    """Return the number of error findings, those behind `more_findings` included."""
    return sum(
        int(str(finding.facts["n_more"])) if finding.code == "more_findings" else 1
        for finding in findings
        if finding.severity == "error"
    )


def finding_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as a JSON-serialisable dict."""
    return {
        "severity": finding.severity,
        "code": finding.code,
        "file": finding.file,
        "line": finding.line,
        "value": finding.value,
        "facts": dict(finding.facts),
    }


def rejected_frame(rejected: Sequence[RejectedRow]) -> pd.DataFrame:
    """Return refused rows as a frame: file, line (int), code, row."""
    frame = pd.DataFrame(
        {
            "file": pd.Series([row.file for row in rejected], dtype="str"),
            "line": pd.Series([row.line for row in rejected], dtype="int64"),
            "code": pd.Series([row.code for row in rejected], dtype="str"),
            "row": pd.Series([row.row for row in rejected], dtype="str"),
        }
    )
    return frame
