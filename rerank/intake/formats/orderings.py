"""A teacher's orderings `[3] > [1] > [2]` over a given list of candidates."""

import re
from dataclasses import dataclass

from rerank.intake.formats.columns import list_in, names_of, query_column
from rerank.intake.noting import Ledger, note, refuse, row_json
from rerank.intake.tables import LINE, Table, fixed, rows_of

_ORDERS = ("permutation", "ranking", "order", "ordering", "response")
_LISTS = ("candidates", "doc_ids", "docids", "documents", "passages", "hits")
_BRACKETED = re.compile(r"\[(\d{1,6})\]")
_BARE = re.compile(r"\d{1,6}")


@dataclass(frozen=True)
class Ordering:
    """A complete order of 1..n (best first) and what had to be repaired for it."""

    order: tuple[int, ...]
    n_missing: int
    n_repeated: int
    n_unknown: int

    @property
    def is_whole(self) -> bool:
        """Tell whether every candidate was named exactly once."""
        return not (self.n_missing or self.n_repeated or self.n_unknown)


def parse_ordering(text: str, n: int) -> Ordering | None:
    """Return the order that an answer gives to candidates 1..n; None when it names none of them.

    The first naming counts, numbers out of range do not, and what was not named follows in the given order.
    """
    named = [int(number) for number in _BRACKETED.findall(text)]
    if not named and ">" in text:
        named = [int(number) for number in _BARE.findall(text)]
    known = [number for number in named if 1 <= number <= n]
    order = list(dict.fromkeys(known))
    if not order:
        return None
    missing = [number for number in range(1, n + 1) if number not in set(order)]
    return Ordering((*order, *missing), len(missing), len(known) - len(order), len(named) - len(known))


def _columns(table: Table) -> tuple[str, str] | None:
    names = names_of(table)
    order = next((names[name] for name in _ORDERS if name in names), None)
    listed = next((names[name] for name in _LISTS if name in names), None)
    return None if order is None or listed is None else (order, listed)


def sniff(table: Table) -> bool:
    """Say whether rows have a query, a list of candidates and an ordering of it."""
    found = _columns(table)
    if found is None or query_column(table) is None or table.rows.empty:
        return False
    answers = table.rows[found[0]].head(50)
    return bool(answers.str.contains(r"\[\d+\]\s*>", regex=True).any()) and any(
        list_in(cell) is not None for cell in table.rows[found[1]].head(50)
    )


def read(table: Table, file: str, ledger: Ledger) -> list[Table]:
    """Return teacher scores: the number of candidates below. Repaired answers are told, unreadable ones refused."""
    found, query = _columns(table), query_column(table)
    if found is None or query is None:
        return []
    kept = []
    for row in table.rows.to_dict("records"):
        line, answer = int(row[LINE]), str(row[found[0]])
        documents = list_in(str(row[found[1]])) or []
        ordering = parse_ordering(answer, len(documents))
        if ordering is None:
            text = row_json({str(name): value for name, value in row.items()})
            refuse(ledger, "error", "ordering_unreadable", file, line, answer, text)
            continue
        if not ordering.is_whole:
            facts = {"missing": ordering.n_missing, "repeated": ordering.n_repeated, "unknown": ordering.n_unknown}
            named = {f"n_{name}": number for name, number in facts.items()}
            ledger.findings.append(note("warning", "ordering_repaired", file, line, answer, **named))
        for place, number in enumerate(ordering.order, start=1):
            score = str(len(documents) - place)
            kept.append((line, {"query_id": str(row[query]), "doc_id": documents[number - 1], "score": score}))
    names = ("query_id", "doc_id", "score")
    return [fixed(rows_of(kept, names), "orderings", "teacher_scores", names)]
