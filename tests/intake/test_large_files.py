"""Files that are read block by block give what the same files give when they are read whole."""

import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rerank.errors import RerankError
from rerank.intake import large, noting
from rerank.intake.content_digest import dataset_digest, streamed_digest
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.noting import finding_dict
from rerank.intake.reading import Draft, read_files
from rerank.intake.sources import Source
from rerank.intake.storage import load_dataset, load_findings, load_rejected, save_dataset
from tests.intake.layouts import LAYOUTS, text

QUERIES = text("queries.csv", "query_id,query\nq1,red shoes\nq2,blue hat\n")
JUDGMENTS = text("qrels.csv", "query_id,doc_id,grade\nq1,d1,2\nq2,d3,1\nq2,nowhere,1\n")


def texts(n: int) -> list[dict[str, str]]:
    """Documents with everything that intake tells of: markup, addresses, directions, repeats, ids that come twice."""
    rows = [
        {"doc_id": f"d{i}", "title": f"Shoe {i}", "text": f"A text about shoe number {i}.\nSecond line"}
        for i in range(n)
    ]
    rows[3]["text"] = "<p>Write to someone@example.org</p>"
    rows[4]["text"] = "## A heading\nand a [link](http://x)"
    rows[5]["title"] = "abc\u202edef"
    rows[6]["text"] = "Call +81 90-1234-5678"
    rows[7] = {"doc_id": "d7", "title": "", "text": ""}
    rows[8]["doc_id"] = "d 8"
    rows[n // 2] = {**rows[1]}  # repeated
    rows[n // 2 + 1] = {"doc_id": "d2", "title": "Other", "text": "another text of the same id"}
    rows[n // 2 + 2] = {**rows[n // 2 + 1]}
    rows[n // 2 + 3]["doc_id"] = " "
    rows[n // 2 + 4] = {**rows[9], "doc_id": "d9b"}
    return rows


def as_csv(rows: list[dict[str, str]]) -> bytes:
    return pd.DataFrame(rows).to_csv(index=False).encode()


def as_jsonl(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=7)
    return out.getvalue()


def in_blocks(monkeypatch: pytest.MonkeyPatch, block: int = 400) -> None:
    monkeypatch.setattr(large, "STREAM_BYTES", 100)
    monkeypatch.setattr(large, "BLOCK_CHARS", block)


def told(draft: Draft) -> Counter[str]:
    return Counter(json.dumps(finding_dict(finding), sort_keys=True, ensure_ascii=False) for finding in draft.findings)


def both(monkeypatch: pytest.MonkeyPatch, *sources: Source, block: int = 400) -> tuple[Draft, Draft]:
    whole = read_files(list(sources))
    in_blocks(monkeypatch, block)
    parts = read_files(list(sources))
    assert whole.spool is None
    assert parts.spool is not None
    return whole, parts


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "csv.gz", "utf-16.csv", "cp932.csv", "crlf.csv"])
def test_blocks_give_what_the_whole_gives(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = texts(60)
    data = {
        "csv": lambda: as_csv(rows),
        "tsv": lambda: pd.DataFrame(rows).to_csv(index=False, sep="\t").encode(),
        "jsonl": lambda: as_jsonl(rows),
        "parquet": lambda: as_parquet(rows),
        "csv.gz": lambda: gzip.compress(as_csv(rows)),
        "utf-16.csv": lambda: as_csv(rows).decode().encode("utf-16"),
        "cp932.csv": lambda: as_csv([{**row, "title": "赤い靴"} for row in rows]).decode().encode("cp932", "ignore"),
        "crlf.csv": lambda: as_csv(rows).replace(b"\n", b"\r\n"),
    }[kind]()
    whole, parts = both(monkeypatch, QUERIES, JUDGMENTS, Source(f"documents.{kind}", data))
    assert told(parts) == told(whole)
    assert Counter(parts.rejected) == Counter(whole.rejected)
    shown = ["doc_id", "title", "text"]
    assert parts.frames["documents"][shown].values.tolist() == whole.frames["documents"][shown].values.tolist()
    for options in ({}, {"mask_personal_data": True}):
        one = finish(whole, "x", keep_good_rows=True, **options)
        other = finish(parts, "x", keep_good_rows=True, **options)
        assert other.digest == one.digest
        ours, theirs = dict(other.manifest), dict(one.manifest)
        assert ours.pop("created_at")
        assert theirs.pop("created_at")
        assert ours == theirs


@pytest.mark.parametrize("block", [1, 37, 200])
def test_every_place_to_cut_is_right(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted line ends, a quote that is never closed, a field too many, a byte that UTF-8 forbids."""
    data = (
        as_csv(texts(30))
        + "dé,ééééé,éééééééééé\n".encode()
        + b'd90,"broken,text\nd91,one,two,three\nd92,fine,\xfftext\nd93,fine,text "quoted"\nd94,last,"x\ny"'
    )
    whole, parts = both(monkeypatch, QUERIES, JUDGMENTS, Source("documents.csv", data), block=block)
    assert told(parts) == told(whole)
    assert Counter(parts.rejected) == Counter(whole.rejected)
    assert finish(parts, "x", keep_good_rows=True).digest == finish(whole, "x", keep_good_rows=True).digest


@pytest.mark.parametrize("broken", [b"a\x00b", b"\x1f\x8bnothing"])
def test_a_large_file_that_cannot_be_read_says_why(broken: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch)
    data = broken if broken.startswith(b"\x1f") else as_csv(texts(20)) + broken + b"\n"
    draft = read_files([QUERIES, JUDGMENTS, Source("documents.csv", data * 1)])
    assert {"nul_bytes", "gzip_broken", "no_documents"} & {finding.code for finding in draft.findings}
    with pytest.raises(RerankError):
        finish(draft, "x")


def test_formats_that_are_no_plain_documents_are_still_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for layout in LAYOUTS.values():
        whole = read_files(list(layout.files))
        with monkeypatch.context() as patch:
            in_blocks(patch, 20)
            patch.setattr(large, "STREAM_BYTES", 0)
            parts = read_files(list(layout.files))
        assert told(parts) == told(whole)
        for role, frame in whole.frames.items():
            columns = [name for name in frame.columns if name in parts.frames[role].columns]
            assert parts.frames[role][columns].values.tolist() == frame[columns].values.tolist()


def test_findings_and_refused_rows_stay_bounded_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_blocks(monkeypatch, 2000)
    monkeypatch.setattr(noting, "MAX_PER_CODE", 1000)
    monkeypatch.setattr("rerank.intake.spool._MAX_HELD", 100)
    (tmp_path / "documents.csv").write_bytes(as_csv(texts(20)) + b"d,too,many,fields\n" * 1500)
    (tmp_path / "queries.csv").write_bytes(QUERIES.data)
    (tmp_path / "qrels.csv").write_bytes(JUDGMENTS.data)
    draft = read_folder(tmp_path)
    listed = [finding for finding in draft.findings if finding.code == "wrong_number_of_fields"]
    more = [finding.facts for finding in draft.findings if finding.code == "more_findings"]
    assert len(listed) == 1000
    assert more == [{"of_code": "wrong_number_of_fields", "n_more": 500}]
    dataset = finish(draft, "x", keep_good_rows=True)
    assert dataset.manifest["left_out"]["documents"]["wrong_number_of_fields"] == 1500
    save_dataset(dataset, draft.findings, draft.rejected)
    rejected = load_rejected(dataset.digest)
    assert int((rejected["code"] == "wrong_number_of_fields").sum()) == 1500


def test_what_is_stored_is_read_back_from_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch)
    draft = read_files([QUERIES, JUDGMENTS, Source("documents.jsonl", as_jsonl(texts(60)))])
    dataset = finish(draft, "x", keep_good_rows=True)
    folder = save_dataset(dataset, draft.findings, draft.rejected)
    spooled = draft.spool.folder if draft.spool else Path()
    digest = dataset.digest
    del draft, dataset
    assert (folder / "documents" / "text.bytes").is_file()
    assert not (folder / "documents.parquet").exists()
    stored = load_dataset(digest)
    assert not spooled.exists()
    assert dataset_digest({**_frames(stored)}) == digest
    assert stored.documents.set_index("doc_id").loc["d4", "text"].startswith("## A heading")
    assert stored.documents.dtypes.tolist() == pd.DataFrame({"a": ["x"]}).dtypes.tolist() * 3
    assert load_findings(digest)


def test_a_streamed_digest_is_the_digest_of_the_whole(tmp_path: Path) -> None:
    documents = pd.DataFrame(
        {
            "doc_id": ["b", "ä", "\U0001f600", "\uff5e", "a\nb", "a"],
            "title": list("xyzuvw"),
            "text": ['"', "\\", "", "\u2028", "é", "t"],
        },
        dtype="str",
    )
    queries = pd.DataFrame({"query_id": ["q"], "text": ["t"], "segment": [""]}, dtype="str")
    batches = (documents.iloc[start : start + 2] for start in range(0, 6, 2))
    found = streamed_digest({"queries": queries}, batches, tmp_path / "runs")
    assert found == dataset_digest({"queries": queries, "documents": documents})
    assert not list((tmp_path / "runs").iterdir())


def _frames(dataset: Any) -> dict[str, pd.DataFrame]:
    return {"queries": dataset.queries, "documents": dataset.documents, "judgments": dataset.judgments}


def test_a_quote_that_is_never_closed_ends_the_reading_of_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch)
    data = b'doc_id,title,text\nd1,a,"open\n' + b"word word word\n" * 3000
    draft = read_files([QUERIES, JUDGMENTS, Source("documents.csv", data)])
    found = {finding.code: finding for finding in draft.findings}
    assert int(str(found["nothing_usable"].facts["n_rows"])) < 3000
    assert found["nothing_usable"].file == "documents.csv"
    assert draft.frames["documents"].empty
