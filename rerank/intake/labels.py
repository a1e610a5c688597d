"""Labels in words and grades on other scales, as whole numbers from 0."""

import unicodedata
from collections.abc import Mapping

import pandas as pd

from rerank.intake.formats.columns import share_numeric
from rerank.intake.noting import Ledger, note
from rerank.intake.tables import LINE, Table, replaced

MIN_COVERED = 0.9
MAX_LABELS = 12
MIN_HALVES, MIN_JUDGED, MAX_HALVED = 0.1, 10, 5  # one 1.5 among whole grades is a slip, not a scale
_SCALES: tuple[Mapping[str, int], ...] = (  # of those that cover a file's labels the shortest counts
    {"irrelevant": 0, "relevant": 1},
    {"not relevant": 0, "relevant": 1},
    {"non-relevant": 0, "relevant": 1},
    {"no": 0, "yes": 1},
    {"false": 0, "true": 1},
    {"いいえ": 0, "はい": 1},
    {"無関係": 0, "関連": 1},
    {"関連なし": 0, "関連あり": 1},
    {"不適合": 0, "適合": 1},
    {"関連しない": 0, "関連する": 1},
    {"関係なし": 0, "関係あり": 1},
    {"不正解": 0, "正解": 1},
    {"ng": 0, "ok": 1},
    {"不適合": 0, "部分適合": 1, "適合": 2},
    {"不適合": 0, "部分的に適合": 1, "適合": 2},
    {"不適合": 0, "部分適合": 1, "適合": 2, "高適合": 3},
    {"関連なし": 0, "部分的に関連": 1, "関連あり": 2},
    {"関連しない": 0, "やや関連する": 1, "関連する": 2},
    {"関連しない": 0, "部分的に関連する": 1, "関連する": 2},
    {"関連なし": 0, "やや関連": 1, "とても関連": 2},
    {"関連なし": 0, "やや関連": 1, "関連": 2, "非常に関連": 3},
    {"無関係": 0, "やや関連": 1, "関連": 2, "非常に関連": 3},
    {"小": 0, "中": 1, "大": 2},
    {"irrelevant": 0, "partial": 1, "exact": 2},
    {"irrelevant": 0, "partially relevant": 1, "relevant": 2},
    {"not relevant": 0, "partially relevant": 1, "relevant": 2},
    {"irrelevant": 0, "somewhat relevant": 1, "relevant": 2, "highly relevant": 3},
    {"not relevant": 0, "partially relevant": 1, "relevant": 2, "highly relevant": 3},
    {"irrelevant": 0, "partially relevant": 1, "relevant": 2, "highly relevant": 3},
    {"irrelevant": 0, "related": 1, "highly relevant": 2, "perfectly relevant": 3},
    {"poor": 0, "fair": 1, "good": 2, "perfect": 3},
    {"bad": 0, "fair": 1, "good": 2, "excellent": 3, "perfect": 4},
    {"low": 0, "medium": 1, "high": 2},
    {"i": 0, "c": 1, "s": 2, "e": 3},
    {"irrelevant": 0, "complement": 1, "substitute": 2, "exact": 3},
    {"×": 0, "○": 1},
    {"×": 0, "△": 1, "○": 2},
    {"×": 0, "△": 1, "○": 2, "◎": 3},
    {"低": 0, "中": 1, "高": 2},
    {"なし": 0, "低": 1, "中": 2, "高": 3},
    {"不可": 0, "可": 1, "良": 2, "優": 3},
    {"無関係": 0, "部分的に関連": 1, "関連": 2},
    {"関連なし": 0, "やや関連": 1, "関連あり": 2},
)
_ALIKE = str.maketrans({"〇": "○", "◯": "○", "✕": "×", "✖": "×", "✗": "×", "❌": "×", "⭕": "○", "▲": "△", "x": "×"})
_RESCALED: tuple[Mapping[float, int], ...] = (
    {0.0: 0, 1.0: 1, 10.0: 2, 100.0: 3},  # gains of the Shopping Queries collection
    {0.0: 0, 0.01: 1, 0.1: 2, 1.0: 3},
)


def _folded(label: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", label).split()).casefold()
    return plain.translate(_ALIKE) if len(plain) <= 2 else plain


def _plain(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Return cells as they are read as numbers: ① and full-width digits are digits."""
    names = {str(cell): unicodedata.normalize("NFKC", str(cell)).strip() for cell in cells.unique()}
    return replaced(cells, names)


def scale_of(labels: list[str]) -> Mapping[str, int] | None:
    """Return the shortest known scale that has all the labels, folded; None when none has."""
    wanted = {_folded(label) for label in labels}
    covering = [scale for scale in _SCALES if wanted <= {_folded(name) for name in scale}]
    found = min(covering, key=len, default=None)
    return None if found is None else {_folded(name): grade for name, grade in found.items()}


def labels_in(table: Table, column: str) -> list[str]:
    """Return the distinct values of a grade column in order of frequency, 12 at most."""
    cells = table.rows[column].str.strip()
    return [str(label) for label in cells[cells != ""].value_counts().index[:MAX_LABELS]]


def _proposed(table: Table, column: str) -> tuple[str, dict[str, int]] | None:
    """Return a finding's code and `{label: grade}` for a column that is not on our scale; None when it is."""
    cells = table.rows[column].str.strip()
    filled = cells[cells != ""]
    values = sorted(set(filled))
    if share_numeric(filled) == 1.0:
        numbers = {value: float(value) for value in values}
        distinct = set(numbers.values())
        for scale in _RESCALED:
            if distinct <= set(scale) and distinct - {0.0, 1.0}:
                return "grades_rescaled", {value: scale[number] for value, number in numbers.items()}
        share = float(filled.map(lambda value: numbers[value] % 1 != 0).mean())
        halves = share >= MIN_HALVES and len(filled) >= MIN_JUDGED and all(number * 2 % 1 == 0 for number in distinct)
        if halves and min(distinct) >= 0 and max(distinct) <= MAX_HALVED:
            return "grades_rescaled", {value: int(number * 2) for value, number in numbers.items()}
        return None
    if len(filled) == 0 or share_numeric(filled) > 1 - MIN_COVERED:
        return None
    counts = filled.value_counts()
    kept = [str(label) for label, n in counts.items() if n > (1 - MIN_COVERED) * len(filled)] or [str(counts.index[0])]
    for tried in (values if len(values) <= MAX_LABELS else [], kept):
        scale_found = scale_of(tried) if tried else None
        if scale_found is not None:
            known = {value: scale_found[_folded(value)] for value in values if _folded(value) in scale_found}
            if float(filled.isin(list(known)).mean()) >= MIN_COVERED:
                return "labels_mapped", known
    return None


def graded(table: Table, column: str, given: Mapping[str, int], file: str, ledger: Ledger) -> Table:
    """Return the table with its grade column as numbers: by the user's word, else by a known scale, which is told.

    What no scale explains stays as it is and is refused row by row; when no label at all is a number, one finding
    lists them.
    """
    if table.rows.empty:
        return table
    if given:
        scale = {label.strip(): grade for label, grade in given.items()}
    else:
        proposed = _proposed(table, column)
        if proposed is None:
            cells = _plain(table.rows[column])
            if (
                (cells != "").any()
                and share_numeric(cells) == 0.0
                and not cells.str.fullmatch("(?i)[+-]?(nan|inf.*)").all()
            ):
                listed = labels_in(table, column)
                line = int(table.rows[LINE].iloc[0])
                ledger.findings.append(note("error", "labels_unknown", file, line, listed[0], labels=listed))
            return table
        code, scale = proposed
        shown = dict(sorted(scale.items(), key=lambda item: (-item[1], item[0])))
        ledger.findings.append(note("warning", code, file, scale={label: str(grade) for label, grade in shown.items()}))
    names = {name: str(grade) for name, grade in scale.items()}
    rows = table.rows.assign(**{column: replaced(table.rows[column].str.strip(), names)})
    return Table(rows, table.layout, table.part, table.role, table.mapping)
