"""What a language model answered: an ordering or a grade, with every repair counted, or a reason why there is none."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum

MIN_NAMED_SHARE = 0.5  # of the window: an order that is mostly ours is not the teacher's
GRADES = (0, 1, 2, 3)

MOST_LETTERS = 50_000  # of an answer that are read; no ordering is longer

_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_SAME_SIGNS = str.maketrans({"【": "[", "】": "]", "≻": ">", "→": ">", "、": ","})
# An identifier is [3], or the number that an answer begins or goes on with when its bracket was left away: 3 >, 3] >.
_ITEM = re.compile(r"\[\s*(\d{1,4})\s*\]|(?<![\w.\[])(\d{1,4})\]?(?=\s*>)|(?<=>)\s*(\d{1,4})(?![\w.\]])")
# What may stand between two identifiers of one ordering; "2." numbers a line of a list and names nothing.
_BETWEEN = re.compile(r"[\s>,;*-]*(?:\d{1,4}[.)][\s*]*)?")
_NUMBERS = re.compile(r"\[?\s*\d{1,4}(?:(?:\s*[,>]\s*|\s+)\d{1,4})+\s*\]?")
_CUT = re.compile(r"\[[\s\d]*$")
_GRADE = re.compile(r"(?<![\w.,/-])([0-3])(?![\w/-]|[.,]\d)")


@dataclass(frozen=True)
class Ordering:
    """A complete ordering of places 0..n-1, best first, and what had to be mended by kind of repair.

    repairs: `repeated` (named again), `unknown` (no such document), `missing` (not named: put last, in the order
    given), `cut` (the answer ends within an identifier), `format` (1: something else than a bare ordering).
    """

    order: tuple[int, ...]
    repairs: Mapping[str, int]


@dataclass(frozen=True)
class NoAnswer:
    """An answer that cannot be used: `empty`, `refused`, `no_order`, `too_few_named`, `no_grade`."""

    reason: str


def _plain(text: str) -> str:
    """Return an answer without thoughts, with one form of every bracket, digit and sign."""
    text = unicodedata.normalize("NFKC", text[:MOST_LETTERS])
    ends = [found.end() for found in _THOUGHT_ENDS.finditer(text)]
    text = text[ends[-1] :] if ends else text
    opened = _THOUGHT_BEGINS.search(text)
    return (text[: opened.start()] if opened else text).translate(_SAME_SIGNS)


def _chains(text: str) -> list[list[int]]:
    """Return the runs of identifiers that stand side by side, in the order of the text.

    Two that have lost their brackets need a sign between them: "> 1 2 >" is no ordering.
    """
    chains: list[list[int]] = []
    end = -1
    is_bare = False
    for found in _ITEM.finditer(text):
        number = int(next(part for part in found.groups() if part is not None))
        was_bare, is_bare = is_bare, found.group(1) is None
        is_apart = was_bare and is_bare and not set(">,") & set(text[end : found.start()])
        if chains and not is_apart and _BETWEEN.fullmatch(text, end, found.start()):
            chains[-1].append(number)
        else:
            chains.append([number])
        end = found.end()
    return chains


def _listed(text: str) -> list[int] | None:
    """Return the numbers of an answer that is nothing but a list of numbers, or JSON that holds one."""
    bare = text.strip().strip("`").removeprefix("json").strip()
    if _NUMBERS.fullmatch(bare):
        return [int(number) for number in re.findall(r"\d+", bare)]
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, list) and value and all(type(number) is int for number in value):
        return list(value)
    return None


def parse_ordering(text: str | None, n: int) -> Ordering | NoAnswer:
    """Read an answer such as `[2] > [1] > [3]` about n documents, numbered from 1.

    Of several orderings in one answer the one counts that names most documents, the last of equals: a quotation or
    an example is shorter than the answer, or comes before it. A document that was not named is put last, in the order
    given, as Sun et al. 2023 (RankGPT) do; when less than half of them were named there is no ordering.
    """
    if text is None or not text.strip():
        return NoAnswer("empty")
    plain = _plain(text)
    if not plain.strip():
        return NoAnswer("empty")
    listed = _listed(plain)
    chains = [listed] if listed is not None else _chains(plain)
    if not chains:
        return NoAnswer("no_order")
    named = max(reversed(chains), key=lambda chain: len({number for number in chain if 1 <= number <= n}))
    known = [number for number in named if 1 <= number <= n]
    order = list(dict.fromkeys(known))
    if len(order) < min(2, n):
        return NoAnswer("no_order")
    if len(order) < MIN_NAMED_SHARE * n:
        return NoAnswer("too_few_named")
    missing = [number for number in range(1, n + 1) if number not in set(order)]
    canonical = ">".join(f"[{number}]" for number in named)
    counted = {
        "repeated": len(known) - len(order),
        "unknown": len(named) - len(known),
        "missing": len(missing),
        "cut": int(bool(_CUT.search(plain))),
        "format": int("".join(text.split()) != canonical),
    }
    places = tuple(number - 1 for number in (*order, *missing))
    return Ordering(places, {name: count for name, count in counted.items() if count})


def parse_grade(text: str | None) -> float | NoAnswer:
    """Read a grade from 0 to 3: the answer itself, a JSON number, or the first grade that stands alone in it."""
    if text is None or not text.strip():
        return NoAnswer("empty")
    found = _GRADE.search(_plain(text))
    return float(found.group(1)) if found else NoAnswer("no_grade")


def expected_grade(tokens: Sequence[Mapping[str, float]]) -> float | None:
    """Return the expectation of the grade over the probabilities of the token that gives it, from 0 to 3.

    tokens: of every token of the answer the log-probabilities of its alternatives. The first token counts whose
    most likely alternative is a grade; None when there is none. Probabilities are taken among the grades alone
    (Zhuang et al. 2024, fine-grained relevance labels).
    """
    for alternatives in tokens:
        shares = dict.fromkeys(GRADES, 0.0)
        best = max(alternatives, key=lambda token: alternatives[token], default="")
        if _grade_of(best) is None:
            continue
        for token, value in alternatives.items():
            grade = _grade_of(token)
            if grade is not None:
                shares[grade] += exp(min(0.0, value))
        whole = fsum(shares.values())
        if whole > 0:
            return fsum(grade * share for grade, share in shares.items()) / whole
    return None


def _grade_of(token: str) -> int | None:
    plain = unicodedata.normalize("NFKC", token).strip().strip("▁Ġ")
    return int(plain) if plain in {str(grade) for grade in GRADES} else None
