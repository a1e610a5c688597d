"""Whatever is in the files, only findings and RerankError come out. `make fuzz` tries 20,000 cases."""

import datetime
import io
import json
import os
import zipfile
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rerank.errors import RerankError
from rerank.intake.check_report import report_of
from rerank.intake.codes import ERRORS, FINDINGS
from rerank.intake.finish import finish
from rerank.intake.mapping import ROLES
from rerank.intake.reading import read_files
from rerank.intake.sources import Choice, Source, key_of
from rerank.wording.findings import finding_sentence
from rerank.wording.language import speaker
from tests.intake.layouts import DOCUMENTS, LAYOUTS, QUERIES

N_CASES = int(os.environ.get("RERANK_FUZZ", "25"))
FUZZ = settings(
    max_examples=N_CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
SAY = speaker("en")
FILES = [source for layout in LAYOUTS.values() for source in layout.files]
HEADERS = sorted(
    "query_id query-id qid query query_text doc_id docid corpus-id _id text title grade rating label score rank "
    "position rater user_email event action_name query_response_hit_ids user_query anchor positive negative docs "
    "labels relevant_passages hard_negatives response doc_ids agent_1_rating agent_2_rating final_rating "
    "event_attributes.object.object_id クエリ 文書ID 評価 line metadata.segment product_id".split()
)
CELLS = st.one_of(
    st.sampled_from(
        ["q1", "q2", "d1", "d2", "red shoes", "0", "1", "２", "3.000", "1e5", "nan", "-inf", "1e999", "", " "]
    ),
    st.sampled_from(
        ["Exact", "○", "高", "click", "impression", "[2] > [1]", '["d1","d2"]', "[0.5, 1]", "a@x.org", "=1+1"]
    ),
    st.text(max_size=15),
)
KEYS = st.one_of(
    st.sampled_from(HEADERS),
    st.sampled_from(
        "query_doc_pairs judgements rating unrateable document_fields judgmentRatings ratings docId requests id "
        "request _source event_attributes".split()
    ),
    st.text(max_size=5),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
TYPED = st.one_of(
    CELLS, st.integers(-(10**18), 10**18), st.floats(), st.booleans(), st.none(), st.dates(datetime.date(1901, 1, 1))
)


def survives(*sources: Source, choices: dict[str, Choice] | None = None) -> None:
    """Read, describe and finish; anything but a RerankError fails the test."""
    draft = read_files([*sources, QUERIES, DOCUMENTS], choices=choices)
    assert {finding.code for finding in draft.findings} <= set(FINDINGS)
    json.dumps(report_of(draft), allow_nan=False)
    for finding in draft.findings:
        assert finding_sentence(SAY, finding)
    for row in draft.rejected:
        row.row.encode("utf-8")
    try:
        finish(draft, "x", keep_good_rows=True, mask_personal_data=True, segments="length")
    except RerankError as error:
        known = error.code in ERRORS
    else:
        known = True
    assert known


@st.composite
def broken(draw: st.DrawFn) -> Source:
    """A good file with some bytes changed, removed, repeated or put in."""
    source = draw(st.sampled_from(FILES))
    data = bytearray(source.data)
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            break
        start = draw(st.integers(0, len(data) - 1))
        end = min(len(data), start + draw(st.integers(1, 40)))
        kind = draw(st.sampled_from("change remove repeat insert cut".split()))
        if kind == "change":
            data[start] = draw(st.integers(0, 255))
        elif kind == "remove":
            del data[start:end]
        elif kind == "repeat":
            data[start:start] = data[start:end] * draw(st.integers(1, 20))
        elif kind == "insert":
            data[start:start] = draw(st.binary(max_size=12) | st.text(max_size=6).map(lambda text: text.encode()))
        else:
            del data[start:]
    return Source(draw(st.sampled_from([source.name, "any", "queries.csv", "teacher.run"])), bytes(data))


@FUZZ
@given(source=broken(), role=st.sampled_from([None, "leave_out", *ROLES]))
def test_a_damaged_file_of_any_format(source: Source, role: str | None) -> None:
    survives(source, choices=None if role is None else {key_of(source.sha256): Choice(role)})


@FUZZ
@given(
    header=st.lists(st.sampled_from(HEADERS) | st.text(max_size=6), min_size=1, max_size=7),
    rows=st.lists(st.lists(CELLS, max_size=8), max_size=8),
    delimiter=st.sampled_from(",\t;|"),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp932", "euc_jp", "utf-8-sig"]),
    labels=st.dictionaries(CELLS, st.integers(0, 20), max_size=2),
)
def test_a_table_with_known_headers_and_wild_cells(
    header: list[str], rows: list[list[str]], delimiter: str, encoding: str, labels: dict[str, int]
) -> None:
    written = "\n".join(delimiter.join(row) for row in [header, *rows])
    source = Source("any.csv", written.encode(encoding, "replace"))
    survives(source, choices={key_of(source.sha256): Choice(None, {}, labels)} if labels else None)


@FUZZ
@given(value=JSON, lines=st.booleans())
def test_any_json(value: Any, lines: bool) -> None:
    found = value if isinstance(value, list) and lines else [value]
    text = "\n".join(json.dumps(item) for item in found) if lines else json.dumps(value, indent=1)
    survives(Source("any.json", text.encode()))


@FUZZ
@given(
    header=st.lists(st.sampled_from(HEADERS), min_size=1, max_size=6, unique=True),
    rows=st.lists(st.lists(TYPED, min_size=6, max_size=6), min_size=1, max_size=6),
    names=st.lists(st.text(max_size=30) | st.sampled_from(["../a.csv", "a/b/queries.jsonl"]), max_size=3, unique=True),
    kind=st.sampled_from(["workbook", "parquet", "zip"]),
)
def test_a_binary_container_with_wild_contents(
    header: list[str], rows: list[list[Any]], names: list[str], kind: str
) -> None:
    out = io.BytesIO()
    if kind == "workbook":
        book = openpyxl.Workbook()
        sheet = book.active
        for row in [header, *rows]:
            cells = row[: len(header)]
            sheet.append([None if isinstance(cell, str) and not cell.isprintable() else cell for cell in cells])
        book.save(out)
    elif kind == "parquet":
        columns = {}
        for place, name in enumerate(header):
            values = [row[place] for row in rows]
            try:
                columns[name] = pa.array(values)
            except (pa.ArrowException, OverflowError):
                columns[name] = pa.array([json.dumps(value, default=str) for value in values])
        pq.write_table(pa.table(columns), out)
    else:
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(name.replace("\0", "") or "x", ",".join(header) + "\n" + ",".join(map(str, rows[0])))
    survives(Source("any", out.getvalue()))
