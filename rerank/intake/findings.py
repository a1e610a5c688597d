"""What intake has to say about the user's files, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One observation about an input: a rule (`code`), where it was broken and the offending value.

    `error`: the row or file cannot be used. `warning`: usable, and somebody should look. `info`: a fact.
    `line` counts from 1 as an editor shows it; `value` is at most 200 characters of what stood there.
    """

    severity: Severity
    code: str
    file: str | None = None
    line: int | None = None
    value: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
