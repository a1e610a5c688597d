"""docs/formats.md lists what the registry has, and states the limits that the code keeps."""

import re
from pathlib import Path

from rerank.intake import archives, clicks, content, disk, folders, near_duplicates, tables
from rerank.intake.decoding import MAX_TEXT_BYTES
from rerank.intake.formats import delimited, parquet, workbook
from rerank.intake.formats.registry import FORMATS
from rerank.wording.formats import FORMAT_NAMES

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_format_has_a_row_and_a_name_and_no_other_has() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(FORMATS) == set(FORMAT_NAMES)


def test_the_limits_are_those_of_the_code() -> None:
    mebi = 2**20
    assert (
        256 * mebi,
        512 * mebi,
        512 * mebi,
    ) == (MAX_TEXT_BYTES, archives.MAX_TOTAL_BYTES, workbook.MAX_UNPACKED_BYTES)
    assert (archives.MAX_MEMBERS, archives.MAX_DEPTH, disk.MAX_FILES, disk.MAX_DEPTH) == (1000, 16, 1000, 3)
    assert (10_000_000, 2 * 1024 * mebi) == (parquet.MAX_ROWS, parquet.MAX_PARQUET_BYTES)
    assert (1000, 16 * mebi, 4 * mebi) == (tables.MAX_COLUMNS, content.MAX_LINE_CHARS, delimited.MAX_FIELD)
    assert 256 * mebi == content.MAX_JSON_BYTES
    assert (near_duplicates.MAX_QUERIES, near_duplicates.MAX_DOCUMENTS, near_duplicates.MAX_CHARS) == (3000, 2000, 300)
    assert (clicks.MIN_IMPRESSIONS, clicks.GRADE_FROM) == (10, (0.5, 1.0, 2.0))
    assert ".xlsx" in folders.READABLE
