"""Personal data in texts: e-mail addresses and telephone numbers."""

import re
from collections.abc import Iterable

import pandas as pd

from rerank.intake.noting import Ledger, note
from rerank.intake.texts import Marked, holding, line_of

EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
# Only numbers that are written as telephone numbers are: product numbers are everywhere in these texts.
PHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ -]\d{1,4}(?:[ -]\d{2,4}){1,3}|0\d{1,4}-\d{1,4}-\d{3,4}|\(0?\d{2,4}\) ?\d{2,4}-\d{4})"
    r"(?![\w-])"
)
_FIELDS = {"queries": ("text",), "documents": ("title", "text")}


def mask(text: str) -> str:
    """Return a text with addresses and telephone numbers replaced by what they were."""
    return PHONE.sub("[phone]", EMAIL.sub("[e-mail]", text))


def personal_in(role: str, frame: pd.DataFrame) -> "pd.Series[bool]":
    """Say which rows of a role hold personal data in their texts."""
    texts = frame["text"] if role == "queries" else frame["title"] + " " + frame["text"]
    return holding(texts, EMAIL, "@") | holding(texts, PHONE, r"\p{Nd}[ -]\p{Nd}|\p{Nd}\) ?\p{Nd}")


def tell_personal_data(role: str, found: Marked, ledger: Ledger) -> None:
    """Write one finding when texts of a role hold personal data; the value shown is masked."""
    first = found.first
    if first is not None:
        value = mask(str(first["text"]) if role == "queries" else f"{first['title']} {first['text']}")
        at = max(0, min(value.find("[e-mail]") % 10**9, value.find("[phone]") % 10**9) - 40)
        facts = {"role": role, "n_rows": found.n_rows}
        ledger.findings.append(
            note("warning", "personal_data", str(first["file"]), line_of(first), value[at:], **facts)
        )


def masked_ids(ids: Iterable[str]) -> dict[str, str]:
    """Return ids that hold personal data (a query's text may be its id) with what replaces them, each its own."""
    found: dict[str, str] = {}
    for name in ids:
        hidden = mask(name)
        if hidden != name:
            n_same = sum(known == hidden or known.startswith(f"{hidden} #") for known in found.values())
            found[name] = f"{hidden} #{n_same + 1}" if n_same else hidden
    return found


def without_personal_data(role: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return a role's rows with masked texts, and how many rows that changed."""
    fields = _FIELDS.get(role, ())
    changed = pd.Series(False, index=frame.index)
    masked = {}
    for name in fields:
        masked[name] = frame[name].map(mask).astype("str")
        changed |= masked[name] != frame[name]
    return frame.assign(**masked), int(changed.sum())
