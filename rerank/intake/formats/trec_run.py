"""TREC runs: `qid Q0 docno rank score tag`, white space between fields, no header."""

import re

from rerank.intake.content import Content
from rerank.intake.formats.spaced import read_spaced
from rerank.intake.tables import Table

_WHOLE = re.compile(r"[+-]?\d+\Z")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
COLUMNS = ("query_id", "iteration", "doc_id", "rank", "score", "tag")


def sniff(content: Content) -> bool:
    """Say whether most of the first lines are a run's: the second field says nothing and is always the same.

    Any other table of six columns with numbers in them, such as three raters' grades, is no run.
    """
    parts = [line.split() for line in content.head]
    good = [part for part in parts if len(part) == 6 and _WHOLE.match(part[3]) and _NUMBER.match(part[4])]
    seconds = {part[1] for part in good}
    return len(good) * 2 > len(parts) > 0 and (len(seconds) == 1 or seconds <= {"Q0", "q0", "0", "1"})


def read(content: Content) -> list[Table]:
    """Return candidates, or teacher scores when the file's name says so."""
    role = "teacher_scores" if "teacher" in content.file.lower() else "candidates"
    mapping = {name: name for name in ("query_id", "doc_id", "rank", "score") if role == "candidates" or name != "rank"}
    if role == "candidates":
        mapping["system"] = "tag"
    return [Table(read_spaced(content, COLUMNS, "run"), "trec_run", role=role, mapping=mapping)]
