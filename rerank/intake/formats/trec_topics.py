"""TREC topics: queries as `<top>` blocks or as XML `<topic number="…">`."""

import html
import re

from rerank.intake.content import Content
from rerank.intake.noting import is_storable, refuse
from rerank.intake.tables import Table, fixed, rows_of

_BLOCK = re.compile(r"<(top|topic)\b([^<>]*)>((?:(?!<topi?c?\b).)*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<\s*(num|title|query)\s*>\s*(?:number\s*:|topic\s*:)?\s*(.*?)(?=<|\Z)", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"""(?:number|id)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


def sniff(content: Content) -> bool:
    """Say whether a topic starts among the first lines, alone or after other tags."""
    return bool(content.head) and any(
        re.match(r"\s*(?:<[^<>]*>\s*)*<(top|topic)\b", line[:10_000], re.IGNORECASE) for line in content.head[:10]
    )


def read(content: Content) -> list[Table]:
    """Return a query per topic, its text from the title; a topic without number or title is refused."""
    text = "\n".join(content.lines)
    kept = []
    line, seen = 1, 0
    for block in _BLOCK.finditer(text):
        line += text.count("\n", seen, block.start())
        seen = block.start()
        tags = {name.lower(): html.unescape(" ".join(value.split())) for name, value in _TAG.findall(block.group(3))}
        named = _NUMBER.search(block.group(2))
        number = tags.get("num") or (named.group(1) if named else "")
        title = tags.get("title") or tags.get("query") or ""
        if not number or not title or not is_storable(number + title):
            refuse(content.ledger, "error", "topic_broken", content.file, line, block.group(0), block.group(0))
            continue
        kept.append((line, {"query_id": number, "text": title}))
    return [fixed(rows_of(kept, ("query_id", "text")), "trec_topics", "queries", ("query_id", "text"))]
