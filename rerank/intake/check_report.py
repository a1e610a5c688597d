"""The findings of a draft as plain types, for `rerank check --json`."""

from typing import Any

from rerank.intake.noting import finding_dict
from rerank.intake.reading import Draft


def report_of(draft: Draft) -> dict[str, Any]:
    """Return counts and findings; the sentence of a finding is added by whoever knows a language."""
    return {
        "n_queries": len(draft.frames["queries"]),
        "n_documents": len(draft.frames["documents"]),
        "n_judgments": len(draft.frames["judgments"]),
        "findings": [finding_dict(finding) for finding in draft.findings],
    }
